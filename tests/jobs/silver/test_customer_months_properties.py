"""silver.customer_months on many generated customers at once: the model, the identity, continuity, and twice the price."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import settings as examples
from hypothesis import strategies as st
from pyspark.sql import functions as F

from jobs.bronze.customers import table as received_customers
from jobs.bronze.exchange_rates import table as received_rates
from jobs.bronze.plans import table as received_plans
from jobs.bronze.subscriptions import table as received
from jobs.silver import customer_months, subscriptions
from lakehouse.metrics.ledger import month_balances, with_movements
from lakehouse.metrics.terms import counted_terms
from tests import ledger_model
from tests.billing import AS_OF, audited, day

OTHERWISE = {
    "counts_trials": True,
    "counts_paused": True,
    "counts_past_due": False,
    "counts_finite_discounts": False,
    "weeks_per_year": 48,
    "churn_dated": "cancellation",
    "late_renewal_days": 45,
    "converted_at": "movement",
    "shows_new_and_churn_in_month": False,
}
COMPONENTS = ("opening", "new", "expansion", "contraction", "churned", "reactivation", "fx", "closing")
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


@pytest.fixture(scope="module")
def customers():
    return generated_customers()


@pytest.fixture(scope="module")
def ledger(rows, settings, customers):
    """Rows by customer and month, of all generated customers and of their twins who pay twice as much."""
    items = [one for received_items in customers.values() for one in received_items]
    twins = [
        one
        | {key: f"twin {one[key]}" for key in ("customer_id", "subscription_item_id")}
        | {"amount": 2 * one["amount"], "list_amount": 2 * one["list_amount"]}
        for one in items
    ]
    rates = rows(received_rates, *RATES)
    held = subscriptions.transform(
        subscriptions=rows(received, *items, *twins),
        exchange_rates=rates,
        as_of=AS_OF,
        reporting_currency="USD",
        policy=settings.policy,
    )
    months = customer_months.transform(
        subscriptions=held,
        customers=rows(received_customers),
        exchange_rates=rates,
        plans=rows(received_plans),
        as_of=AS_OF,
        reporting_currency="USD",
        segments=settings.segments,
        policy=settings.policy,
    )
    by_customer = defaultdict(dict)
    for row in audited(months, customer_months.table):
        by_customer[row.customer_id][row.month] = row
    return by_customer


def test_the_generated_customers_reach_every_movement(ledger):
    movements = {row.movement for months in ledger.values() for row in months.values()}
    assert movements == {"new", "expansion", "contraction", "churn", "reactivation", "none"}


def as_modelled(months):
    """The months as the model gives them."""
    return {
        month: {"movement": row.movement, "average_daily": row.average_daily_mrr}
        | {name: row[f"{name}_mrr"] for name in COMPONENTS if row[f"{name}_mrr"]}
        for month, row in months.items()
    }


def test_the_ledger_is_the_models_to_the_cent(ledger, customers, settings):
    for customer_id, items in customers.items():
        modelled = ledger_model.ledger(items, RATES, AS_OF, settings.policy)
        assert as_modelled(ledger[customer_id]) == modelled, items


def test_under_another_policy_the_ledger_is_the_models_too(rows, settings, customers):
    policy = settings.policy.model_copy(update=OTHERWISE)
    items = [one for received_items in customers.values() for one in received_items]
    rates = rows(received_rates, *RATES)
    held = subscriptions.transform(
        subscriptions=rows(received, *items),
        exchange_rates=rates,
        as_of=AS_OF,
        reporting_currency="USD",
        policy=settings.policy,
    )
    balances = month_balances(
        counted_terms(held, policy), rates, rows(received_plans), as_of=AS_OF, reporting_currency="USD"
    )
    ledger = defaultdict(dict)
    for row in with_movements(balances, shows_new_and_churn=F.lit(False)).collect():
        ledger[row.customer_id][row.month] = row
    for customer_id, received_items in customers.items():
        modelled = ledger_model.ledger(received_items, RATES, AS_OF, policy)
        assert as_modelled(ledger[customer_id]) == modelled, received_items


def test_the_components_lead_from_opening_to_closing(ledger):
    for row in (row for months in ledger.values() for row in months.values()):
        ups = row.new_mrr + row.reactivation_mrr + row.expansion_mrr + row.fx_mrr
        downs = row.contraction_mrr + row.churned_mrr
        assert row.opening_mrr + ups - downs == row.closing_mrr, row
        assert all(row[f"{name}_mrr"] >= 0 for name in COMPONENTS if name != "fx"), row


def test_every_month_opens_with_what_the_one_before_closed_with(ledger):
    for months in ledger.values():
        for month, row in months.items():
            before = months.get((month - timedelta(days=1)).replace(day=1))
            assert row.opening_mrr == (before.closing_mrr if before else 0), row
            after = months.get((month + timedelta(days=31)).replace(day=1))
            assert after or not row.closing_mrr or month == day("06-01"), row


def test_twice_the_price_is_twice_the_mrr_within_the_rounding(ledger, customers):
    for customer_id in customers:
        for month, row in ledger[customer_id].items():
            twin = ledger[f"twin {customer_id}"][month]
            assert abs(twin.closing_mrr - 2 * row.closing_mrr) <= Decimal("0.01"), row
            # What rounds to nothing may not do so at twice the price.
            rounds_alike = all((row[name] > 0) == (twin[name] > 0) for name in ("opening_mrr", "closing_mrr"))
            comes_or_goes = row.movement in {"new", "reactivation", "churn"}
            if comes_or_goes and rounds_alike and row.cohort_month == twin.cohort_month:
                assert twin.movement == row.movement, row
