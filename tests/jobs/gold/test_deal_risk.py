"""gold.deal_risk: what is wrong with open deals, with the evidence, and what is unknown."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from jobs.gold.deal_risk import table, transform
from jobs.silver.activities import table as activities_made
from jobs.silver.opportunities import table as opportunities
from jobs.silver.opportunity_stages import table as opportunity_stages
from tests.billing import AS_OF, audited, day
from tests.crm import at


def deal(opportunity_id, created="06-20", closes="07-31", *, arr="1000.00", is_open=True):
    return {
        "opportunity_id": opportunity_id,
        "account_id": "A1",
        "stage": "proposal" if is_open else "closed_won",
        "is_open": is_open,
        "arr_reporting": Decimal(arr),
        "deal_size": "under 5000",
        "created_date": day(created),
        "expected_close_date": closes and day(closes),
    }


def visit(opportunity_id, stage, entered, days=None, *, pushes=0, number=1, arr="1000.00"):
    return {
        "opportunity_id": opportunity_id,
        "visit_number": number,
        "stage": stage,
        "entered_at": at(entered),
        "left_at": at(entered) if days is not None else None,
        "days_in_stage": days,
        "close_date_pushes": pushes,
        "arr_reporting": Decimal(arr),
    }


def activity(opportunity_id, occurred, contact="P1"):
    return {
        "activity_id": f"{opportunity_id} {occurred} {contact}",
        "opportunity_id": opportunity_id,
        "account_id": "A1",
        "contact_id": contact,
        "occurred_at": at(occurred),
    }


DEALS = (
    deal("sound"),
    deal("stalled"),
    deal("pushed", "04-01", arr="2000.00"),
    deal("quiet", "06-09"),
    deal("overdue", closes="06-29"),
    deal("undated", closes=None),
    deal("won", is_open=False),
    deal("without a history", "06-30", "06-30"),
)
# Small deals were 10, 20, 30 and 40 days in the proposal stage: nine tenths of the way, 30 + 0.7 × 10 = 37 days.
VISITS = (
    *(visit("won", "proposal", "01-05", float(days), number=days) for days in (10, 20, 30, 40)),
    visit("won", "closed_won", "06-01", number=50, pushes=1),
    # To the end of 30 June: from 24 May 38 days, from 25 May 37.
    visit("stalled", "proposal", "05-24"),
    visit("sound", "proposal", "05-25"),
    visit("pushed", "proposal", "06-20", number=2, pushes=1),
    visit("pushed", "discovery", "06-01", 19.0, pushes=1),
    visit("quiet", "proposal", "06-20", pushes=1),
    # Of large deals there is none to compare with: those of all sizes serve. Nobody has left negotiation yet.
    visit("overdue", "proposal", "05-20", arr="9000.00"),
    visit("undated", "negotiation", "01-05"),
)
ACTIVITIES = (
    *(activity("sound", "06-10 23", contact) for contact in ("P1", "P2")),
    activity("stalled", "06-29"),
    activity("stalled", "05-31", "P2"),
    activity("stalled", "06-01", "P2"),
    activity("pushed", "06-09", "P1"),
    activity("overdue", "06-30 23", "P1"),
    activity("undated", "06-30", "P1"),
    activity("undated", "06-30", "P2"),
)


@pytest.fixture(scope="module")
def risks(rows, settings):
    def judged(*activities):
        found = transform(
            opportunities=rows(opportunities, *DEALS),
            visits=rows(opportunity_stages, *VISITS),
            activities=rows(activities_made, *activities),
            as_of=AS_OF,
            min_observations=4,
            pipeline=settings.pipeline,
            reporting_currency="USD",
        )
        return {row.opportunity_id: row for row in audited(found, table)}

    return judged(*ACTIVITIES), judged()


def raised(row):
    return [name.removeprefix("flag_") for name in row.asDict() if name.startswith("flag_") and row[name]]


def test_only_open_deals_are_judged_and_a_sound_one_has_no_reason(risks):
    found = risks[0]
    assert found.keys() == {row["opportunity_id"] for row in DEALS} - {"won"}
    sound = found["sound"]
    # 20 days without activity are one less than what is too long, and 37 days in the stage are usual.
    assert (sound.reasons, sound.evidence, sound.arr_at_risk) == (0, "", 0)
    assert (sound.days_since_last_activity, sound.days_in_stage, sound.stalled_after_days) == (20, 37, 37)


def test_longer_in_its_stage_than_nine_tenths_of_its_size_is_stalled(risks):
    stalled = risks[0]["stalled"]
    assert raised(stalled) == ["stalled"]
    assert stalled.evidence == "38 days in proposal, usual are up to 37"
    assert stalled.arr_at_risk == 1000
    # Its size has no completed visit, and its stage none at all.
    assert (risks[0]["overdue"].stalled_after_days, raised(risks[0]["overdue"])[0]) == (37, "stalled")
    assert (risks[0]["undated"].stalled_after_days, risks[0]["undated"].flag_stalled) == (None, None)


def test_pushes_of_all_stages_count_and_what_comes_after_the_as_of_day_does_not(risks):
    pushed = risks[0]["pushed"]
    assert raised(pushed) == ["inactive", "pushed", "single_contact"]
    assert pushed.evidence == "no activity for 21 days; close date moved out 2 times; one contact only"
    assert (pushed.reasons, pushed.arr_at_risk, pushed.age_days) == (3, 2000, 90)
    assert (pushed.activities, pushed.contacts, pushed.close_date_pushes) == (1, 1, 2)
    assert not risks[0]["quiet"].flag_pushed


def test_without_any_activity_a_deal_is_quiet_since_it_was_opened(risks):
    quiet = risks[0]["quiet"]
    assert (raised(quiet), quiet.evidence) == (["inactive"], "no activity for 21 days")
    assert (quiet.activities, quiet.days_since_last_activity) == (0, None)
    # 1 June is the 30th day back.
    assert (risks[0]["stalled"].activities, risks[0]["stalled"].activities_30d) == (3, 2)


def test_a_close_date_that_has_gone_by_is_overdue_and_none_is_unknown(risks):
    overdue, undated = risks[0]["overdue"], risks[0]["undated"]
    assert overdue.evidence == "42 days in proposal, usual are up to 37; one contact only; days past its close date: 1"
    assert (overdue.days_overdue, overdue.reasons, overdue.as_of_date) == (1, 3, date(2026, 6, 30))
    assert (undated.flag_overdue, undated.reasons) == (None, 0)
    new = risks[0]["without a history"]
    assert (new.flag_overdue, new.days_in_stage, new.flag_stalled, new.reasons) == (False, None, None, 0)


def test_without_a_source_of_activities_nobody_is_inactive(risks):
    pushed = risks[1]["pushed"]
    assert (pushed.activities, pushed.flag_inactive, pushed.flag_single_contact) == (None, None, None)
    assert raised(pushed) == ["pushed"]
