"""silver.user_days: what is counted, once, of whom and until when."""

from __future__ import annotations

from datetime import date, datetime

from jobs.bronze.usage_events import table as received
from jobs.silver import repeated_events
from jobs.silver.user_days import transform

AS_OF = date(2026, 6, 30)


def computed(events):
    return transform(events=events, repeated_events=repeated_events.transform(events=events), as_of=AS_OF)


def event(event_id, event_type="dashboard_viewed", *, at=datetime(2026, 3, 9, 12), **columns):
    return {
        "event_id": event_id,
        "customer_id": "c1",
        "user_id": "u1",
        "session_id": "s1",
        "occurred_at": at,
        "event_date": at.date(),
        "event_month": at.date().replace(day=1),
        "event_type": event_type,
        "outcome": "ok",
        "duration_seconds": 1.5,
    } | columns


def test_a_repeated_event_counts_once_and_sessions_are_told_apart(rows):
    again = event("a", "report_generated", event_category="reports")
    events = rows(
        received,
        again | {"_batch_id": "1"},
        again | {"_batch_id": "2"},
        event("b", "api_call", event_category="advanced", at=datetime(2026, 3, 9, 8), session_id="s2", outcome="error"),
        event("c", "api_call", event_category="advanced", at=datetime(2026, 3, 9, 9), session_id="s2"),
        event("d", "login", at=datetime(2026, 3, 9, 7), session_id="s2", duration_seconds=0.25),
    )
    [day] = computed(events).collect()
    assert (day.activity_date, day.activity_month) == (date(2026, 3, 9), date(2026, 3, 1))
    assert (day.events, day.active_events, day.sessions, day.errors) == (4, 3, 2, 1)
    assert (day.logins, day.reports_generated, day.api_calls, day.dashboards_created) == (1, 1, 2, 0)
    assert day.seconds == 4.75  # 3 x 1.5 + 0.25
    # Bits from 1: dashboards, data, reports, collaboration, advanced; so reports 4 and advanced 16.
    assert (day.category_mask, day.categories_used) == (20, 2)
    assert (day.first_event_at, day.last_event_at) == (datetime(2026, 3, 9, 7), datetime(2026, 3, 9, 12))


def test_points_of_an_action_are_earned_once_a_day(rows):
    events = rows(
        received,
        event("a", "comment_added"),
        event("b", "dashboard_shared"),
        event("c", "data_source_connected"),
        event("d", "data_source_connected"),
    )
    [day] = computed(events).collect()
    assert (day.points_collaboration, day.points_data_source_connected, day.points_api) == (12, 15, 0)


def test_a_user_who_only_logs_in_is_not_active(rows):
    events = rows(received, event("a", "login"), event("b", "login", user_id="u2"), event("c", user_id="u2"))
    days = {row.user_id: row for row in computed(events).collect()}
    assert (days["u1"].is_active, days["u2"].is_active) == (False, True)
    assert (days["u1"].categories_used, days["u1"].category_mask) == (0, 0)


def test_later_and_unusable_events_do_not_count(rows):
    events = rows(
        received,
        event("a", at=datetime(2026, 6, 30, 23, 59)),
        event("b", at=datetime(2026, 7, 1)),
        event("c", at=datetime(2026, 6, 30), customer_id=None),
        # A duration that is no number is left out of the sum.
        event("d", at=datetime(2026, 6, 30), duration_seconds=float("nan")),
    )
    [day] = computed(events).collect()
    assert (day.activity_date, day.events, day.seconds) == (date(2026, 6, 30), 2, 1.5)


def test_equal_user_ids_of_two_customers_are_two_users(rows):
    events = rows(received, event("a"), event("b", customer_id="c2"))
    assert sorted(row.customer_id for row in computed(events).collect()) == ["c1", "c2"]


def test_no_events_give_no_days(rows):
    assert computed(rows(received)).collect() == []
