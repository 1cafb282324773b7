"""silver.dim_plan: the newest terms that hold, and what each tier includes."""

from __future__ import annotations

from decimal import Decimal

import pytest

from jobs.bronze.plans import table as received
from jobs.silver.dim_plan import table, transform
from tests.billing import AS_OF, audited, day


def plan(plan_id: str, tier_rank: int | None, valid_from: str = "01-01", price: int = 10) -> dict:
    return {"plan_id": plan_id, "tier_rank": tier_rank, "valid_from": day(valid_from), "base_price": Decimal(price)}


@pytest.fixture(scope="module")
def plans(rows):
    received_plans = rows(
        received,
        plan("p1", 1),
        plan("p1", 1, "03-01", 20),
        plan("p1", 1, "07-01", 30),
        plan("p3", 3),
        plan("p4", 4),
        plan("p0", None),
        plan("planned", 1, "07-01"),
    )
    return {row.plan_id: row for row in audited(transform(plans=received_plans, as_of=AS_OF), table)}


def test_the_newest_terms_of_the_as_of_day_hold(plans):
    assert plans["p1"].base_price == 20
    assert "planned" not in plans


def test_a_tier_includes_the_categories_of_those_below(plans):
    assert plans["p1"].feature_categories == "dashboards, data"
    assert plans["p3"].feature_categories == "dashboards, data, reports, collaboration"
    assert (plans["p3"].has_collaboration, plans["p3"].has_advanced) == (True, False)
    assert plans["p4"].has_advanced
    assert plans["p0"].feature_categories == ""
