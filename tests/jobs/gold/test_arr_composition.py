"""gold.arr_composition: the ledger's ARR under the kind of order that last set it."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from jobs.bronze.exchange_rates import table as exchange_rates
from jobs.gold.arr_composition import table, transform
from jobs.silver.customer_months import table as customer_months
from jobs.silver.subscriptions import table as subscriptions
from tests.billing import audited, day

APRIL, MAY, JUNE = date(2026, 4, 1), date(2026, 5, 1), date(2026, 6, 1)


def term(customer_id, change_type, start, end, amount, **more):
    return {
        "subscription_item_id": f"{customer_id} {change_type} {start}",
        "subscription_id": customer_id,
        "customer_id": customer_id,
        "item_type": "plan",
        "is_recurring": True,
        "change_type": change_type,
        "status": "active",
        "billing_interval": "month",
        "interval_count": 1,
        "quantity": 1,
        "list_amount": Decimal(amount),
        "discount_amount": Decimal(0),
        "amount": Decimal(amount),
        "currency": "USD",
        "start_date": day(start),
        "end_date": end and day(end),
    } | more


def month(customer_id, month, closing, churned="0.00", opening="0.00"):
    return {
        "customer_id": customer_id,
        "month": month,
        "opening_mrr": Decimal(opening),
        "closing_mrr": Decimal(closing),
        "churned_mrr": Decimal(churned),
        "arr": 12 * Decimal(closing),
    }


@pytest.fixture(scope="module")
def composition(rows, settings):
    euros_a_year = {"currency": "EUR", "billing_interval": "year"}
    found = transform(
        customer_months=rows(
            customer_months,
            month("grows", APRIL, "100.00"),
            month("grows", MAY, "160.00", opening="100.00"),
            month("grows", JUNE, "160.00", opening="160.00"),
            month("renews and leaves", APRIL, "50.00"),
            month("renews and leaves", MAY, "0.00", churned="50.00", opening="50.00"),
            month("rounds", MAY, "0.33"),
            month("rounds", JUNE, "0.00", churned="0.33", opening="0.33"),
            month("came and went", JUNE, "0.00", churned="7.00"),
        ),
        subscriptions=rows(
            subscriptions,
            # 100.00 as first ordered; from May on 120.00 by an expansion, and an add-on of 40.00, which is one too. The
            # discount that ends in June is no order.
            term("grows", "initial", "04-01", "05-10", "100"),
            term("grows", "seat_expansion", "05-10", "06-01", "120"),
            term("grows", "discount_end", "06-01", None, "120"),
            term("grows", "add_on", "05-20", None, "40", item_type="add_on", add_on_id="A"),
            term("renews and leaves", "initial", "01-01", "04-01", "50"),
            term("renews and leaves", "renewal", "04-01", "05-20", "50"),
            # 0.5 and 1.5 euros a year at 2.00: 0.083333 and 0.25 a month, closing at 0.33 and so 3.96 a year. By weight
            # that is 98.99… cents and 297.00…: the missing cent goes to the first.
            term("rounds", "initial", "05-01", "06-15", "0.5", **euros_a_year),
            term("rounds", "add_on", "05-01", "06-15", "1.5", item_type="add_on", add_on_id="A", **euros_a_year),
            term("came and went", "initial", "06-03", "06-20", "7"),
        ),
        exchange_rates=rows(exchange_rates, {"currency": "EUR", "rate_date": day("05-01"), "rate": Decimal(2)}),
        as_of=date(2026, 6, 30),
        reporting_currency="USD",
        policy=settings.policy,
    )
    return {(row.period_grain, row.period_start, row.order_type): row for row in audited(found, table)}


def amounts(composition, grain, period, column="arr"):
    return [str(composition[grain, period, order_type][column]) for order_type in ("new", "expansion", "renewal")]


def test_arr_stands_under_the_order_that_last_set_it(composition):
    # April: 12 x 100 new, 12 x 50 renewed.
    assert amounts(composition, "month", APRIL) == ["1200.00", "0.00", "600.00"]
    # May: 12 x (120 + 40) by expansion, and the shared cents.
    assert amounts(composition, "month", MAY) == ["0.99", "1922.97", "0.00"]


def test_what_is_no_order_leaves_the_order_as_it_was(composition):
    assert amounts(composition, "month", JUNE) == ["0.00", "1920.00", "0.00"]


def test_churned_arr_stands_under_the_order_that_it_had(composition):
    assert amounts(composition, "month", MAY, "churned_arr") == ["0.00", "0.00", "600.00"]
    # June: what rounds had at the close of May, and 12 x 7 of who came and went.
    assert amounts(composition, "month", JUNE, "churned_arr") == ["84.99", "2.97", "0.00"]


def test_a_quarter_closes_with_its_last_month_and_churns_what_its_months_did(composition):
    assert amounts(composition, "quarter", APRIL) == amounts(composition, "month", JUNE)
    assert amounts(composition, "quarter", APRIL, "churned_arr") == ["84.99", "2.97", "600.00"]
    assert composition["quarter", APRIL, "new"].is_complete


def test_shares_and_customers_are_of_the_period(composition):
    april = [composition["month", APRIL, order_type] for order_type in ("new", "expansion", "renewal")]
    assert [(row.customers, row.share_of_arr) for row in april] == [
        (1, pytest.approx(2 / 3)),
        (0, 0.0),
        (1, pytest.approx(1 / 3)),
    ]
