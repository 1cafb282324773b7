"""gold.sales_activity: how densely and how steadily deals are worked on, and what does not count."""

from __future__ import annotations

import pytest

from jobs.gold.sales_activity import table, transform
from jobs.silver.activities import table as activities_made
from jobs.silver.opportunities import table as opportunities
from tests.billing import AS_OF, audited
from tests.crm import at


def deal(opportunity_id, opened, closed=None, *, is_won=False, **others):
    usual = {
        "opportunity_id": opportunity_id,
        "opportunity_type": "new_business",
        "segment": "SMB",
        "created_at": at(opened),
        "closed_at": closed and at(closed),
        "is_open": closed is None,
        "is_won": is_won,
        "is_lost": closed is not None and not is_won,
    }
    return usual | others


def activity(opportunity_id, occurred, contact="P1", kind="email", number=1):
    return {
        "activity_id": f"{opportunity_id} {occurred} {contact} {number}",
        "opportunity_id": opportunity_id,
        "account_id": "A1",
        "contact_id": contact,
        "activity_type": kind,
        "occurred_at": at(occurred),
    }


DEALS = (
    # Three weeks and one week.
    deal("won", "03-02", "03-23", is_won=True),
    deal("also won", "04-01", "04-08", is_won=True, segment="Enterprise"),
    # Two weeks, in which nobody did anything.
    deal("neglected", "05-01", "05-15"),
    # Open to the end of 30 June: two weeks.
    deal("open", "06-17", opportunity_type=None, segment=None),
    deal("closed some day", "03-01", is_open=False, is_lost=True),
)
ACTIVITIES = (
    activity("won", "03-04", "P1", "call"),
    activity("won", "03-06", "P2", "meeting"),
    activity("won", "03-11", "P1", "demo"),
    # At one moment, one of them with nobody known.
    activity("won", "03-12", "P1"),
    activity("won", "03-12", None, None),
    # At the moment of the close, a day after it, and a day before the opening.
    activity("won", "03-23", "P2"),
    activity("won", "03-24", "P3"),
    activity("won", "03-01", "P3"),
    activity("also won", "04-02"),
    activity("open", "06-17", "P1"),
    activity("open", "06-30 23", "P1"),
    activity("closed some day", "03-02"),
    activity("nowhere", "03-02"),
    activity(None, "03-02"),
)


@pytest.fixture(scope="module")
def worked(rows):
    def found(*activities, min_observations=1):
        frame = transform(
            rows(opportunities, *DEALS), rows(activities_made, *activities), AS_OF, min_observations=min_observations
        )
        return {(row.opportunity_type, row.outcome, row.segment): row for row in audited(frame, table)}

    return found


@pytest.fixture(scope="module")
def groups(worked):
    return worked(*ACTIVITIES)


def test_only_what_happened_while_a_deal_was_open_counts(groups):
    won = groups["new_business", "won", "SMB"]
    assert (won.deals, won.deals_with_activity, won.activities, won.activities_outside) == (1, 1, 6, 2)
    # One of the six has no type.
    assert (won.emails, won.calls, won.meetings, won.demos) == (2, 1, 1, 1)
    assert (won.open_weeks, won.activities_per_deal, won.activities_per_deal_week) == (3.0, 6.0, 2.0)


def test_a_density_is_a_ratio_of_sums(groups):
    won = groups["all", "won", "all"]
    # 6 in three weeks and 1 in one week are 7 in 4, not the mean of 2 and 1.
    assert (won.deals, won.activities, won.open_weeks) == (2, 7, 4.0)
    assert (won.activities_per_deal, won.activities_per_deal_week) == (3.5, 1.75)


def test_a_contact_counts_once_in_each_deal(groups):
    # P1 three times and P2 twice; P3 only outside, and one activity with nobody known.
    won = groups["new_business", "won", "SMB"]
    assert (won.contacts, won.contacts_per_deal) == (2, 2.0)
    assert (won.contact_activities, won.activities_per_contact) == (5, 2.5)
    # P1 again in the other deal: 3 contacts of 2 deals.
    every = groups["all", "won", "all"]
    assert (every.contacts, every.contacts_per_deal, every.activities_per_contact) == (3, 1.5, 2.0)


def test_gaps_are_those_between_consecutive_activities_of_a_deal(groups):
    # 4, 6, 11, 12, 12 and 23 March: gaps of 2, 5, 1, 0 and 11 days. Nine tenths of the way lie at 0.9 × 4 = 3.6 among
    # them: 5 + 0.6 × 6 = 8.6.
    won = groups["all", "won", "all"]
    assert (won.activity_gaps, won.median_days_between_activities) == (5, 2.0)
    assert won.p90_days_between_activities == pytest.approx(8.6)
    # P1 on 4, 11 and 12 March: 7 and 1 days; P2 on 6 and 23 March: 17.
    assert (won.contact_gaps, won.median_days_between_contact_activities) == (3, 7.0)
    # 2 days and 1 day after the opening.
    assert (won.first_activities, won.median_days_to_first_activity) == (2, 1.5)


def test_a_deal_without_any_activity_has_its_weeks_in_the_density(groups):
    lost = groups["all", "lost", "all"]
    assert (lost.deals, lost.deals_with_activity, lost.activities, lost.open_weeks) == (1, 0, 0, 2.0)
    assert (lost.activities_per_deal_week, lost.activities_per_contact) == (0.0, None)
    assert (lost.median_days_to_first_activity, lost.days_to_first_activity_status) == (None, "too_few")
    closed = groups["new_business", "all", "all"]
    assert (closed.activities, closed.open_weeks, closed.deals_with_activity) == (7, 6.0, 2)


def test_an_open_deal_counts_to_the_end_of_the_as_of_day(groups):
    still = groups["unknown", "open", "unknown"]
    assert (still.deals, still.open_weeks, still.activities, still.activities_outside) == (1, 2.0, 2, 0)
    assert (still.activities_per_deal_week, still.median_days_to_first_activity) == (1.0, 0.0)
    # From midnight of the 17th to 23:00 of the 30th.
    assert still.median_days_between_activities == pytest.approx(13 + 23 / 24)


def test_totals_leave_out_what_closed_at_an_unknown_moment(groups):
    every = groups["all", "all", "all"]
    assert (every.deals, every.activities, every.activities_outside, every.open_weeks) == (4, 9, 2, 8.0)


def test_quantiles_of_too_few_gaps_are_not_given(worked):
    won = worked(*ACTIVITIES, min_observations=4)["all", "won", "all"]
    assert (won.days_between_activities_status, won.median_days_between_activities) == ("ok", 2.0)
    assert (won.days_between_contact_activities_status, won.contact_gaps) == ("too_few", 3)
    assert (won.median_days_between_contact_activities, won.median_days_to_first_activity) == (None, None)


def test_without_a_source_of_activities_nobody_was_idle(worked):
    won = worked()["all", "won", "all"]
    assert (won.deals, won.open_weeks, won.activity_status) == (2, 4.0, "no_data")
    assert (won.activities, won.demos, won.contacts, won.activities_per_deal) == (None, None, None, None)
    assert (won.activity_gaps, won.days_between_activities_status) == (None, "no_data")
