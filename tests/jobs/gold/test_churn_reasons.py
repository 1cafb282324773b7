"""gold.churn_reasons: every churn of the ledger under one reason."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from jobs.gold.churn_reasons import table, transform
from jobs.silver.customer_months import table as customer_months
from jobs.silver.subscriptions import table as subscriptions
from lakehouse.generator.build import views
from lakehouse.registry import jobs
from tests.billing import audited, day

MARCH, MAY = date(2026, 3, 1), date(2026, 5, 1)


def churn(customer_id, mrr, month=MARCH, movement="churn"):
    return {"customer_id": customer_id, "month": month, "churned_mrr": Decimal(mrr), "movement": movement}


def ended(customer_id, start, end, reason=None, status="canceled", *, is_recurring=True):
    return {
        "subscription_item_id": f"{customer_id} {start} {status}",
        "customer_id": customer_id,
        "status": status,
        "start_date": day(start),
        "end_date": end and day(end),
        "cancel_reason": reason,
        "is_recurring": is_recurring,
    }


@pytest.fixture(scope="module")
def reasons(rows, settings):
    found = transform(
        customer_months=rows(
            customer_months,
            churn("back and gone", "50.00"),
            churn("back and gone", "70.00", MAY),
            churn("cut off", "30.00"),
            churn("still in dunning", "10.00"),
            churn("pausing", "5.00"),
            churn("silent", "5.00"),
            churn("stays", "0.00", movement="none"),
        ),
        subscriptions=rows(
            subscriptions,
            # Ending on the first of a month leaves the month before with MRR: churn of March.
            ended("back and gone", "01-01", "03-01", "too_expensive"),
            ended("back and gone", "04-01", "05-20", "low_usage"),
            ended("back and gone", "04-01", "05-02", "an add-on, earlier", status="active"),
            # Unpaid from March on; the reason is recorded when it ends in April.
            ended("cut off", "01-01", "03-25", status="past_due"),
            ended("cut off", "03-25", "04-08", "payment_failed", status="unpaid"),
            ended("still in dunning", "03-28", None, status="unpaid"),
            ended("pausing", "03-10", "04-10", status="paused"),
            ended("silent", "01-01", "03-10"),
            ended("silent", "01-01", "03-11", "trial_expired", status="trialing"),
            ended("silent", "03-12", "03-13", "bought once", is_recurring=False),
        ),
        reporting_currency="USD",
        policy=settings.policy,
    )
    return {(row.month, row.reason): row for row in audited(found, table)}


def test_each_churn_has_the_last_reason_of_its_own_month(reasons):
    assert {key: (row.customers, row.churned_mrr) for key, row in reasons.items()} == {
        (MARCH, "too_expensive"): (1, 50),
        (MARCH, "payment_failed"): (2, 40),
        (MARCH, "paused"): (1, 5),
        (MARCH, "unknown"): (1, 5),
        (MAY, "low_usage"): (1, 70),
    }


def test_only_a_failed_payment_is_involuntary_and_the_unknown_stays_unknown(reasons):
    types = {reason: row.churn_type for (_, reason), row in reasons.items()}
    assert types == {
        "too_expensive": "voluntary",
        "payment_failed": "involuntary",
        "paused": "voluntary",
        "unknown": "unknown",
        "low_usage": "voluntary",
    }


def test_shares_are_those_of_the_month(reasons):
    failed = reasons[MARCH, "payment_failed"]
    assert (failed.share_of_customers, failed.share_of_churned_mrr) == (0.4, 0.4)  # 2 of 5, 40 of 100
    assert reasons[MAY, "low_usage"].share_of_churned_mrr == 1


def test_reasons_add_up_to_the_churn_of_the_ledger_and_each_is_known(small_lake):
    lake = views(small_lake, jobs())
    ledger = lake.sql(
        "SELECT month, count(*), sum(churned_mrr) FROM silver_customer_months WHERE churned_mrr > 0 GROUP BY month"
    ).fetchall()
    explained = lake.sql(
        "SELECT month, sum(customers), sum(churned_mrr) FROM gold_churn_reasons WHERE reason <> 'unknown' GROUP BY month"
    ).fetchall()
    assert sorted(explained) == sorted(ledger) != []
