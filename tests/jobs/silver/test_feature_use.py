"""silver.feature_use: each use once, of features only and until the as-of day."""

from __future__ import annotations

from datetime import date, datetime

from jobs.bronze.usage_events import table as received
from jobs.silver import repeated_events
from jobs.silver.feature_use import transform

AS_OF = date(2026, 6, 30)


def computed(events):
    return transform(events=events, repeated_events=repeated_events.transform(events=events), as_of=AS_OF)


def use(event_id, feature, *, month=3, user_id="u1", customer_id="c1", event_type="report_generated"):
    day = date(2026, month, 9)
    return {
        "event_id": event_id,
        "customer_id": customer_id,
        "user_id": user_id,
        "occurred_at": datetime(2026, month, 9, 12),
        "event_date": day,
        "event_month": day.replace(day=1),
        "event_type": event_type,
        "feature": feature,
    }


def test_uses_are_counted_by_user_and_month_each_once(rows):
    events = rows(
        received,
        use("a", "export"),
        use("a", "export"),
        use("b", "export"),
        use("c", "export", user_id="u2"),
        use("d", "builder", customer_id="c2"),
        use("e", "export", month=4),
    )
    found = {
        (row.use_month.month, row.feature, row.customer_id, row.user_id): row.events
        for row in computed(events).collect()
    }
    assert found == {
        (3, "export", "c1", "u1"): 2,
        (3, "export", "c1", "u2"): 1,
        (3, "builder", "c2", "u1"): 1,
        (4, "export", "c1", "u1"): 1,
    }


def test_logins_steps_of_setting_up_and_what_comes_later_are_no_use_of_a_feature(rows):
    events = rows(
        received,
        use("a", None),
        use("b", "create_workspace", event_type="onboarding_step"),
        use("c", "sign_in", event_type="login"),
        use("d", "export", month=7),
        use("e", "export", customer_id=None),
    )
    assert computed(events).collect() == []
