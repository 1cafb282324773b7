"""silver.repeated_events: only what came more than once in a month."""

from __future__ import annotations

from datetime import date

from jobs.bronze.usage_events import table as received
from jobs.silver.repeated_events import transform

MARCH, APRIL = date(2026, 3, 1), date(2026, 4, 1)


def listed(rows, *events):
    frame = rows(received, *({"event_id": event_id, "event_month": month} for event_id, month in events))
    return sorted((row.event_month, row.times) for row in transform(events=frame).collect())


def test_only_ids_that_came_more_than_once_are_listed_with_how_often(rows):
    assert listed(rows, *((event_id, MARCH) for event_id in "abbccc")) == [(MARCH, 2), (MARCH, 3)]


def test_an_id_of_another_month_is_another_event_and_one_without_a_month_is_none(rows):
    found = listed(rows, ("a", MARCH), ("a", APRIL), ("b", APRIL), ("b", APRIL), ("c", None), ("c", None))
    assert found == [(APRIL, 2)]
