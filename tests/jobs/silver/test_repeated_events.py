"""silver.repeated_events: only what came more than once."""

from __future__ import annotations

from jobs.bronze.usage_events import table as received
from jobs.silver.repeated_events import transform


def test_only_ids_that_came_more_than_once_are_listed_with_how_often(rows):
    events = rows(received, *({"event_id": event_id} for event_id in "abbccc"))
    assert sorted(row.times for row in transform(events=events).collect()) == [2, 3]
