"""When customers were lost, told from the ledger and the terms."""

from __future__ import annotations

from datetime import date

from jobs.silver.customer_months import table as customer_months
from jobs.silver.subscriptions import table as subscriptions
from lakehouse.metrics.lifecycle import churn_dates


def paid(item_id, customer_id, start_date, end_date, *, bears_revenue=True):
    return {
        "subscription_item_id": item_id,
        "customer_id": customer_id,
        "start_date": start_date,
        "end_date": end_date,
        "bears_revenue": bears_revenue,
    }


def closed(customer_id, month, movement):
    return {"customer_id": customer_id, "month": month, "movement": movement}


def test_each_churn_is_dated_on_its_first_day_without_mrr(rows):
    found = churn_dates(
        rows(
            customer_months,
            closed("ann", date(2026, 3, 1), "churn"),
            closed("ann", date(2026, 4, 1), "reactivation"),
            closed("ann", date(2026, 6, 1), "churn"),
            closed("bob", date(2026, 3, 1), "contraction"),
        ),
        rows(
            subscriptions,
            paid("i1", "ann", date(2026, 1, 1), date(2026, 2, 10)),
            paid("i2", "ann", date(2026, 2, 10), date(2026, 3, 5)),
            # Ends on the first of June: the last day with MRR is that of May.
            paid("i3", "ann", date(2026, 4, 20), date(2026, 6, 1)),
            paid("i4", "ann", date(2026, 6, 1), date(2026, 6, 20), bears_revenue=False),
            paid("i5", "bob", date(2026, 1, 1), date(2026, 3, 5)),
        ),
    ).collect()
    assert sorted((row.customer_id, row.month, row.churn_date) for row in found) == [
        ("ann", date(2026, 3, 1), date(2026, 3, 5)),
        ("ann", date(2026, 6, 1), date(2026, 6, 1)),
    ]
