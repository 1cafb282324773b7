"""gold.top_features: each use once, ranked within its month and over all."""

from __future__ import annotations

from datetime import date

import pytest

from jobs.gold.top_features import transform
from jobs.silver.feature_use import table as used


def use(feature, *, month=3, user_id="u1", customer_id="c1", events=1):
    return {
        "use_month": date(2026, month, 1),
        "feature": feature,
        "customer_id": customer_id,
        "user_id": user_id,
        "events": events,
    }


@pytest.fixture(scope="module")
def features(rows):
    uses = rows(
        used,
        use("export"),
        use("export", user_id="u2"),
        use("builder"),
        use("builder", customer_id="c2"),
        use("export", month=4),
    )
    return {(row.period, row.feature): row for row in transform(feature_use=uses).collect()}


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


def test_no_use_gives_no_features(rows):
    assert transform(feature_use=rows(used)).collect() == []
