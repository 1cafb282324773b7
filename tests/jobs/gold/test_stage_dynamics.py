"""How opportunities go through their stages, and when they close: durations, ways and days, counted by hand."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest

from jobs.gold import close_timing, stage_dynamics, stage_transitions
from jobs.silver.opportunities import table as opportunities
from jobs.silver.opportunity_stages import table as opportunity_stages
from tests.billing import AS_OF, audited
from tests.crm import at


def way(opportunity_id, *steps, arr="1000.00"):
    """Return the visits of an opportunity that enters each stage at its moment of 2026."""
    seen = []
    visits = []
    for number, (entered, stage) in enumerate(steps, start=1):
        left, next_stage = steps[number] if number < len(steps) else (None, None)
        previous_stage = steps[number - 2][1] if number > 1 else None
        visits.append(
            {
                "opportunity_id": opportunity_id,
                "visit_number": number,
                "stage": stage,
                "previous_stage": previous_stage,
                "next_stage": next_stage,
                "entered_at": at(entered),
                "left_at": left and at(left),
                "days_in_stage": left and (at(left) - at(entered)) / timedelta(days=1),
                "is_reentry": stage in seen,
                "is_reopening": str(previous_stage).startswith("closed"),
                "arr_reporting": Decimal(arr),
            }
        )
        seen.append(stage)
    return visits


VISITS = (
    # Ten days, then back and forward again; the second visit lasts two days.
    *way("back", ("01-05", "prospecting"), ("01-15", "discovery"), ("01-19", "prospecting"), ("01-21", "discovery"),
         ("02-10", "closed_lost")),
    # Lost, opened again past prospecting, and won past proposal.
    *way("reopened", ("01-05", "prospecting"), ("01-09", "closed_lost"), ("03-02", "discovery"),
         ("03-12", "negotiation"), ("03-22", "closed_won")),
    # Won on the day on which it was opened; large.
    *way("at once", ("03-02 09", "discovery"), ("03-02 21", "closed_won"), arr="30000.00"),
    # Still open: of January and of April.
    *way("stays", ("01-05", "prospecting"), arr="30000.00"),
    *way("young", ("04-02", "prospecting"), ("04-03", "closed_lost")),
    # The last day that is followed for 90 days is 1 April.
    *way("nobody's", ("04-01", "prospecting"), ("04-07", "discovery")),
)  # fmt: skip
DEALS = tuple(
    {"opportunity_id": name, "opportunity_type": kind}
    for name, kind in (
        ("back", "new_business"),
        ("reopened", "new_business"),
        ("at once", "expansion"),
        ("stays", "new_business"),
        ("young", "new_business"),
    )
)


@pytest.fixture(scope="module")
def dynamics(rows, settings):
    found = stage_dynamics.transform(
        visits=rows(opportunity_stages, *VISITS),
        opportunities=rows(opportunities, *DEALS),
        min_observations=3,
        pipeline=settings.pipeline,
    )
    return {(row.opportunity_type, row.deal_size, row.stage): row for row in audited(found, stage_dynamics.table)}


def test_days_are_those_of_completed_visits_and_open_ones_are_counted_apart(dynamics):
    first = dynamics["all", "all", "prospecting"]
    assert (first.opportunities, first.visits, first.completed_visits, first.open_visits) == (5, 6, 5, 1)
    # 10, 4, 2, 1 and 6 days: the third and, a tenth of four steps below the top, 6 + 0.6 × 4.
    assert (first.median_days, first.p75_days, first.p90_days, first.mean_days) == (4, 6, pytest.approx(8.4), 4.6)
    # Off 4.6: 5.4² + 0.6² + 2.6² + 3.6² + 1.4² = 51.2, over four.
    assert first.variance_days == pytest.approx(12.8)
    assert not first.is_small
    waiting = dynamics["new_business", "25000 to 100000", "prospecting"]
    assert (waiting.visits, waiting.open_visits, waiting.median_days, waiting.is_small) == (1, 1, None, True)


def test_who_leaves_advances_steps_back_or_is_lost(dynamics):
    first = dynamics["all", "all", "prospecting"]
    assert (first.advanced, first.regressed, first.lost, first.skipped) == (3, 0, 2, 0)
    # Discovery: back (then lost), past proposal to negotiation, won at once, and nobody's that stays.
    second = dynamics["all", "all", "discovery"]
    assert (second.advanced, second.regressed, second.lost, second.skipped) == (2, 1, 1, 1)
    assert (second.visits, second.open_visits, second.reentries, second.reopenings) == (5, 1, 1, 1)
    assert second.reentry_rate == 0.2
    # Wilson's interval of 1 of 5.
    assert (second.reentry_rate_low, second.reentry_rate_high) == pytest.approx((0.03622, 0.62446), abs=1e-5)
    at_once = dynamics["expansion", "all", "discovery"]
    assert (at_once.median_days, at_once.advanced, at_once.variance_days) == (0.5, 1, None)


def test_types_and_sizes_add_up_to_all_and_an_orphan_has_an_unknown_type(dynamics):
    parts = [row.visits for key, row in dynamics.items() if "all" not in key[:2]]
    totals = [row.visits for key, row in dynamics.items() if key[:2] == ("all", "all")]
    assert sum(parts) == sum(totals) == 12
    assert dynamics["unknown", "all", "prospecting"].mean_days == 6


@pytest.fixture(scope="module")
def transitions(rows, settings):
    found = stage_transitions.transform(
        visits=rows(opportunity_stages, *VISITS),
        opportunities=rows(opportunities, *DEALS),
        as_of=AS_OF,
        min_observations=5,
        pipeline=settings.pipeline,
    )
    found = audited(found, stage_transitions.table)
    return {(row.opportunity_type, row.deal_size, row.from_stage, row.to_stage): row for row in found}


def test_ways_out_of_a_stage_are_all_told_and_add_up_to_one(transitions):
    told = {key[3]: row for key, row in transitions.items() if key[:3] == ("all", "all", "discovery")}
    assert {stage: row.transitions for stage, row in told.items()} == {
        "prospecting": 1, "proposal": 0, "negotiation": 1, "closed_won": 1, "closed_lost": 1,
    }  # fmt: skip
    assert sum(row.probability for row in told.values()) == 1
    assert all(row.visits_left == 4 and row.is_small for row in told.values())
    assert [stage for stage, row in told.items() if row.is_skip] == ["negotiation"]
    assert [stage for stage, row in told.items() if row.is_regression] == ["prospecting"]
    # Nobody of four: up to z² ÷ (4 + z²) = 3.8415 ÷ 7.8415.
    assert (told["proposal"].probability_low, told["proposal"].probability_high) == (
        0,
        pytest.approx(0.48990, abs=1e-5),
    )
    assert (told["negotiation"].median_days, told["proposal"].median_days) == (10, None)


def test_visits_that_are_too_young_or_have_not_ended_have_no_say(transitions):
    # back twice, reopened and nobody's; neither the one that stays nor the one of 2 April.
    to_discovery = transitions["all", "all", "prospecting", "discovery"]
    assert (to_discovery.transitions, to_discovery.visits_left) == (3, 4)
    assert not [key for key in transitions if key[2].startswith("closed")], "closed stages are absorbing"


def won(opportunity_id, closed, cycle_days, opportunity_type="new_business"):
    return {
        "opportunity_id": opportunity_id,
        "opportunity_type": opportunity_type,
        "is_won": True,
        "closed_date": date.fromisoformat(closed),
        "cycle_days": float(cycle_days),
    }


def changed(opportunity_id, moment):
    return {
        "opportunity_id": opportunity_id,
        "previous_stage": "discovery",
        "entered_at": datetime.fromisoformat(moment),
    }


@pytest.fixture(scope="module")
def timing(rows, settings):
    """The last quarter of 2025 and the first of 2026 are complete."""
    found = close_timing.transform(
        visits=rows(
            opportunity_stages,
            changed("w1", "2025-12-17T12:00"),
            changed("w1", "2025-12-18T12:00"),
            changed("w1", "2025-12-25T12:00"),
            changed("w1", "2026-01-07T12:00"),
            changed("w1", "2026-01-03T12:00"),
            changed("orphan", "2025-12-19T12:00"),
            changed("w1", "2025-12-16T12:00"),
            {"opportunity_id": "w1", "entered_at": datetime(2025, 12, 24)},
        ),
        opportunities=rows(
            opportunities,
            won("w1", "2025-12-18", 10),
            won("w2", "2026-03-18", 20),
            won("w3", "2026-03-31", 40, "renewal"),
            won("w4", "2025-12-17", 100),
            won("w5", "2026-04-01", 1),
        ),
        as_of=date(2026, 6, 29),
        calendar=settings.calendar,
        min_observations=5,
    )
    found = audited(found, close_timing.table)
    return {(row.effect, row.event, row.opportunity_type): row for row in found}


def test_wins_of_the_last_two_weeks_are_held_against_those_of_the_other_days(timing):
    wins = timing["quarter_end", "win", "all"]
    # 18 to 31 December, 18 to 31 March; of 92 + 90 days. The quarter of the as-of day lacks its last day.
    assert (wins.events_inside, wins.events_compared, wins.days_inside, wins.days_compared) == (3, 1, 28, 154)
    assert (wins.share_inside, wins.even_share, wins.is_small) == (0.75, pytest.approx(28 / 182), True)
    assert wins.daily_ratio == pytest.approx((3 / 28) / (1 / 154))
    assert (wins.median_cycle_days_inside, wins.median_cycle_days_compared) == (20, 100)
    # Wilson's interval of 3 of 4.
    assert (wins.share_inside_low, wins.share_inside_high) == pytest.approx((0.30064, 0.95441), abs=1e-5)
    assert timing["quarter_end", "win", "renewal"].share_inside == 1


def test_days_around_holidays_are_held_against_the_same_weekdays_of_the_nearest_free_week(timing):
    changes = timing["holiday", "stage_change", "all"]
    # Holidays 24 to 27 December and 31 December to 2 January (new year's day of 2027 is not reached), against 17 to 20
    # December and, since a week before them is Christmas, 7 to 9 January.
    assert (changes.days_inside, changes.days_compared) == (7, 7)
    # Opening an opportunity changes no stage; 3 January and 16 December have no counterpart.
    assert (changes.events_inside, changes.events_compared) == (1, 4)
    assert (changes.share_inside, changes.even_share, changes.daily_ratio) == (0.2, 0.5, 0.25)
    assert changes.median_cycle_days_inside is None
    assert timing["holiday", "stage_change", "unknown"].events_compared == 1
