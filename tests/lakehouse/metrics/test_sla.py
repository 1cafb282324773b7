"""Service levels: what is late, what is not yet late, and what has no target."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from pyspark.sql import functions as F

from jobs.bronze.support_interactions import table
from lakehouse.metrics.sla import with_service_levels

UNTIL = datetime(2026, 7, 1)
LONG_AGO = datetime(2026, 6, 1)


def ticket(ticket_id, opened_at, answered_hours=None, resolved_hours=None, priority="urgent"):
    def after(hours):
        return None if hours is None else opened_at + timedelta(hours=hours)

    return {
        "ticket_id": ticket_id,
        "opened_at": opened_at,
        "first_responded_at": after(answered_hours),
        "resolved_at": after(resolved_hours),
        "priority": priority,
    }


@pytest.fixture(scope="module")
def judged(rows, settings):
    # Urgent tickets are to be answered in 1 hour and resolved in 8.
    tickets = rows(
        table,
        ticket("fast", LONG_AGO, 0.5, 4),
        ticket("on time", LONG_AGO, 1, 8),
        ticket("late", LONG_AGO, 0.5, 10),
        ticket("answered late", LONG_AGO, 2, 4),
        ticket("resolved unanswered", LONG_AGO, None, 0.5),
        ticket("open for too long", LONG_AGO, 0.5),
        ticket("open since a moment ago", UNTIL - timedelta(minutes=30)),
        ticket("unanswered for too long", UNTIL - timedelta(hours=2)),
        ticket("answered before it was opened", LONG_AGO, -1, 4),
        ticket("without priority", LONG_AGO, 50, 500, priority=None),
        ticket("of unknown priority", LONG_AGO, priority="whenever"),
    )
    found = with_service_levels(tickets, settings.sla.targets, F.lit(UNTIL)).collect()
    return {row.ticket_id: row for row in found}


@pytest.mark.parametrize(
    ("ticket_id", "breaches", "is_breached", "speed"),
    [
        ("fast", (False, False), False, "fast"),
        ("on time", (False, False), False, "on_time"),
        ("late", (False, True), True, "late"),
        ("answered late", (True, False), True, "fast"),
        ("resolved unanswered", (False, False), False, "fast"),
        ("open for too long", (False, True), True, "open"),
        ("open since a moment ago", (False, False), False, "open"),
        ("unanswered for too long", (True, False), True, "open"),
        ("answered before it was opened", (False, False), False, "fast"),
        ("without priority", (None, None), None, None),
        ("of unknown priority", (None, None), None, "open"),
    ],
)
def test_a_target_is_missed_when_its_hours_have_passed(judged, ticket_id, breaches, is_breached, speed):
    row = judged[ticket_id]
    assert (row.is_first_response_breached, row.is_resolution_breached) == breaches
    assert (row.is_breached, row.resolution_speed) == (is_breached, speed)


def test_hours_are_counted_from_the_opening_and_never_negative(judged):
    late = judged["late"]
    assert (late.first_response_hours, late.resolution_hours) == (0.5, 10.0)
    assert (late.first_response_target_hours, late.resolution_target_hours, late.sla_ratio) == (1.0, 8.0, 1.25)
    assert judged["answered before it was opened"].first_response_hours == 0.0
    unresolved = judged["open for too long"]
    assert (unresolved.resolution_hours, unresolved.sla_ratio, unresolved.is_resolved) == (None, None, False)
