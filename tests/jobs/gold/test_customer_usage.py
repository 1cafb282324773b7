"""gold.customer_usage: totals of a life and the trend of its last sixty days."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest

from jobs.gold.customer_usage import transform
from jobs.silver.usage_daily import table as usage_daily
from jobs.silver.user_days import table as user_days

AS_OF = date(2026, 6, 30)


def day(customer_id, days_ago, events, *, active_events=None, category_mask=1):
    return {
        "customer_id": customer_id,
        "usage_date": AS_OF - timedelta(days=days_ago),
        "events": events,
        "active_events": events if active_events is None else active_events,
        "sessions": 1,
        "seconds": Decimal("2.0"),
        "errors": 0,
        "category_mask": category_mask,
    }


@pytest.fixture(scope="module")
def customers(rows):
    days = rows(
        usage_daily,
        # Days 0 to 29 ago are the last thirty, 30 to 59 the thirty before.
        day("steady", 0, 4),
        day("steady", 29, 2),
        day("steady", 30, 5, category_mask=0b110),
        day("steady", 59, 3),
        day("steady", 60, 100),
        day("new", 3, 7),
        day("idle", 3, 2, active_events=0, category_mask=0),
    )
    users = rows(
        user_days,
        {"customer_id": "steady", "user_id": "u1", "is_active": True, "activity_date": AS_OF},
        {"customer_id": "steady", "user_id": "u1", "is_active": True, "activity_date": AS_OF - timedelta(days=29)},
        {"customer_id": "steady", "user_id": "u2", "is_active": True, "activity_date": AS_OF},
        {"customer_id": "idle", "user_id": "u3", "is_active": False, "activity_date": AS_OF - timedelta(days=3)},
    )
    found = transform(usage_daily=days, user_days=users, as_of=AS_OF).collect()
    return {row.customer_id: row for row in found}


def test_totals_are_those_of_the_whole_life(customers):
    steady = customers["steady"]
    assert (steady.first_used_date, steady.last_used_date) == (AS_OF - timedelta(days=60), AS_OF)
    assert (steady.events, steady.active_days, steady.events_per_active_day) == (114, 5, 22.8)
    assert (steady.active_users, steady.categories_used) == (2, 3)


def test_the_trend_compares_thirty_days_with_the_thirty_before(customers):
    steady = customers["steady"]
    assert (steady.events_30d, steady.events_prior_30d, steady.trend) == (6, 8, 0.75)
    assert (customers["new"].events_30d, customers["new"].trend) == (7, None)


def test_who_only_logs_in_uses_the_product_without_being_active(customers):
    idle = customers["idle"]
    assert (idle.used_days, idle.active_days, idle.events_per_active_day) == (1, 0, None)
    assert (idle.active_users, idle.categories_used) == (0, 0)


def test_no_use_gives_no_customers(rows):
    assert transform(usage_daily=rows(usage_daily), user_days=rows(user_days), as_of=AS_OF).collect() == []
