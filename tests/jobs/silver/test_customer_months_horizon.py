"""silver.customer_months where the data end: nobody churns because of it."""

from __future__ import annotations

from datetime import date

import pytest

from jobs.bronze.customers import table as received_customers
from jobs.bronze.exchange_rates import table as received_rates
from jobs.bronze.plans import table as received_plans
from jobs.bronze.subscriptions import table as received
from jobs.silver import customer_months, subscriptions
from tests.billing import audited, day, terms

# The records stop in mid-June. Each month of "by_month" was billed for itself, so its terms end with the data.
ITEMS = (
    terms("by_month", "05-01", "06-01", "100"),
    terms("by_month", "06-01", "07-01", "120"),
    terms("open", "05-01"),
    terms("left", "05-01", "06-10", "30"),
    terms("stays_through", "05-01", "06-16", "50"),
)
STOPPED_ON = day("06-15")


@pytest.fixture(scope="module")
def months(rows, settings):
    """Rows by customer and month number, as of the day on which the records stop."""
    rates = rows(received_rates)
    as_of = {"as_of": STOPPED_ON, "reporting_currency": "USD", "policy": settings.policy}
    held = subscriptions.transform(subscriptions=rows(received, *ITEMS), exchange_rates=rates, **as_of)
    ledger = customer_months.transform(
        subscriptions=held,
        customers=rows(received_customers),
        exchange_rates=rates,
        plans=rows(received_plans),
        segments=settings.segments,
        **as_of,
    )
    return {(row.customer_id, row.month.month): row for row in audited(ledger, customer_months.table)}


def test_the_month_of_the_as_of_day_closes_with_it_and_is_not_complete(months):
    assert {month for _, month in months} == {5, 6}
    assert {number: row.is_complete for (_, number), row in months.items()} == {5: True, 6: False}
    assert {row.month for row in months.values()} == {date(2026, 5, 1), date(2026, 6, 1)}


def test_whoever_is_held_on_the_last_known_day_did_not_churn(months):
    june = {customer: row.movement for (customer, month), row in months.items() if month == 6}
    assert june == {"by_month": "expansion", "open": "none", "left": "churn", "stays_through": "none"}


def test_the_mean_of_the_days_is_that_of_the_days_so_far(months):
    assert months["by_month", 6].average_daily_mrr == 120
    assert months["left", 6].average_daily_mrr == 18  # 30 x 9 / 15
