"""gold.monthly_usage: users and customers are counted once a month, however many their days."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from jobs.gold.monthly_usage import transform
from jobs.silver.user_days import table as user_days

MARCH, APRIL = date(2026, 3, 1), date(2026, 4, 1)


def user_day(customer_id, user_id, day, *, is_active=True, events=1, errors=0):
    return {
        "customer_id": customer_id,
        "user_id": user_id,
        "activity_date": day,
        "activity_month": day.replace(day=1),
        "is_active": is_active,
        "events": events,
        "errors": errors,
        "sessions": 1,
        "seconds": Decimal("60.0"),
    }


def test_users_of_several_days_count_once_and_those_who_only_log_in_do_not(rows):
    days = rows(
        user_days,
        user_day("c1", "u1", date(2026, 3, 1), events=10, errors=1),
        user_day("c1", "u1", date(2026, 3, 2), events=4),
        user_day("c1", "u2", date(2026, 3, 2), events=4),
        user_day("c2", "u1", date(2026, 3, 31), events=1),
        user_day("c3", "u4", date(2026, 3, 2), is_active=False),
        user_day("c3", "u4", date(2026, 4, 2), is_active=False),
    )
    months = {row.month: row for row in transform(user_days=days).collect()}
    march = months[MARCH]
    assert (march.events, march.sessions, march.seconds, march.errors) == (20, 5, 300.0, 1)
    assert (march.active_customers, march.active_users, march.active_user_days) == (2, 3, 4)
    assert march.seats_used_average == 1.5  # c1 has two active users, c2 one
    assert (march.events_per_customer, march.error_rate) == (10.0, 0.05)
    april = months[APRIL]
    assert (april.active_customers, april.seats_used_average, april.events_per_customer) == (0, None, None)


def test_no_use_gives_no_months(rows):
    assert transform(user_days=rows(user_days)).collect() == []
