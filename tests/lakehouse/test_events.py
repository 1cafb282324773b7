"""Each event once: the same rows as the ranking of every event, duplicates or none."""

from __future__ import annotations

from datetime import date, datetime

from jobs.bronze.usage_events import table
from jobs.silver import repeated_events
from lakehouse.cleaning import kept
from lakehouse.events import once


def event(event_id, **columns):
    return {
        "event_id": event_id,
        "customer_id": "c1",
        "user_id": "u1",
        "occurred_at": datetime(2026, 3, 9, 12),
        "event_date": date(2026, 3, 9),
        "event_month": date(2026, 3, 1),
        "event_type": "login",
    } | columns


def test_repeated_events_are_kept_as_the_ranking_of_all_events_would_keep_them(rows):
    events = rows(
        table,
        event("a"),
        event("b", _batch_id="1"),
        event("b", _batch_id="2"),
        event("c", outcome="error"),
        event("c", outcome="ok"),
        # The greater content cannot be used, so the other row of d is the one to keep.
        event("d", outcome="error"),
        event("d", outcome="ok", user_id=None),
        event("e", event_type=None),
        event(None),
    )
    content = [name for name in table.column_names if not name.startswith("_")]
    found = sorted(
        once(events, repeated_events.transform(events=events), table).select(*content).collect(),
        key=lambda row: row.event_id,
    )
    assert found == sorted(kept(events, table).select(*content).collect(), key=lambda row: row.event_id)
    assert [(row.event_id, row.outcome) for row in found] == [("a", None), ("b", None), ("c", "ok"), ("d", "error")]
