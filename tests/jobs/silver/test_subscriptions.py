"""silver.subscriptions: what terms are worth by the month, which of them bear revenue, which rows are left out."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

import pytest

from jobs.bronze.exchange_rates import table as received_rates
from jobs.bronze.subscriptions import table as received
from jobs.silver.subscriptions import table, transform
from tests.billing import AS_OF, EXCHANGE_RATES, audited, day, terms

LATER = datetime(2026, 2, 1)


@pytest.fixture(scope="module")
def silver(rows, settings):
    """Clean terms by item; every test reads its own items from one job."""
    items = (
        terms("monthly", "01-01", amount="100"),
        terms("quarterly", "01-01", amount="100", interval_count=3),
        terms("annual", "01-01", amount="1000", billing_interval="year"),
        terms("two_years", "01-01", amount="2400", billing_interval="year", interval_count=2),
        terms("weekly", "01-01", amount="12", billing_interval="week"),
        terms("daily", "01-01", amount="1", billing_interval="day"),
        terms("half_year", "01-01", amount="600", interval_count=6),
        terms("year_of_months", "01-01", amount="1200", interval_count=12),
        terms("discounted", "01-01", amount="75", list_amount=Decimal(100), discount_amount=Decimal(25)),
        terms("too_much_off", "01-01", amount="0", list_amount=Decimal(100), discount_amount=Decimal(120)),
        terms("only_net", "01-01", amount="75", discount_amount=Decimal(25)),
        terms("fee", "01-01", amount="500", item_type="one_time"),
        terms("euro", "03-10", amount="100", currency="EUR"),
        terms("trialing", "01-01", status="trialing"),
        terms("paused", "01-01", status="paused"),
        terms("unpaid", "01-01", status="unpaid"),
        terms("past_due", "01-01", status="past_due"),
        terms("canceled", "01-01", "06-11", status="canceled"),
        terms("ends_tomorrow", "06-21", "07-01"),
        terms("ends_today", "06-21", "06-30"),
        terms("empty", "02-01", "02-01"),
        terms("future", "07-01"),
        terms("franc", "01-01", currency="CHF"),
        terms("fortnight", "01-01", billing_interval="fortnight"),
        terms("count_of_0", "01-01", interval_count=0),
        terms("backwards", "02-01", "01-01"),
        terms("revised", "01-01", amount="10"),
        terms("revised", "01-01", amount="20", subscription_item_id="revised 01-01 10", updated_at=LATER),
    )
    clean = transform(
        subscriptions=rows(received, *items),
        exchange_rates=rows(received_rates, *EXCHANGE_RATES),
        as_of=AS_OF,
        reporting_currency="USD",
        policy=settings.policy,
    )
    return {row.customer_id: row for row in audited(clean, table)}


@pytest.mark.parametrize(
    ("customer", "monthly_amount", "billing_cadence"),
    [
        ("monthly", "100", "monthly"),
        ("quarterly", "33.333333", "quarterly"),
        ("annual", "83.333333", "annual"),
        ("two_years", "100", "multi_year"),
        ("weekly", "52", "weekly"),
        ("daily", "30.416667", "daily"),  # 365 / 12
        ("half_year", "100", "quarterly"),
        ("year_of_months", "100", "annual"),
    ],
)
def test_an_amount_is_spread_over_the_months_of_its_interval(silver, customer, monthly_amount, billing_cadence):
    assert silver[customer].monthly_amount == Decimal(monthly_amount)
    assert silver[customer].billing_cadence == billing_cadence


@pytest.mark.parametrize(
    ("customer", "list_amount", "discount", "net"),
    [("discounted", 100, 25, 75), ("too_much_off", 100, 100, 0), ("only_net", 100, 25, 75), ("monthly", 100, 0, 100)],
)
def test_the_discount_is_what_lies_between_list_and_net_and_never_exceeds_the_list(
    silver, customer, list_amount, discount, net
):
    row = silver[customer]
    assert (row.monthly_list_amount, row.monthly_discount_amount, row.monthly_amount) == (list_amount, discount, net)


def test_a_one_time_item_has_an_amount_but_none_by_the_month(silver):
    fee = silver["fee"]
    assert (fee.amount_reporting, fee.monthly_amount, fee.monthly_list_amount) == (500, 0, 0)
    assert not fee.is_recurring
    assert not fee.bears_revenue


def test_the_reporting_amount_takes_the_last_rate_before_the_first_day(silver):
    assert silver["euro"].monthly_amount == 100
    assert silver["euro"].monthly_amount_reporting == 120  # the rate of 28 February still holds on 10 March


def test_only_paid_recurring_terms_in_a_paying_status_bear_revenue(silver):
    bearing = {customer for customer, row in silver.items() if row.bears_revenue}
    assert bearing.isdisjoint({"trialing", "paused", "unpaid", "too_much_off", "fee", "empty"})
    assert {"monthly", "past_due", "canceled", "ends_today"} <= bearing


def test_the_end_date_is_the_first_day_without(silver):
    assert silver["ends_tomorrow"].is_active
    assert not silver["ends_today"].is_active
    assert silver["ends_tomorrow"].duration_days == 10  # 21 to 30 June
    assert silver["ends_today"].duration_days == 9
    assert silver["empty"].duration_days == 0
    assert silver["monthly"].duration_days == 181  # 1 January to 30 June


def test_rows_that_break_a_rule_or_lie_ahead_are_not_kept(silver):
    assert silver.keys().isdisjoint({"future", "franc", "fortnight", "count_of_0", "backwards"})


def test_the_newest_version_wins(silver):
    assert silver["revised"].amount == 20


def test_a_currency_without_rates_is_fine_when_it_is_the_reporting_one(rows, settings):
    clean = transform(
        subscriptions=rows(received, terms("c", "01-01", currency="CHF")),
        exchange_rates=rows(received_rates),
        as_of=AS_OF,
        reporting_currency="CHF",
        policy=settings.policy,
    )
    (row,) = clean.collect()
    assert (row.monthly_amount_reporting, row.start_date) == (100, day("01-01"))
