"""gold.rep_performance and gold.win_rates: who closed what in which quarter, worked out by hand."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest

from jobs.gold import rep_performance, win_rates
from jobs.silver.activities import table as activities
from jobs.silver.opportunities import table as opportunities
from jobs.silver.opportunity_states import table as opportunity_states
from jobs.silver.quotas import table as quotas
from jobs.silver.sales_reps import table as sales_reps
from tests.billing import audited, day
from tests.crm import at

Q1, Q2 = date(2026, 1, 1), date(2026, 4, 1)


def closed(opportunity_id, moment, *, won=True, owner="AE1", arr="100.00", days=10.0, kind="new_business", **others):
    """Return an opportunity that closed at a moment of 2026, after so many days."""
    usual = {
        "opportunity_id": opportunity_id,
        "opportunity_type": kind,
        "owner_rep_id": owner,
        "is_open": False,
        "is_won": won,
        "is_lost": not won,
        "arr_reporting": Decimal(arr),
        "deal_size": "under 5000",
        "closed_date": at(moment).date(),
        "created_date": (at(moment) - timedelta(days=days)).date(),
        "cycle_days": days,
    }
    return usual | others


def state(opportunity_id, number, stage, begin, end=None, *, rep="AE1", arr="100.00", previous="proposal"):
    return {
        "opportunity_id": opportunity_id,
        "change_number": number,
        "stage": stage,
        "previous_stage": previous,
        "rep_id": rep,
        "arr_reporting": Decimal(arr),
        "valid_from_date": day(begin),
        "valid_to_date": end and day(end),
        "is_open": not stage.startswith("closed"),
    }


OPPORTUNITIES = (
    # AE2 took it over before the win, and a CSM has it since.
    closed("handed over", "03-31 23", owner="CSM1", arr="300.00", days=40.0),
    # Lost by AE1, opened again, won by AE2.
    closed("reopened", "05-20", owner="AE2", arr="500.00", days=60.0),
    # Won on the day on which it was opened; without any history.
    closed("at once", "04-01", arr="50.00", days=0.0, kind="expansion"),
    closed("lost", "02-01", won=False, arr="700.00"),
    closed("nobody's", "02-01", owner=None, arr="20.00"),
    {"opportunity_id": "open", "is_open": True, "is_won": False, "owner_rep_id": "AE1"},
)
STATES = (
    state("handed over", 1, "proposal", "01-05", "02-10", rep="AE1", previous=None),
    state("handed over", 2, "proposal", "02-10", "03-31", rep="AE2"),
    state("handed over", 3, "closed_won", "03-31", "04-10", rep="AE2"),
    state("handed over", 4, "closed_won", "04-10", rep="CSM1", previous="closed_won"),
    state("reopened", 1, "proposal", "01-05", "02-01", rep="AE1", previous=None),
    state("reopened", 2, "closed_lost", "02-01", "03-20", rep="AE1"),
    state("reopened", 3, "discovery", "03-20", "05-20", rep="AE2", arr="400.00", previous="closed_lost"),
    state("reopened", 4, "closed_won", "05-20", rep="AE2", arr="500.00", previous="discovery"),
    # Open over the end of the first quarter with 100, then with 250; changed twice on 31 March.
    state("open", 1, "discovery", "01-10", "03-31", arr="80.00", previous=None),
    state("open", 2, "discovery", "03-31", "03-31", arr="90.00"),
    state("open", 3, "discovery", "03-31", "05-05", arr="100.00"),
    state("open", 4, "discovery", "05-05", arr="250.00"),
)
REPS = (
    {"rep_id": "AE1", "role": "AE", "hired_date": date(2025, 10, 1), "left_date": date(2026, 5, 31)},
    {"rep_id": "AE2", "role": "AE", "hired_date": date(2026, 1, 15)},
)
QUOTAS = tuple(
    {"rep_id": rep_id, "quarter": quarter, "quota_arr": Decimal(quota)}
    for rep_id, quarter, quota in (
        ("AE1", Q1, "1000.00"),
        ("AE1", Q2, "0.00"),
        ("AE1", date(2026, 7, 1), "1000.00"),
        ("AE2", Q1, "400.00"),
    )
)


def activity(rep_id, occurred):
    return {"activity_id": f"{rep_id} {occurred}", "account_id": "A1", "rep_id": rep_id, "occurred_at": at(occurred)}


@pytest.fixture(scope="module")
def performance(rows, settings):
    found = rep_performance.transform(
        sales_reps=rows(sales_reps, *REPS),
        quotas=rows(quotas, *QUOTAS),
        opportunities=rows(opportunities, *OPPORTUNITIES),
        states=rows(opportunity_states, *STATES),
        activities=rows(
            activities,
            activity("AE1", "03-31 23"),
            activity("AE1", "04-01"),
            activity("AE1", "06-29"),
        ),
        as_of=date(2026, 6, 29),
        min_observations=2,
        pipeline=settings.pipeline,
        reporting_currency="USD",
    )
    return {(row.rep_id, row.quarter): row for row in audited(found, rep_performance.table)}


def test_a_deal_counts_for_who_owned_it_when_it_was_won(performance):
    ae1, ae2 = performance["AE1", Q1], performance["AE2", Q1]
    assert (ae2.wins, ae2.won_new_arr, ae2.quota_arr, ae2.attainment) == (1, 300, 400, 0.75)
    assert (ae1.wins, ae1.losses, ae1.won_new_arr, ae1.attainment, ae1.win_rate) == (0, 1, 0, 0, 0)
    assert ("CSM1", Q2) not in performance
    assert performance["unknown", Q1].won_arr == 20


def test_a_deal_that_was_opened_again_counts_once_where_it_was_closed_last(performance):
    ae2 = performance["AE2", Q2]
    assert (ae2.wins, ae2.losses, ae2.won_new_arr, ae2.median_cycle_days) == (1, 0, 500, 60)
    assert sum(row.wins + row.losses for row in performance.values()) == 5


def test_only_new_business_counts_towards_the_quota_and_none_is_no_attainment(performance):
    ae1 = performance["AE1", Q2]
    assert (ae1.won_arr, ae1.won_new_arr, ae1.wins, ae1.median_cycle_days) == (50, 0, 1, 0)
    assert (ae1.quota_arr, ae1.attainment, performance["AE2", Q2].quota_arr) == (0, None, None)
    # Wilson's interval of 1 of 1: from 1 ÷ (1 + z²) = 1 ÷ 4.8415.
    assert (ae1.win_rate, ae1.win_rate_low, ae1.is_small) == (1, pytest.approx(0.20655, abs=1e-5), True)


def test_the_pipeline_is_what_was_open_at_the_quarters_end(performance):
    ae1, ae2 = performance["AE1", Q1], performance["AE2", Q1]
    # The last of three states of 31 March; AE2 has the deal that was opened again.
    assert (ae1.open_deals, ae1.pipeline_arr) == (1, 100)
    assert (ae2.open_deals, ae2.pipeline_arr) == (1, 400)
    assert (performance["AE1", Q2].pipeline_arr, performance["AE2", Q2].pipeline_arr) == (250, 0)


def test_activities_count_in_their_quarters(performance):
    assert [performance["AE1", quarter].activities for quarter in (Q1, Q2)] == [1, 2]
    assert [performance["AE1", quarter].is_complete for quarter in (Q1, Q2)] == [True, False]
    assert ("AE1", date(2026, 7, 1)) not in performance


def test_ramp_counts_from_the_hire_to_the_quarters_first_day_and_who_left_is_gone(performance):
    told = {key: (row.tenure_months, row.is_ramped, row.is_employed) for key, row in performance.items()}
    assert told == {
        ("AE1", Q1): (3, False, True),
        ("AE1", Q2): (6, True, False),
        ("AE2", Q1): (0, False, True),
        ("AE2", Q2): (2, False, True),
        ("unknown", Q1): (None, None, None),
    }


@pytest.fixture(scope="module")
def rates(rows):
    """The last four complete quarters on 29 June begin with the second of 2025."""
    found = win_rates.transform(
        opportunities=rows(
            opportunities,
            *OPPORTUNITIES,
            closed("too old", "01-01", closed_date=date(2025, 3, 31), segment="SMB"),
            closed("in time", "01-01", closed_date=date(2025, 4, 1), segment="SMB", arr="0.00", won=False),
        ),
        states=rows(opportunity_states, *STATES),
        as_of=date(2026, 6, 29),
        min_observations=3,
        reporting_currency="USD",
    )
    found = audited(found, win_rates.table)
    return {(row.period_grain, row.period_start, *row[3:6]): row for row in found}


def test_the_win_rate_of_a_quarter_is_of_what_closed_in_it(rates):
    first = rates["quarter", Q1, "all", "all", "all"]
    # Handed over 300 and nobody's 20 were won, 700 was lost.
    assert (first.wins, first.losses, first.won_arr, first.lost_arr, first.is_small) == (2, 1, 320, 700, False)
    assert (first.win_rate, first.win_rate_by_arr) == (pytest.approx(2 / 3), pytest.approx(320 / 1020))
    # Wilson's interval of 2 of 3.
    assert (first.win_rate_low, first.win_rate_high) == pytest.approx((0.20766, 0.93851), abs=1e-5)
    # Nine tenths of the way from 10 to 40 days.
    assert (first.median_cycle_days, first.p90_cycle_days) == (25, pytest.approx(37))


def test_by_arr_the_interval_is_that_of_as_many_deals_of_one_size(rates):
    first = rates["quarter", Q1, "all", "all", "all"]
    # 1020² ÷ (300² + 20² + 700²) = 1,040,400 ÷ 580,400 deals; Wilson's centre and half-width with it.
    n, p, z2 = 1_040_400 / 580_400, 320 / 1020, 1.959964**2
    centre, half = (p + z2 / (2 * n)) / (1 + z2 / n), (z2 * (p * (1 - p) / n + z2 / (4 * n * n))) ** 0.5 / (1 + z2 / n)
    assert (first.win_rate_by_arr_low, first.win_rate_by_arr_high) == pytest.approx((centre - half, centre + half))


def test_the_last_four_complete_quarters_leave_out_the_one_that_is_not_over(rates):
    year = rates["last_4_quarters", date(2025, 4, 1), "all", "all", "all"]
    assert (year.wins, year.losses, year.is_complete) == (2, 2, True)
    assert not rates["quarter", Q2, "all", "all", "all"].is_complete
    assert (
        rates["quarter", date(2025, 1, 1), "all", "segment", "SMB"].wins,
        rates["quarter", Q1, "all", "segment", "unknown"].wins,
    ) == (1, 2)


def test_types_and_the_rep_who_closed_a_deal_have_rates_of_their_own(rates):
    assert rates["quarter", Q1, "all", "rep", "AE2"].win_rate == 1
    assert rates["quarter", Q1, "all", "rep", "AE1"].win_rate == 0
    assert rates["quarter", Q2, "expansion", "rep", "AE1"].median_cycle_days == 0
    assert rates["quarter", Q2, "new_business", "all", "all"].wins == 1
