"""When customers were lost, told from the ledger and the terms."""

from __future__ import annotations

from datetime import date

from jobs.silver.customer_months import table as customer_months
from jobs.silver.subscriptions import table as subscriptions
from lakehouse.metrics.lifecycle import churn_dates
from tests.billing import terms


def closed(customer_id, month, movement):
    return {"customer_id": customer_id, "month": month, "movement": movement}


LEDGER = (
    closed("ann", date(2026, 3, 1), "churn"),
    closed("ann", date(2026, 4, 1), "reactivation"),
    closed("ann", date(2026, 6, 1), "churn"),
    closed("bob", date(2026, 3, 1), "contraction"),
)
TERMS = (
    terms("ann", "01-01", "02-10"),
    terms("ann", "02-10", "03-05"),
    # Ends on the first of June: the last day with MRR is that of May.
    terms("ann", "04-20", "06-01"),
    terms("ann", "06-01", "06-20", status="unpaid"),
    terms("bob", "01-01", "03-05"),
)


def test_each_churn_is_dated_on_its_first_day_without_mrr(rows, settings):
    found = churn_dates(rows(customer_months, *LEDGER), rows(subscriptions, *TERMS), settings.policy).collect()
    assert sorted((row.customer_id, row.month, row.churn_date) for row in found) == [
        ("ann", date(2026, 3, 1), date(2026, 3, 5)),
        ("ann", date(2026, 6, 1), date(2026, 6, 1)),
    ]
