"""silver.billing_schedule: what terms say is to be billed, worked out by hand."""

from __future__ import annotations

from decimal import Decimal

import pytest

from jobs.bronze.exchange_rates import table as received_rates
from jobs.silver.billing_schedule import table, transform
from jobs.silver.subscriptions import table as subscriptions
from tests.billing import AS_OF, EXCHANGE_RATES, audited, day

MONTHS = {"month": 1, "year": 12}


def item(name, start, end=None, amount="100", interval="month", **others):
    customer_id, _, rest = name.partition(" ")
    usual = {
        "subscription_item_id": name,
        "subscription_id": customer_id,
        "customer_id": customer_id,
        "item_type": "plan",
        "billing_interval": interval,
        "interval_count": 1,
        "months_in_interval": Decimal(MONTHS.get(interval, "0.230769")),
        "amount": Decimal(amount),
        "monthly_amount": round(Decimal(amount) / MONTHS.get(interval, 1), 6),
        "currency": "USD",
        "status": rest if rest in {"paused", "unpaid", "trialing"} else "active",
        "start_date": day(start),
        "end_date": end and day(end),
        "is_recurring": True,
    }
    return usual | others


@pytest.fixture(scope="module")
def lines(rows):
    found = transform(
        subscriptions=rows(
            subscriptions,
            item("last_day trialing", "01-17", "01-31"),
            item("last_day plan", "01-31", "04-20"),
            item("grows small", "05-01", "05-16"),
            item("grows large", "05-16", amount="162"),
            item("grows add_on", "05-22", amount="31", item_type="add_on", add_on_id="api"),
            item("shrinks large", "06-01", "06-16", amount="130"),
            item("shrinks small", "06-16", amount="100"),
            item("pauses before", "01-15", "02-15"),
            item("pauses paused", "02-15", "05-15"),
            item("pauses after", "05-15"),
            item("commits monthly", "04-10", "05-10"),
            item("commits yearly", "05-10", amount="1000", interval="year"),
            item("weekly", "06-20", amount="7", interval="week"),
            item("cut_off active", "05-10", "05-11"),
            item("cut_off late", "05-11", "05-20", status="past_due"),
            item("cut_off unpaid", "05-20", "06-03"),
            item("euro", "04-30", "05-01", currency="EUR"),
            item("once", "05-03", "05-04", item_type="one_time", is_recurring=False),
        ),
        exchange_rates=rows(received_rates, *EXCHANGE_RATES),
        as_of=AS_OF,
        reporting_currency="USD",
    )
    return audited(found, table)


def billed(lines, customer_id):
    """Amounts by item and first day, but for changes of nothing but the status."""
    return {
        (row.subscription_item_id.partition(" ")[2], f"{row.period_start:%m-%d}"): row.amount
        for row in lines
        if row.customer_id == customer_id and row.amount
    }


def test_who_begins_on_the_31st_is_billed_on_the_last_day_of_shorter_months(lines):
    assert set(billed(lines, "last_day")) == {("plan", "01-31"), ("plan", "02-28"), ("plan", "03-31")}


def test_a_change_inside_a_period_bills_the_difference_for_the_rest_of_its_days(lines):
    assert billed(lines, "grows") == {
        ("small", "05-01"): 100,
        ("large", "05-16"): 32,  # 62 x 16 of 31 days
        ("add_on", "05-22"): 10,  # 31 x 10 of 31 days
        ("large", "06-01"): 162,
        ("add_on", "06-01"): 31,
    }
    assert billed(lines, "shrinks") == {("large", "06-01"): 130, ("small", "06-16"): -15}  # 30 x 15 of 30 days


def test_pauses_are_not_billed_and_the_day_of_the_month_stays(lines):
    assert set(billed(lines, "pauses")) == {("before", "01-15"), ("after", "05-15"), ("after", "06-15")}


def test_another_interval_counts_from_its_own_first_day(lines):
    assert billed(lines, "commits") == {("monthly", "04-10"): 100, ("yearly", "05-10"): 1000}
    assert set(billed(lines, "weekly")) == {("", "06-20"), ("", "06-27")}


def test_terms_that_are_cut_off_are_credited_nothing_and_say_until_when_they_served(lines):
    assert billed(lines, "cut_off") == {("active", "05-10"): 100}
    served = {(row.held_until, row.served_until, row.period_end) for row in lines if row.customer_id == "cut_off"}
    assert served == {
        (day("05-11"), day("05-20"), day("06-10")),
        (day("05-20"), day("05-20"), day("06-10")),
    }


def test_what_is_sold_once_is_billed_once_and_amounts_are_converted_on_the_first_day(lines):
    (once,) = (row for row in lines if row.customer_id == "once")
    assert (once.line_type, once.amount, once.billing_month) == ("one_time", 100, day("05-01"))
    (euro,) = (row for row in lines if row.customer_id == "euro")
    assert (euro.amount, euro.amount_reporting) == (100, 100)  # 1.00 from 30 April on
