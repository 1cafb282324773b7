"""silver.customer_months on many generated customers at once: the model, the identity and continuity."""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta

import pytest
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
from tests.customer_cases import RATES, generated_customers

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


@pytest.fixture(scope="module")
def customers():
    return generated_customers()


@pytest.fixture(scope="module")
def ledger(rows, settings, customers):
    """Rows by customer and month."""
    items = [one for received_items in customers.values() for one in received_items]
    rates = rows(received_rates, *RATES)
    held = subscriptions.transform(
        subscriptions=rows(received, *items),
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
