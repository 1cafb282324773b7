"""silver.usage_daily: users add up to customers, categories do not."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from jobs.silver.usage_daily import transform
from jobs.silver.user_days import table as user_days
from lakehouse.events import COUNTED_TYPES

DAY = date(2026, 3, 9)


def user_day(user_id, **columns):
    return {
        "customer_id": "c1",
        "user_id": user_id,
        "activity_date": DAY,
        "activity_month": DAY.replace(day=1),
        "events": 1,
        "active_events": 1,
        "is_active": True,
        "sessions": 1,
        "seconds": Decimal("0.5"),
        "errors": 0,
        "category_mask": 0,
        **dict.fromkeys(COUNTED_TYPES, 0),
    } | columns


def test_a_day_of_a_customer_is_the_sum_of_its_users(rows):
    days = rows(
        user_days,
        user_day("u1", events=3, active_events=2, sessions=2, category_mask=0b00101, logins=1, api_calls=2, errors=1),
        user_day("u2", events=5, active_events=5, category_mask=0b10100, api_calls=5),
        user_day("u3", events=1, active_events=0, is_active=False, logins=1),
        user_day("u1", customer_id="c2"),
    )
    found = {row.customer_id: row for row in transform(user_days=days).collect()}
    day = found["c1"]
    assert (day.usage_date, day.usage_month) == (DAY, date(2026, 3, 1))
    assert (day.events, day.active_events, day.sessions, day.seconds, day.errors) == (9, 7, 4, 1.5, 1)
    assert (day.users, day.active_users, day.logged_in_users) == (3, 2, 2)
    assert (day.logins, day.api_calls, day.reports_generated) == (2, 7, 0)
    # 00101 or 10100 is 10101: reports, used by both, counts once.
    assert (day.category_mask, day.categories_used) == (0b10101, 3)
    assert found["c2"].events == 1


def test_no_use_gives_no_days(rows):
    assert transform(user_days=rows(user_days)).collect() == []
