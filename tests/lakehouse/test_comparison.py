"""Two policies that differ in every switch, and for each switch a customer whose month only it decides."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

import pytest

from jobs.bronze.exchange_rates import table as received_rates
from jobs.bronze.plans import table as received_plans
from jobs.bronze.subscriptions import table as received
from jobs.silver import subscriptions
from lakehouse.comparison import COUNTS, compare
from lakehouse.policies import Policy
from tests.billing import AS_OF, EXCHANGE_RATES, day, terms

NARROW = Policy(
    counts_trials=False,
    counts_free_plans=False,
    counts_paused=False,
    counts_past_due=False,
    counts_finite_discounts=False,
    weeks_per_year=48,
    churn_dated="cancellation",
    late_renewal_days=0,
    converted_at="movement",
    shows_new_and_churn_in_month=False,
    reactivation_in_nrr=False,
)
WIDE = Policy(
    counts_trials=True,
    counts_free_plans=True,
    counts_paused=True,
    counts_past_due=True,
    counts_finite_discounts=True,
    weeks_per_year=52,
    churn_dated="period_end",
    late_renewal_days=6,
    converted_at="month_end",
    shows_new_and_churn_in_month=True,
    reactivation_in_nrr=True,
)

# The month is April 2026.
ITEMS = (
    terms("same", "01-01", amount="1000"),
    terms("same", "04-15", amount="7", status="unpaid"),
    terms("same", "04-15", amount="500", item_type="one_time"),
    terms("tries", "03-01", amount="100", status="trialing"),
    terms("free", "03-01", amount="0"),
    terms("pauses", "01-01", "04-01", "50"),
    terms("pauses", "04-01", None, "50", status="paused"),
    terms("owes", "01-01", "04-05", "70"),
    terms("owes", "04-05", None, "70", status="past_due"),
    terms("coupon", "01-01", amount="80", list_amount=Decimal(100), discount_duration="repeating"),
    terms("loyal", "01-01", amount="80", list_amount=Decimal(100), discount_duration="forever"),
    terms("weekly", "01-01", amount="12", billing_interval="week"),
    terms("leaves", "01-01", "05-10", "30", canceled_at=datetime(2026, 4, 15, 23, 59), status="canceled"),
    terms("late", "01-01", "04-28", "40"),
    terms("late", "05-04", amount="45"),
    terms("too_late", "01-01", "04-27", "40"),
    terms("too_late", "05-04", amount="45"),
    terms("euro", "01-05", "04-10", "100", currency="EUR", subscription_id="e"),
    terms("euro", "04-10", amount="100", currency="EUR", subscription_id="e", plan_id="other"),
    terms("passes", "04-05", "04-20", "90"),
    terms("returns", "01-01", "02-15", "10"),
    terms("returns", "04-10", amount="60"),
)

STAYS = {"customers_churned": -1, "customers_closing": 1}
# What each switch changes, second less first: 12 a week are 48 or 52 a month, 100 euros 110 in January and 120 in March.
EXPECTED = {
    ("counts_trials", "tries"): {
        "opening_mrr": 100, "closing_mrr": 100, "customers_opening": 1, "customers_closing": 1,
        "gross_retained_mrr": 100, "net_retained_mrr": 100,
    },
    ("counts_free_plans", "free"): {"customers_opening": 1, "customers_closing": 1},
    ("counts_paused", "pauses"): {
        "churned_mrr": -50, "closing_mrr": 50, **STAYS, "gross_retained_mrr": 50, "net_retained_mrr": 50,
    },
    ("counts_past_due", "owes"): {
        "churned_mrr": -70, "closing_mrr": 70, **STAYS, "gross_retained_mrr": 70, "net_retained_mrr": 70,
    },
    ("counts_finite_discounts", "coupon"): {
        "opening_mrr": -20, "closing_mrr": -20, "gross_retained_mrr": -20, "net_retained_mrr": -20,
    },
    ("weeks_per_year", "weekly"): {
        "opening_mrr": 4, "closing_mrr": 4, "gross_retained_mrr": 4, "net_retained_mrr": 4,
    },
    ("churn_dated", "leaves"): {
        "churned_mrr": -30, "closing_mrr": 30, **STAYS, "gross_retained_mrr": 30, "net_retained_mrr": 30,
    },
    ("late_renewal_days", "late"): {
        "churned_mrr": -40, "closing_mrr": 40, **STAYS, "gross_retained_mrr": 40, "net_retained_mrr": 40,
    },
    ("converted_at", "euro"): {
        "opening_mrr": 10, "fx_mrr": -20, "closing_mrr": -10, "gross_retained_mrr": 10, "net_retained_mrr": 10,
    },
    ("shows_new_and_churn_in_month", "passes"): {
        "new_mrr": 90, "churned_mrr": 90, "customers_new": 1, "customers_churned": 1,
    },
    ("reactivation_in_nrr", "returns"): {"net_retained_mrr": 60},
}  # fmt: skip


@pytest.fixture(scope="module")
def comparison(spark, rows, settings):
    """Every test reads from one comparison, which is one Spark job."""
    rates = rows(received_rates, *EXCHANGE_RATES)
    held = subscriptions.transform(
        subscriptions=rows(received, *ITEMS),
        exchange_rates=rates,
        as_of=AS_OF,
        reporting_currency="USD",
        policy=settings.policy,
    )
    return compare(
        spark.createDataFrame(held.toArrow()),  # once, and not for each of twelve ledgers
        rates,
        rows(received_plans),
        first=NARROW,
        second=WIDE,
        month_end=day("04-30"),
        reporting_currency="USD",
    )


def test_each_switch_changes_the_one_customer_whom_only_it_decides(comparison):
    assert {(line.switch, line.customer_id): line.differences for line in comparison.lines} == EXPECTED
    assert {switch for switch, _ in EXPECTED} == set(Policy.model_fields)


def test_the_first_bridge_is_that_of_the_first_policy(comparison):
    # 1,000 same, 50 pauses, 70 owes, 100 coupon, 80 loyal, 48 weekly, 30 leaves, 40 late, 40 too late, 110 euro.
    assert dict(comparison.first) == {
        "opening_mrr": 1568,
        "new_mrr": 0,
        "reactivation_mrr": 60,
        "expansion_mrr": 0,
        "contraction_mrr": 0,
        "churned_mrr": 50 + 70 + 30 + 40 + 40,
        "fx_mrr": 0,
        "closing_mrr": 1568 + 60 - 230,
        "customers_opening": 10,
        "customers_new": 0,
        "customers_reactivated": 1,
        "customers_churned": 5,
        "customers_closing": 6,
        "grr_monthly": Decimal("0.853316"),  # 1,338 / 1,568
        "nrr_monthly": Decimal("0.853316"),
    }


def test_who_comes_and_goes_is_in_no_rate_and_who_returns_in_nrr_if_the_policy_says_so(comparison):
    # Of 1,662 that open, 40 churn (too late); 60 come back.
    second = comparison.second
    assert (second["opening_mrr"], second["churned_mrr"], second["new_mrr"]) == (1662, 40 + 90, 90)
    assert second["grr_monthly"] == Decimal("0.975933")  # 1,622 / 1,662
    assert second["nrr_monthly"] == Decimal("1.012034")  # 1,682 / 1,662


def test_what_the_switches_change_adds_up_to_the_difference_without_a_rest(comparison):
    for name, value in comparison.first.items():
        changes = [change[name] for change in comparison.changes.values()]
        assert value + sum(changes) == comparison.second[name], name
    for switch, change in comparison.changes.items():
        lines = [line for line in comparison.lines if line.switch == switch]
        for name in ("opening_mrr", "churned_mrr", "closing_mrr", *COUNTS):
            assert sum(line.differences.get(name, 0) for line in lines) == change[name], (switch, name)


def test_every_bridge_holds(comparison):
    for bridge in (comparison.first, *comparison.after.values()):
        ups = bridge["new_mrr"] + bridge["reactivation_mrr"] + bridge["expansion_mrr"] + bridge["fx_mrr"]
        assert bridge["closing_mrr"] == bridge["opening_mrr"] + ups - bridge["contraction_mrr"] - bridge["churned_mrr"]
        came = bridge["customers_new"] + bridge["customers_reactivated"]
        assert bridge["customers_closing"] == bridge["customers_opening"] + came - bridge["customers_churned"]
