"""gold.executive_revenue: the ledger's revenue and the orders of a period side by side."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from jobs.gold import bookings, mrr_movements
from jobs.gold.executive_revenue import table, transform
from tests.billing import audited

APRIL, MAY, JUNE = (date(2026, month, 1) for month in (4, 5, 6))


def month(first_day, segment, mrr, churned="0", *, customers=(10, 0, 10), passing=0, **rates):
    (opening, closing), (opened, lost, closed) = mrr, customers
    return {
        "month": first_day,
        "dimension": "all" if segment == "all" else "segment",
        "dimension_value": segment,
        "is_complete": True,
        "opening_mrr": Decimal(opening),
        "closing_mrr": Decimal(closing),
        "arr": 12 * Decimal(closing),
        "contraction_mrr": Decimal(0),
        "churned_mrr": Decimal(churned),
        "passing_mrr": Decimal(passing),
        "customers_opening": opened,
        "customers_churned": lost,
        "customers_passing": int(passing > 0),
        "customers_closing": closed,
    } | rates


def booking(period, order_type, segment, orders, arr, **means):
    grain, start = period
    return {
        "period_grain": grain,
        "period_start": start,
        "order_type": order_type,
        "dimension": "all" if segment == "all" else "segment",
        "dimension_value": segment,
        "orders": orders,
        "arr": Decimal(arr),
    } | means


@pytest.fixture(scope="module")
def revenue(rows):
    means = {"mean_acv": Decimal("300.00"), "mean_term_months": 24.0}
    found = transform(
        mrr_movements=rows(
            mrr_movements.table,
            month(APRIL, "all", ("100", "120"), customers=(10, 0, 12), grr_12m=0.8, nrr_12m=1.0),
            # One of the two who left had come in the same month.
            month(MAY, "all", ("120", "110"), "15", customers=(12, 2, 12), passing=5, grr_12m=0.85, nrr_12m=1.1),
            month(JUNE, "all", ("110", "130"), "10", customers=(12, 1, 13), grr_12m=0.9, nrr_12m=1.2),
            month(JUNE, "SMB", ("10", "0"), "10", customers=(1, 1, 0)),
            month(JUNE, "SMB", ("7", "7")) | {"dimension": "plan"},
        ),
        bookings=rows(
            bookings.table,
            booking(("quarter", APRIL), "all", "all", 3, "900", **means),
            booking(("quarter", APRIL), "new", "all", 1, "500"),
            booking(("quarter", APRIL), "renewal", "all", 2, "400"),
            booking(("month", JUNE), "all", "Enterprise", 1, "500", **means),
            booking(("month", JUNE), "new", "Enterprise", 1, "500"),
            booking(("month", JUNE), "all", "all", 9, "9") | {"dimension": "rep", "dimension_value": "R1"},
        ),
        as_of=date(2026, 6, 30),
        reporting_currency="USD",
    )
    return {(row.period_grain, row.period_start, row.segment): row for row in audited(found, table)}


def test_a_quarter_has_the_stock_of_its_last_month_and_the_flows_of_all(revenue):
    quarter = revenue["quarter", APRIL, "all"]
    assert (quarter.arr, quarter.active_customers, quarter.grr_12m, quarter.nrr_12m) == (1560, 13, 0.9, 1.2)
    assert (quarter.churned_arr, quarter.is_complete) == (300, True)


def test_monthly_rates_of_a_quarter_are_ratios_of_sums(revenue):
    quarter = revenue["quarter", APRIL, "all"]
    # 0 + 1 + 1 of 10 + 12 + 12 customers; (15 - 5) + 10 of 100 + 120 + 110.
    assert (quarter.customers_lost, quarter.customer_months) == (2, 34)
    assert quarter.monthly_logo_churn_rate == pytest.approx(2 / 34, abs=1e-9)
    assert quarter.monthly_dollar_churn_rate == pytest.approx(20 / 330, abs=1e-9)


def test_orders_stand_by_their_kind_with_the_means_of_all(revenue):
    quarter = revenue["quarter", APRIL, "all"]
    assert (quarter.orders, quarter.new_arr, quarter.expansion_arr, quarter.renewal_arr) == (3, 500, 0, 400)
    assert (quarter.mean_acv, quarter.mean_term_months) == (300, 24.0)


def test_a_segment_may_have_orders_without_revenue_yet_and_revenue_without_orders(revenue):
    signed, left = revenue["month", JUNE, "Enterprise"], revenue["month", JUNE, "SMB"]
    assert (signed.arr, signed.new_arr, signed.monthly_logo_churn_rate) == (0, 500, None)
    assert (left.orders, left.mean_acv, left.monthly_logo_churn_rate) == (0, None, 1.0)
    assert ("month", JUNE, "R1") not in revenue


def test_where_no_order_was_ever_received_none_is_counted(rows):
    found = transform(
        mrr_movements=rows(mrr_movements.table, month(APRIL, "all", ("100", "120"), customers=(10, 0, 12))),
        bookings=rows(bookings.table),
        as_of=date(2026, 6, 30),
        reporting_currency="USD",
    )
    for row in audited(found, table):
        assert row.arr == 1440
        assert (row.orders, row.new_arr, row.expansion_arr, row.renewal_arr, row.mean_acv) == (None,) * 5
