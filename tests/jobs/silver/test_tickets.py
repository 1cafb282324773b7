"""silver.tickets: one row per ticket, as it stood at the end of the as-of day."""

from __future__ import annotations

from datetime import date, datetime

import pytest

from jobs.bronze.support_interactions import table as received
from jobs.silver.tickets import transform

OPENED = datetime(2026, 6, 30, 20)


def ticket(ticket_id, **columns):
    return {
        "ticket_id": ticket_id,
        "customer_id": "c1",
        "opened_at": OPENED,
        "priority": "urgent",
        "status": "open",
        "updated_at": OPENED,
    } | columns


@pytest.fixture(scope="module")
def tickets(rows, settings):
    resolved = {"first_responded_at": datetime(2026, 6, 30, 20, 30), "resolved_at": datetime(2026, 6, 30, 22)}
    later = {"resolved_at": datetime(2026, 7, 1), "status": "resolved", "csat": 5}
    interactions = rows(
        received,
        ticket("updated"),
        ticket("updated", updated_at=datetime(2026, 6, 30, 22), status="resolved", agent_replies=1, csat=4, **resolved),
        ticket("reopened", status="closed", agent_replies=1, reopen_count=1, csat=3, **resolved),
        ticket("resolved tomorrow", first_responded_at=datetime(2026, 7, 1, 9), agent_replies=1, **later),
        ticket("opened tomorrow", opened_at=datetime(2026, 7, 1)),
        ticket("impossible", resolved_at=datetime(2026, 6, 1)),
        ticket("unhappy", csat=2, escalated=True, sentiment_score=-0.5, message="Great!"),
    )
    found = transform(interactions=interactions, as_of=date(2026, 6, 30), sla=settings.sla).collect()
    return {row.ticket_id: row for row in found}


def test_the_newest_sound_version_of_what_was_opened_by_then_is_there(tickets):
    assert sorted(tickets) == ["reopened", "resolved tomorrow", "unhappy", "updated"]
    updated = tickets["updated"]
    assert (updated.status, updated.is_resolved, updated.resolution_hours) == ("resolved", True, 2.0)
    assert (updated.opened_date, updated.opened_month) == (date(2026, 6, 30), date(2026, 6, 1))


def test_what_happens_after_the_day_is_not_known_yet(tickets):
    ticket = tickets["resolved tomorrow"]
    assert (ticket.status, ticket.is_resolved, ticket.resolved_at) == ("open", False, None)
    assert (ticket.first_responded_at, ticket.csat_tier) == (None, "none")
    # Four hours until midnight: more than the one to answer, less than the eight to resolve.
    assert (ticket.is_first_response_breached, ticket.is_resolution_breached) == (True, False)


def test_satisfaction_is_told_in_three_tiers(tickets):
    tiers = {name: row.csat_tier for name, row in tickets.items()}
    assert (tiers["updated"], tiers["reopened"], tiers["unhappy"]) == ("satisfied", "neutral", "dissatisfied")


def test_one_answer_resolves_at_first_contact_unless_the_ticket_is_opened_again(tickets):
    resolved_at_once = {name for name, row in tickets.items() if row.is_first_contact_resolved}
    assert resolved_at_once == {"updated"}


def test_what_was_given_is_carried_over_and_what_was_not_is_told(tickets):
    unhappy, updated = tickets["unhappy"], tickets["updated"]
    assert (unhappy.sentiment, unhappy.sentiment_source, unhappy.is_escalated) == (-0.5, "given", True)
    assert (updated.sentiment, updated.sentiment_source, updated.is_escalated) == (None, "none", False)


def test_no_tickets_give_no_rows(rows, settings):
    assert transform(interactions=rows(received), as_of=date(2026, 6, 30), sla=settings.sla).collect() == []
