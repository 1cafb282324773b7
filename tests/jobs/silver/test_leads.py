"""The CRM's leads and what belongs to them: how far they came by the as-of day, and who came again."""

from __future__ import annotations

import pytest

from jobs.bronze.accounts import table as received_accounts
from jobs.bronze.activities import table as received_activities
from jobs.bronze.contacts import table as received_contacts
from jobs.bronze.leads import table as received_leads
from jobs.bronze.marketing_events import table as received_touches
from jobs.silver import activities, contacts, leads, marketing_events
from jobs.silver.opportunities import table as opportunities_table
from tests.billing import AS_OF, audited, day
from tests.crm import at, lead

AFTER = at("07-01 00")


def deal(opportunity_id, opened, **others):
    usual = {"opportunity_id": opportunity_id, "created_at": at(opened), "is_won": False}
    return usual | others


@pytest.fixture(scope="module")
def standing(rows, settings):
    found = leads.transform(
        leads=rows(
            received_leads,
            lead("in order", "03-02 09"),
            lead(
                "in order", "03-02 09", "04-10 09", first_touched_at=at("03-02 11"), mql_at=at("03-05"),
                sql_at=at("03-20"), opportunity_id="O1", status="converted",
            ),
            # Became an opportunity without having been accepted by sales.
            lead("skipped", "03-02 09", "04-10 09", mql_at=at("03-05"), opportunity_id="O2", status="converted"),
            lead("bought alone", "03-02 09", "04-01", mql_at=at("03-05"), status="converted"),
            # The same person three times; two of them at the same moment.
            lead("b first", "03-02 09", contact_id="C1", status="disqualified", disqualified_reason="no_budget"),
            lead("a third", "05-02 09", contact_id="C1", account_id="unknown"),
            lead("c second", "05-02 08", contact_id="C1"),
            lead("without contact", "03-02 09", contact_id=None),
            lead("also without", "03-02 09", contact_id=None),
            # Exported once, after the as-of day.
            lead(
                "later", "06-20 09", "07-05", mql_at=at("06-25"), sql_at=at("07-01 00"), opportunity_id="O9",
                status="disqualified", disqualified_reason="competitor",
            ),
            lead("has a deal", "06-02 09", "07-05", mql_at=at("06-05"), opportunity_id="O3", status="converted"),
            lead("came later", "07-01 00", "07-01 00"),
            lead("mql before it came", "03-02 09", mql_at=at("03-01")),
        ),
        opportunities=rows(
            opportunities_table,
            deal("O1", "04-10 09", is_won=True, closed_at=at("05-20 09")),
            deal("O2", "04-10 09", closed_at=at("05-20 09")),
            deal("O3", "06-20 09"),
        ),
        accounts=rows(
            received_accounts,
            {"account_id": "A1", "employee_count": 50, "industry": "Retail", "region": "Europe", "updated_at": at("01-01")},
            {"account_id": "A1", "employee_count": 5000, "industry": "Retail", "updated_at": at("05-01")},
        ),
        as_of=AS_OF,
        segments=settings.segments,
    )  # fmt: skip
    return {row.lead_id: row for row in audited(found, leads.table)}


def test_a_lead_has_the_moments_of_its_opportunity(standing):
    row = standing["in order"]
    assert (row.opportunity_at, row.won_at, row.furthest_stage) == (at("04-10 09"), at("05-20 09"), "won")
    # The lost one has none of a win, and the stage that it skipped is implied by the later one.
    skipped = standing["skipped"]
    assert (skipped.sql_at, skipped.won_at, skipped.furthest_stage) == (None, None, "opportunity")


def test_who_buys_alone_is_converted_without_an_opportunity(standing):
    assert [name for name, row in standing.items() if row.is_self_service] == ["bought alone"]
    assert standing["bought alone"].furthest_stage == "mql"


def test_a_person_who_comes_again_names_the_first_lead(standing):
    told = {
        name: (standing[name].first_lead_id, standing[name].is_reentry) for name in ("b first", "c second", "a third")
    }
    assert told == {"b first": ("b first", False), "c second": ("b first", True), "a third": ("b first", True)}
    # Nobody knows whether leads without a contact are of one person.
    assert [name for name, row in standing.items() if row.is_reentry] == ["c second", "a third"]


def test_what_came_after_the_as_of_day_is_not_known(standing):
    row = standing["later"]
    assert (row.mql_at, row.sql_at, row.opportunity_id) == (at("06-25"), None, None)
    assert (row.status, row.disqualified_reason, row.furthest_stage) == ("mql", None, "mql")
    known = standing["has a deal"]
    assert (known.status, known.opportunity_id, known.furthest_stage) == ("converted", "O3", "opportunity")
    assert standing.keys().isdisjoint({"came later", "mql before it came"})


def test_a_lead_has_the_segment_of_its_account_on_its_day(standing):
    told = [(standing[name].segment, standing[name].region) for name in ("b first", "c second", "a third")]
    assert told == [("SMB", "Europe"), ("Enterprise", None), (None, None)]


def test_touches_activities_and_people_are_kept_once_and_up_to_the_as_of_day(rows):
    touch = {"lead_id": "L1", "channel": "content"}
    touches = marketing_events.transform(
        touches=rows(
            received_touches,
            touch | {"touch_id": "T1", "occurred_at": at("06-30 23")},
            touch | {"touch_id": "T1", "occurred_at": at("06-30 23")},
            touch | {"touch_id": "T2", "occurred_at": AFTER},
            {"touch_id": "T3", "lead_id": "L1", "occurred_at": at("03-02")},
        ),
        as_of=AS_OF,
    )
    activity = {"account_id": "A1", "activity_type": "email"}
    acts = activities.transform(
        activities=rows(
            received_activities,
            activity | {"activity_id": "T1", "occurred_at": at("06-30 23")},
            activity | {"activity_id": "T1", "occurred_at": at("06-30 23")},
            activity | {"activity_id": "T2", "occurred_at": AFTER},
        ),
        as_of=AS_OF,
    )
    person = {"account_id": "A1", "full_name": "Ada"}
    people = contacts.transform(
        contacts=rows(
            received_contacts,
            person | {"contact_id": "T1", "created_at": at("06-30 23")},
            person | {"contact_id": "T1", "created_at": at("06-30 23")},
            person | {"contact_id": "T2", "created_at": AFTER},
        ),
        as_of=AS_OF,
    )
    found = [(row.touch_id, row.occurred_date) for row in audited(touches, marketing_events.table)]
    assert found == [("T1", day("06-30"))]
    assert [row.activity_id for row in audited(acts, activities.table)] == ["T1"]
    assert [row.contact_id for row in audited(people, contacts.table)] == ["T1"]
