"""The CRM's opportunities: what they were at every moment, their visits to stages, and how they stand."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

import pytest

from jobs.bronze.accounts import table as received_accounts
from jobs.bronze.exchange_rates import table as received_rates
from jobs.bronze.opportunities import table as received_opportunities
from jobs.bronze.opportunity_stage_history import table as received_history
from jobs.silver import opportunities, opportunity_stages, opportunity_states
from tests.billing import AS_OF, EXCHANGE_RATES, audited, day
from tests.crm import at, change, opportunity

HISTORY = (
    # In order, with a push of the close date on the way and a step back.
    change("in order", "03-02 09", "prospecting", expected_close_date=day("04-30")),
    change("in order", "03-05 09", "discovery", from_stage="prospecting", expected_close_date=day("04-30")),
    change("in order", "03-20 09", "discovery", from_stage="discovery", expected_close_date=day("05-31")),
    change("in order", "03-25 21", "prospecting", from_stage="discovery", expected_close_date=day("05-31")),
    change("in order", "04-01 09", "discovery", from_stage="prospecting", expected_close_date=day("05-31")),
    # Lost, opened again past a stage, and won after the amount changed with the date.
    change("reopened", "03-02 09", "proposal", "1000"),
    change("reopened", "03-04 09", "closed_lost", "1000", from_stage="proposal"),
    change("reopened", "05-04 09", "discovery", "1500", from_stage="closed_lost", expected_close_date=day("07-31")),
    change("reopened", "05-05 09", "negotiation", "1200", from_stage="discovery", expected_close_date=day("06-20")),
    change("reopened", "06-20 09", "closed_won", "1200", from_stage="negotiation", expected_close_date=day("06-20")),
    # Won on the day on which it was opened.
    change("at once", "03-02 09", "discovery"),
    change("at once", "03-02 17", "closed_won", from_stage="discovery"),
    # In euros, before and after their rate changes on the last day of April; and one older than all rates.
    change("euros", "03-02 09", "discovery", "1000", currency="EUR"),
    change("euros", "05-02 09", "proposal", "1000", currency="EUR", from_stage="discovery"),
    change("old euros", "03-02 09", "discovery", "1000", currency="EUR", changed_at=datetime(2025, 1, 5)),
    # After the as-of day, and without a stage.
    change("in order", "07-01 00", "closed_lost", from_stage="discovery"),
    change("unsound", "03-02 09", None),
)


@pytest.fixture(scope="module")
def states(rows):
    return opportunity_states.transform(
        history=rows(received_history, *HISTORY),
        exchange_rates=rows(received_rates, *EXCHANGE_RATES),
        as_of=AS_OF,
        reporting_currency="USD",
    ).cache()


@pytest.fixture(scope="module")
def held(states):
    return {(row.opportunity_id, row.change_number): row for row in audited(states, opportunity_states.table)}


@pytest.fixture(scope="module")
def visits(states):
    found = audited(opportunity_stages.transform(states=states), opportunity_stages.table)
    return {(row.opportunity_id, row.visit_number): row for row in found}


def test_a_state_holds_until_the_next_change(held):
    first, last = held["in order", 1], held["in order", 5]
    assert (first.valid_from_at, first.valid_to_at) == (at("03-02 09"), at("03-05 09"))
    assert (last.stage, last.valid_to_at) == ("discovery", None)
    assert ("in order", 6) not in held
    assert ("unsound", 1) not in held


def test_a_later_close_date_is_a_push_and_an_opening_is_none(held):
    assert [number for number in range(1, 6) if held["in order", number].is_push] == [3]
    assert not any(held["reopened", number].is_push for number in range(1, 6))


def test_all_amounts_of_an_opportunity_are_at_the_rate_of_its_first_day(held):
    # 1.20 dollars from the end of February on; the later 1.00 changes nothing. The first known rate is 1.10.
    assert [held["euros", number].arr_reporting for number in (1, 2)] == [Decimal("1200.00")] * 2
    assert held["old euros", 1].arr_reporting == Decimal("1100.00")


def test_a_visit_lasts_from_one_change_of_stage_to_the_next(visits):
    # Discovery from 5 March 9:00 to 25 March 21:00: 20.5 days, with one push.
    visit = visits["in order", 2]
    assert (visit.stage, visit.days_in_stage, visit.close_date_pushes) == ("discovery", 20.5, 1)
    assert [visits["in order", number].direction for number in (1, 2, 3, 4)] == [
        "forward",
        "forward",
        "backward",
        "forward",
    ]
    last = visits["in order", 4]
    assert (last.is_reentry, last.stage_visit_number, last.left_at, last.days_in_stage) == (True, 2, None, None)


def test_a_lost_deal_that_is_opened_again_goes_backward_and_may_skip_a_stage(visits):
    told = [
        (visits["reopened", n].stage, visits["reopened", n].direction, visits["reopened", n].is_reopening)
        for n in range(1, 6)
    ]
    assert told == [
        ("proposal", "forward", False),
        ("closed_lost", "forward", False),
        ("discovery", "backward", True),
        ("negotiation", "forward", False),
        ("closed_won", "forward", False),
    ]
    assert [visits["reopened", n].is_skip for n in range(1, 6)] == [False, False, False, True, False]


@pytest.fixture(scope="module")
def standing(rows, states, settings):
    found = opportunities.transform(
        opportunities=rows(
            received_opportunities,
            opportunity("in order", "prospecting", "03-02 09"),
            opportunity("in order", "closed_lost", "07-01 00", closed_at=at("07-01 00"), loss_reason="price"),
            opportunity("reopened", "closed_won", "06-20 09", arr=Decimal(1200), closed_at=at("06-20 09")),
            opportunity("at once", "closed_won", "03-02 17", closed_at=at("03-02 17"), account_id="A2"),
            opportunity("euros", "proposal", "05-02 09", arr=Decimal(1000), currency="EUR"),
            # Exported once, after the as-of day, and without any history.
            opportunity("later", "closed_won", "07-05 00", closed_at=at("07-04 00"), account_id="nobody's"),
            opportunity("reopened only later", "negotiation", "07-02 00"),
            opportunity("opened later", "discovery", "07-02 00", created_at=at("07-01 00")),
        ),
        states=states,
        accounts=rows(
            received_accounts,
            {"account_id": "A1", "employee_count": 50, "region": "Europe", "updated_at": at("01-01")},
            {"account_id": "A1", "employee_count": 5000, "region": "Europe", "updated_at": at("05-01")},
            {"account_id": "A2", "employee_count": 500, "region": "Asia", "updated_at": at("05-01")},
        ),
        exchange_rates=rows(received_rates, *EXCHANGE_RATES),
        as_of=date(2026, 6, 30),
        reporting_currency="USD",
        segments=settings.segments,
        pipeline=settings.pipeline,
    )
    return {row.opportunity_id: row for row in audited(found, opportunities.table)}


def test_an_opportunity_stands_as_its_newest_version_says(standing):
    row = standing["reopened"]
    assert (row.stage, row.is_won, row.arr_reporting) == ("closed_won", True, Decimal("1200.00"))
    # From 2 March 9:00 to 20 June 9:00: 29 + 30 + 31 + 20 = 110 days.
    assert row.cycle_days == 110.0
    assert standing["at once"].cycle_days == pytest.approx(8 / 24)


def test_what_is_closed_after_the_as_of_day_is_open_as_the_history_says(standing):
    row = standing["in order"]
    # The older version is from before the as-of day, but it is the newest: the history has no say in it.
    assert (row.stage, row.is_open, row.closed_at, row.loss_reason) == ("prospecting", True, None, None)
    later = standing["later"]
    assert (later.stage, later.is_open, later.closed_at, later.cycle_days) == ("prospecting", True, None, None)
    assert standing["reopened only later"].stage == "negotiation"
    assert "opened later" not in standing


def test_the_segment_is_that_of_the_day_of_opening(standing):
    # A1 grows in May; A2 is known from May on only, which serves the days before.
    told = [standing[name].segment for name in ("reopened", "at once", "later")]
    assert told == ["SMB", "Mid-Market", None]


def test_the_size_of_a_deal_is_a_band_of_its_amount_in_the_reporting_currency(standing):
    assert (standing["euros"].arr_reporting, standing["euros"].deal_size) == (Decimal("1200.00"), "under 5000")
