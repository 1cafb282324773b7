"""gold.top_features: each use once, ranked within its month and over all."""

from __future__ import annotations

from datetime import date, datetime

import pytest

from jobs.bronze.usage_events import table as received
from jobs.gold.top_features import transform
from jobs.silver import repeated_events

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


@pytest.fixture(scope="module")
def features(rows):
    events = rows(
        received,
        use("a", "export"),
        use("a", "export"),
        use("b", "export", user_id="u2"),
        use("c", "builder"),
        use("d", "builder", customer_id="c2"),
        use("e", "export", month=4),
        use("f", "export", month=7),
        use("g", None),
        use("h", "create_workspace", event_type="onboarding_step"),
    )
    found = computed(events).collect()
    return {(row.period, row.feature): row for row in found}


def test_a_feature_is_counted_by_month_and_over_all(features):
    assert {key: (row.events, row.users, row.customers) for key, row in features.items()} == {
        ("2026-03", "builder"): (2, 2, 2),  # the same user_id at two customers
        ("2026-03", "export"): (2, 2, 1),
        ("2026-04", "export"): (1, 1, 1),
        ("all", "builder"): (2, 2, 2),
        ("all", "export"): (3, 2, 1),  # u1 in two months is one user
    }
    assert (features["2026-04", "export"].month, features["2026-04", "export"].period_grain) == (
        date(2026, 4, 1),
        "month",
    )
    assert (features["all", "export"].month, features["all", "export"].period_grain) == (None, "all")


def test_ranks_follow_events_then_names_and_shares_add_up_to_one(features):
    ranks = {key: row.rank for key, row in features.items()}
    assert (ranks["2026-03", "builder"], ranks["2026-03", "export"]) == (1, 2)
    assert (ranks["all", "export"], ranks["all", "builder"]) == (1, 2)
    for period in ("2026-03", "2026-04", "all"):
        assert sum(row.share_of_events for row in features.values() if row.period == period) == pytest.approx(1)
    assert features["all", "export"].share_of_events == pytest.approx(0.6)


def test_no_events_give_no_features(rows):
    assert computed(rows(received)).collect() == []
