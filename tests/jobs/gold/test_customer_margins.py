"""gold.customer_margins: what serving costs falls on those who were served."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from jobs.bronze.exchange_rates import table as rates
from jobs.bronze.expenses import table as expenses
from jobs.gold.customer_margins import transform
from jobs.silver.customer_months import table as customer_months
from jobs.silver.tickets import table as tickets
from jobs.silver.usage_daily import table as usage_daily

MAY, JUNE = date(2026, 5, 1), date(2026, 6, 1)


def month(customer_id, first_day, revenue, closing_mrr):
    return {
        "customer_id": customer_id,
        "month": first_day,
        "revenue": Decimal(revenue),
        "closing_mrr": Decimal(closing_mrr),
    }


def used(customer_id, day, events):
    return {"customer_id": customer_id, "usage_date": day, "usage_month": day.replace(day=1), "events": events}


def expense(department, first_day, amount):
    return {
        "expense_id": f"{department} {first_day}",
        "month": first_day,
        "department": department,
        "amount": Decimal(amount),
        "currency": "USD",
    }


@pytest.fixture(scope="module")
def margins(rows):
    margin_rows = transform(
        customer_months=rows(
            customer_months,
            month("ann", MAY, "100.00", "100.00"),
            month("bob", MAY, "50.00", "0.00"),
            month("gone", MAY, "0.00", "0.00"),
            month("ann", JUNE, "100.00", "100.00"),
        ),
        usage_daily=rows(
            usage_daily,
            used("ann", date(2026, 5, 3), 20),
            used("ann", date(2026, 5, 4), 10),
            used("bob", date(2026, 5, 4), 10),
            used("gone", date(2026, 5, 4), 60),
            used("prospect", date(2026, 5, 4), 99),
        ),
        tickets=rows(tickets),
        expenses=rows(
            expenses,
            expense("cogs_hosting", MAY, "80.00"),
            expense("cogs_support", MAY, "10.01"),
            expense("marketing", JUNE, "999.00"),
        ),
        exchange_rates=rows(rates),
        reporting_currency="USD",
    )
    return {(row.customer_id, row.month): row for row in margin_rows.collect()}


def test_hosting_follows_the_events_of_the_customers_served(margins):
    # 80.00 by 30 : 10; who had neither revenue nor MRR bears nothing, whatever its events.
    assert [margins[name, MAY].hosting_cost for name in ("ann", "bob", "gone")] == [60, 20, 0]


def test_support_is_shared_equally_when_nobody_has_a_ticket(margins):
    assert [margins[name, MAY].support_cost for name in ("ann", "bob", "gone")] == [
        Decimal("5.01"),
        Decimal("5.00"),
        Decimal("0.00"),
    ]
    assert margins["ann", MAY].gross_profit == Decimal("34.99")


def test_a_month_without_any_cost_of_serving_has_no_gross_profit(margins):
    june = margins["ann", JUNE]
    assert (june.hosting_cost, june.support_cost, june.gross_profit) == (None, None, None)
