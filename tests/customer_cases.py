"""Customers that Hypothesis draws: their received items, the same in every run, and the rates of their currencies."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal

from hypothesis import example, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from tests.billing import day

RATES = [
    {"currency": currency, "rate_date": date(2025, 12, 1) + timedelta(days=step * 17), "rate": Decimal(rate)}
    for currency, path in {
        "EUR": ("1.103217", "1.09", "1.15", "1.212121", "1.2", "1.17", "1.05", "1.111111", "1.1", "1.13", "1.12"),
        "JPY": (
            "0.0067",
            "0.0068",
            "0.007",
            "0.0065",
            "0.0064",
            "0.0069",
            "0.00713",
            "0.0068",
            "0.0067",
            "0.0071",
            "0.0066",
        ),
    }.items()
    for step, rate in enumerate(path)
]


@st.composite
def item(draw: st.DrawFn) -> dict:
    start = day("01-01") + timedelta(days=draw(st.integers(0, 200)))
    held_days = draw(st.one_of(st.none(), st.integers(0, 100)))
    return {
        "item_type": draw(st.sampled_from(("plan", "plan", "add_on", "one_time"))),
        "billing_interval": draw(st.sampled_from(("month", "month", "year", "week", "day"))),
        "interval_count": draw(st.integers(1, 3)),
        "quantity": draw(st.integers(0, 20)),
        "amount": draw(st.sampled_from(("0", "0.01", "9.99", "100", "1234.56", "8333.333333"))),
        "currency": draw(st.sampled_from(("USD", "USD", "EUR", "JPY"))),
        "status": draw(st.sampled_from(("active", "active", "canceled", "past_due", "trialing", "paused", "unpaid"))),
        "start_date": start,
        "end_date": None if held_days is None else start + timedelta(days=held_days),
        "canceled_at": draw(st.sampled_from((None, None, datetime(2026, 3, 10, 12), datetime(2026, 5, 31, 23)))),
        "discount_duration": draw(st.sampled_from((None, None, "once", "repeating", "forever"))),
        "subscription_id": draw(st.sampled_from(("a", "b"))),
    }


def certain_item(start: str, end: str | None, amount: str) -> dict:
    return {
        "item_type": "plan",
        "billing_interval": "month",
        "interval_count": 1,
        "quantity": 1,
        "amount": amount,
        "currency": "EUR",
        "status": "active",
        "start_date": day(start),
        "end_date": end and day(end),
        "canceled_at": None,
        "discount_duration": None,
        "subscription_id": "a",
    }


# What Hypothesis draws depends on its version; these movements must be among the cases.
SHRINKS = [certain_item("01-10", "03-10", "100"), certain_item("03-10", None, "60")]
RETURNS = [certain_item("01-05", "02-20", "100"), certain_item("04-10", None, "130")]


def generated_customers() -> dict[str, list[dict]]:
    """Lists of items by customer, the same in every run."""
    customers: dict[str, list[dict]] = {}

    @examples(max_examples=100, derandomize=True, database=None, deadline=None)
    @example(SHRINKS)
    @example(RETURNS)
    @given(st.lists(item(), min_size=1, max_size=6))
    def collect(items: list[dict]) -> None:
        customer_id = f"c{len(customers):03d}"
        customers[customer_id] = [
            one
            | {
                "subscription_item_id": f"{customer_id}-{number}",
                "customer_id": customer_id,
                "plan_id": "starter",
                "amount": Decimal(one["amount"]),
                "list_amount": Decimal(one["amount"]) + 5,
            }
            for number, one in enumerate(items)
        ]

    collect()
    return customers
