"""silver.customers: where each customer stands as of 30 June 2026."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

import pytest

from jobs.bronze.customers import table as received_customers
from jobs.bronze.exchange_rates import table as received_rates
from jobs.bronze.plans import table as received_plans
from jobs.bronze.subscriptions import table as received
from jobs.gold import churn_reasons
from jobs.silver import customer_months, customers, dim_plan, subscriptions
from lakehouse.metrics.lifecycle import churn_dates
from tests.billing import AS_OF, audited, day, terms

ITEMS = (
    terms("active", "02-10", "05-01", "100", opportunity_id="o1", quantity=3),
    terms("active", "05-01", None, "120", plan_id="business", quantity=5),
    terms("self_service", "01-01", "01-15", status="trialing", opportunity_id="o2"),
    terms("self_service", "01-15", "06-01"),
    terms("self_service", "06-01", status="past_due", opportunity_id="o3"),
    terms("churned", "01-31", "04-30", status="canceled", cancel_reason="price"),
    terms("unpaid", "01-10", "03-10", status="past_due"),
    terms("unpaid", "03-10", "04-10", status="unpaid", cancel_reason="payment failed"),
    terms("returned", "01-01", "02-15", cancel_reason="paused project"),
    terms("returned", "04-01"),
    terms("left_twice", "01-01", "02-15", cancel_reason="price"),
    terms("left_twice", "04-01", "05-15"),
    terms("trial", "06-20", status="trialing"),
    terms("former_trial", "01-01", "01-15", status="trialing"),
    terms("unknown", "03-01"),
)

EMPLOYEES = {
    "active": 99,
    "self_service": 100,
    "churned": 999,
    "unpaid": 1000,
    "returned": None,
    "left_twice": 1,
    "trial": 1,
    "former_trial": 1,
    "prospect": 1,
}

CUSTOMERS = (
    *(
        {"customer_id": customer_id, "employee_count": employees, "updated_at": datetime(2026, 1, 1)}
        for customer_id, employees in EMPLOYEES.items()
    ),
    {"customer_id": "active", "account_id": "acme", "employee_count": 100, "updated_at": datetime(2026, 2, 1)},
    {"customer_id": "later", "signup_at": datetime(2026, 7, 1), "updated_at": datetime(2026, 7, 1)},
)

PLANS = (
    {"plan_id": "starter", "plan_name": "Starter", "tier_rank": 1, "valid_from": day("01-01")},
    {"plan_id": "business", "plan_name": "Business", "tier_rank": 3, "valid_from": day("01-01")},
)


@pytest.fixture(scope="module")
def computed(rows, settings):
    """Return silver.subscriptions, the ledger and the customers under a policy, as declared."""
    rates, plans = rows(received_rates), rows(received_plans, *PLANS)
    known = rows(received_customers, *CUSTOMERS)

    def under(policy, *items):
        held = subscriptions.transform(
            subscriptions=rows(received, *items),
            exchange_rates=rates,
            as_of=AS_OF,
            reporting_currency="USD",
            policy=policy,
        )
        months = customer_months.transform(
            subscriptions=held,
            customers=known,
            exchange_rates=rates,
            plans=plans,
            as_of=AS_OF,
            reporting_currency="USD",
            segments=settings.segments,
            policy=policy,
        )
        clean = customers.transform(
            customers=known,
            subscriptions=held,
            customer_months=months,
            plans=dim_plan.transform(plans=plans, as_of=AS_OF),
            as_of=AS_OF,
            segments=settings.segments,
            policy=policy,
        )
        return held, months, clean

    return under


@pytest.fixture(scope="module")
def standing(computed, settings):
    """Rows by customer; every test reads its own customers from one job."""
    _, _, clean = computed(settings.policy, *ITEMS)
    return {row.customer_id: row for row in audited(clean, customers.table)}


def test_every_stage_is_reached(standing):
    assert {customer: row.lifecycle_stage for customer, row in standing.items()} == {
        "active": "active",
        "self_service": "past_due",
        "churned": "churned",
        "unpaid": "churned",
        "returned": "reactivated",
        "left_twice": "churned",
        "trial": "trial",
        "former_trial": "prospect",
        "prospect": "prospect",
        "unknown": "active",
    }


def test_who_pays_has_plan_seats_and_mrr_of_the_as_of_day(standing):
    row = standing["active"]
    assert (row.plan_id, row.plan_name, row.billing_cadence, row.seats) == ("business", "Business", "monthly", 5)
    assert (row.mrr, row.cohort_month, row.first_paid_date) == (Decimal(120), day("02-01"), day("02-10"))
    assert (row.is_churned, row.churn_date, row.churn_reason) == (False, None, None)


def test_a_customer_without_an_account_is_one_of_its_own(standing):
    assert [standing[name].account_id for name in ("active", "prospect", "unknown")] == ["acme", "prospect", "unknown"]


def test_who_left_keeps_the_last_plan_but_no_seats_or_mrr(standing):
    row = standing["churned"]
    assert (row.plan_name, row.seats, row.mrr, row.is_churned) == ("Starter", 0, 0, True)
    assert (row.churn_date, row.churn_reason) == (day("04-30"), "price")


def test_the_reason_of_a_failed_payment_stands_on_the_unpaid_period_that_follows(standing):
    assert (standing["unpaid"].churn_date, standing["unpaid"].churn_reason) == (day("03-10"), "payment failed")


def test_the_reason_of_an_earlier_churn_is_not_that_of_the_last(standing):
    assert (standing["left_twice"].churn_date, standing["left_twice"].churn_reason) == (day("05-15"), None)
    assert standing["returned"].churn_reason is None


def test_tenure_counts_whole_months_to_churn_or_through_the_as_of_day(standing):
    tenures = {customer: standing[customer].tenure_months for customer in ("active", "churned", "unknown", "trial")}
    # 10 February to 1 July is 4 months and 21 days, 31 January to 30 April is month end to month end.
    assert tenures == {"active": 4, "churned": 3, "unknown": 4, "trial": None}


def test_the_first_paid_plan_says_who_won_the_customer(standing):
    won = {
        name: (standing[name].is_rep_won, standing[name].is_self_service)
        for name in ("active", "self_service", "trial")
    }
    assert won == {"active": (True, False), "self_service": (False, True), "trial": (None, None)}


def test_segments_begin_at_their_lower_bounds(standing):
    segments = {
        name: standing[name].segment for name in ("left_twice", "self_service", "churned", "unpaid", "returned")
    }
    assert segments == {
        "left_twice": "SMB",
        "self_service": "Mid-Market",
        "churned": "Mid-Market",
        "unpaid": "Enterprise",
        "returned": None,
    }
    assert standing["active"].segment == "Mid-Market"  # by the newest version


def test_a_customer_without_a_record_of_its_own_has_a_row(standing):
    assert (standing["unknown"].mrr, standing["unknown"].segment) == (100, None)


def test_where_churn_is_dated_at_cancellation_customers_and_ledger_are_at_one(computed, settings):
    at_cancellation = settings.policy.model_copy(update={"churn_dated": "cancellation"})
    held, months, clean = computed(
        at_cancellation,
        # Said on 10 May, paid until 31 August: lost in May, and already without MRR on 30 June.
        terms(
            "churned", "01-31", "08-31", status="canceled", canceled_at=datetime(2026, 5, 10, 9), cancel_reason="price"
        ),
        # Cancelled on its first day: never a customer.
        terms("trial", "06-01", "07-01", canceled_at=datetime(2026, 6, 1, 8)),
        # Said after the as-of day: still there.
        terms("active", "02-10", "08-10", canceled_at=datetime(2026, 7, 2)),
    )
    standing = {row.customer_id: row for row in audited(clean, customers.table)}
    lost, never, stays = (standing[name] for name in ("churned", "trial", "active"))
    assert (lost.churn_date, lost.churn_reason, lost.is_churned, lost.mrr) == (day("05-10"), "price", True, 0)
    assert lost.tenure_months == 3  # 31 January to 10 May
    assert (never.first_paid_date, never.cohort_month, never.is_churned) == (None, None, False)
    assert (stays.churn_date, stays.is_churned, stays.mrr) == (None, False, 100)

    found = churn_dates(months, held, at_cancellation).collect()
    assert [(row.customer_id, row.month, row.churn_date) for row in found] == [
        ("churned", day("05-01"), lost.churn_date)
    ]
    active = {row.customer_id: row.is_active for row in held.select("customer_id", "is_active").collect()}
    assert active == {"churned": False, "trial": False, "active": True}
    reasons = churn_reasons.transform(months, held, reporting_currency="USD", policy=at_cancellation).collect()
    assert [(row.month, row.reason) for row in reasons] == [(day("05-01"), "price")]
