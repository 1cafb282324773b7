"""silver.billing_orders and gold.bookings: what was ordered, by whom, and what it comes to a year."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

import pytest

from jobs.bronze.billing_orders import table as received_orders
from jobs.bronze.exchange_rates import table as received_rates
from jobs.gold import bookings
from jobs.silver import billing_orders
from jobs.silver.customers import table as customers
from jobs.silver.opportunities import table as opportunities
from jobs.silver.subscriptions import table as subscriptions
from tests.billing import AS_OF, EXCHANGE_RATES, audited, day
from tests.crm import at, order

NO_TERM = {"renewal_date": None, "term_months": None}
ORDERS = (
    order("a year", "01-20 09"),
    order("a year", "01-20 09"),
    order("three years", "04-02 09", "400", total_amount=Decimal(1260), start_date=day("04-10"),
          renewal_date=date(2029, 4, 10), term_months=36, order_type="renewal", account_id="A2"),
    # The first of the opportunity's terms and of an account with two customers.
    order("no term", "02-10 09", "600", total_amount=Decimal(50), order_type="expansion", account_id="A2", **NO_TERM),
    order("rest of the term", "01-31 23", "600", total_amount=Decimal(300), renewal_date=day("08-01"),
          order_type="expansion"),
    order("euros", "03-10 09", "1000", currency="EUR"),
    order("old euros", "03-10 09", "1000", currency="EUR", ordered_at=datetime(2025, 1, 5), opportunity_id=None),
    order("later", "07-01 00"),
    order("unsound", "03-10 09", "-1"),
    order("no rate", "03-10 09", currency="XXX"),
)  # fmt: skip


def won(opportunity_id, closed, arr="1200", **others):
    usual = {
        "opportunity_id": opportunity_id,
        "owner_rep_id": "R1",
        "segment": "SMB",
        "arr": Decimal(arr),
        "currency": "USD",
        "arr_reporting": Decimal(arr),
        "closed_at": at(closed),
    }
    return usual | others


@pytest.fixture(scope="module")
def ordered(rows):
    return billing_orders.transform(
        orders=rows(received_orders, *ORDERS),
        exchange_rates=rows(received_rates, *EXCHANGE_RATES),
        opportunities=rows(
            opportunities,
            won("a year", "01-20 09"),
            won("three years", "03-30 23", "500"),
            won("no term", "02-10 09", "600", owner_rep_id="R2"),
            won("rest of the term", "01-31 22", "600"),
            # Opened at 1.10 dollars for a euro.
            won("euros", "03-10 09", "1000", currency="EUR", arr_reporting=Decimal(1100)),
        ),
        subscriptions=rows(
            subscriptions,
            {"subscription_item_id": "1", "customer_id": "C3", "opportunity_id": "no term"},
            {"subscription_item_id": "2", "customer_id": "C3", "opportunity_id": "no term"},
            {"subscription_item_id": "3", "customer_id": "C2"},
        ),
        customers=rows(
            customers,
            {"customer_id": "C1", "account_id": "A1"},
            {"customer_id": "C2", "account_id": "A2"},
            {"customer_id": "C3", "account_id": "A2"},
        ),
        as_of=AS_OF,
        reporting_currency="USD",
    ).cache()


@pytest.fixture(scope="module")
def by_id(ordered):
    return {row.order_id: row for row in audited(ordered, billing_orders.table)}


def test_an_order_counts_once_it_is_signed_and_only_once(by_id):
    assert set(by_id) == {"a year", "three years", "no term", "rest of the term", "euros", "old euros"}


def test_an_amount_is_at_the_rate_of_the_day_of_the_signature(by_id):
    # 1.20 on 10 March; before all rates the first one, 1.10.
    assert by_id["euros"].arr_reporting == by_id["euros"].total_reporting == Decimal("1200.00")
    assert by_id["old euros"].arr_reporting == Decimal("1100.00")


def test_the_acv_is_the_total_by_the_year_of_what_was_ordered(by_id):
    # 1,260 ÷ 3 years; 300 ÷ half a year, since an expansion ends with the term that it joins; without a term the ARR.
    acv = {name: row.acv_reporting for name, row in by_id.items()}
    assert acv["three years"] == Decimal("420.00")
    assert acv["rest of the term"] == Decimal("600.00")
    assert acv["no term"] == Decimal("600.00")
    assert by_id["no term"].ordered_months is None


def test_an_order_belongs_to_the_customer_whose_terms_name_it_else_to_the_only_one(by_id):
    told = {name: row.customer_id for name, row in by_id.items()}
    # A2 has two customers, and nothing tells which of them renewed.
    assert (told["no term"], told["three years"], told["a year"]) == ("C3", None, "C1")


def test_the_lag_counts_the_days_from_the_close_of_the_opportunity(by_id):
    # 30 March to 2 April.
    assert (by_id["three years"].order_lag_days, by_id["a year"].order_lag_days) == (3, 0)
    assert (by_id["old euros"].order_lag_days, by_id["old euros"].is_arr_as_won) == (None, None)


@pytest.fixture(scope="module")
def booked(ordered):
    found = bookings.transform(ordered, as_of=date(2026, 5, 31), reporting_currency="USD")
    return {tuple(row[name] for name in bookings.GROUP): row for row in audited(found, bookings.table)}


def test_bookings_add_up_the_orders_of_a_period(booked):
    # January: a year of 1,200 and the rest of a term, 600 a year for 300 in all.
    january = booked["month", day("01-01"), "all", "all", "all"]
    assert (january.orders, january.arr, january.tcv) == (2, Decimal("1800.00"), Decimal("1500.00"))
    assert (january.acv, january.mean_acv, january.mean_term_months) == (Decimal("1800.00"), Decimal("900.00"), 12.0)
    # The first quarter: 1,800 and 600 without a term, and 1,200 for euros.
    quarter = booked["quarter", day("01-01"), "all", "all", "all"]
    assert (quarter.orders, quarter.orders_with_term, quarter.arr) == (4, 3, Decimal("3600.00"))
    assert booked["quarter", day("01-01"), "expansion", "rep", "R2"].arr == Decimal("600.00")
    assert booked["quarter", date(2025, 1, 1), "new", "rep", "unknown"].orders == 1


def test_each_order_that_differs_from_its_opportunity_does_so_for_one_reason(booked):
    def told(period_start):
        row = booked["month", period_start, "all", "all", "all"]
        return row.opportunity_arr, row.rate_difference, row.amount_difference, row.unmatched_arr

    # 1,000 euros won at 1.10 and ordered at 1.20; 500 won and 400 ordered; 1,000 old euros at 1.10 nobody won.
    assert told(day("03-01")) == (1100, 100, 0, 0)
    assert told(day("04-01")) == (500, 0, -100, 0)
    assert told(date(2025, 1, 1)) == (0, 0, 0, 1100)


def test_growth_needs_a_year_before_that_is_covered_and_a_period_that_is_over(booked):
    # Orders begin in January 2025, which may be covered in part; from February 2025 on there are none.
    january, february = (booked["month", day(f"{month}-01"), "all", "all", "all"] for month in ("01", "02"))
    assert (january.arr_year_before, february.arr_year_before, february.arr_growth) == (None, 0, None)
    second = booked["quarter", day("04-01"), "all", "all", "all"]
    assert (second.is_complete, second.arr_growth) == (False, None)


def test_growth_is_against_the_same_period_of_the_year_before(rows):
    signed = {"order_id": "first", "ordered_date": date(2025, 1, 5), "order_type": "new"}
    amounts = ("total_reporting", "acv_reporting", "arr_reporting")
    found = bookings.transform(
        rows(
            billing_orders.table,
            signed | dict.fromkeys(amounts, Decimal(10)),
            signed | {"order_id": "before", "ordered_date": date(2025, 2, 5)} | dict.fromkeys(amounts, Decimal(200)),
            signed | {"order_id": "now", "ordered_date": date(2026, 2, 25)} | dict.fromkeys(amounts, Decimal(250)),
        ),
        as_of=AS_OF,
        reporting_currency="USD",
    ).filter("period_grain = 'month' AND order_type = 'new' AND dimension = 'all' AND period_start = '2026-02-01'")
    # 250 ÷ 200 − 1.
    assert [(row.arr_year_before, row.arr_growth) for row in found.collect()] == [(Decimal(200), 0.25)]
