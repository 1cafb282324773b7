"""Amounts by the month: exact, half up, null where the interval makes no sense."""

from __future__ import annotations

from decimal import Decimal

import pytest
from pyspark.sql import functions as F

from lakehouse.metrics.money import billing_cadence, monthly_amount, months_in_interval

CASES = {
    # amount, interval, count: months in the interval, monthly amount, cadence
    ("100", "month", 1): ("1", "100", "monthly"),
    ("100", "month", 2): ("2", "50", "monthly"),
    ("100", "month", 3): ("3", "33.333333", "quarterly"),
    ("200", "month", 3): ("3", "66.666667", "quarterly"),
    ("100", "month", 11): ("11", "9.090909", "quarterly"),
    ("1200", "month", 12): ("12", "100", "annual"),
    ("1300", "month", 13): ("13", "100", "multi_year"),
    ("1200", "year", 1): ("12", "100", "annual"),
    ("3600", "year", 3): ("36", "100", "multi_year"),
    ("12", "week", 1): ("0.230769", "52", "weekly"),
    ("24", "week", 2): ("0.461538", "52", "weekly"),
    ("12", "day", 1): ("0.032877", "365", "daily"),
    ("0.000001", "month", 2): ("2", "0.000001", "monthly"),  # 0.0000005 rounds up
    ("0.000001", "month", 3): ("3", "0", "quarterly"),
    ("9999999999.999999", "day", 1): ("0.032877", "304166666666.666636", "daily"),
    ("100", "month", 0): (None, None, "monthly"),
    ("100", "month", -1): (None, None, "monthly"),
    ("100", "fortnight", 1): (None, None, None),
    ("100", None, 1): (None, None, None),
    ("100", "month", None): (None, None, None),
    (None, "month", 1): ("1", None, "monthly"),
}


@pytest.fixture(scope="module")
def computed(spark):
    prices = spark.createDataFrame(list(CASES), "amount string, interval string, count int")
    interval, count = F.col("interval"), F.col("count")
    priced = prices.select(
        "*",
        months_in_interval(interval, count).alias("months"),
        monthly_amount(F.col("amount").cast("decimal(18,6)"), interval, count).alias("monthly"),
        billing_cadence(interval, count).alias("cadence"),
    )
    return {
        (row.amount, row.interval, row["count"]): (row.months, row.monthly, row.cadence) for row in priced.collect()
    }


@pytest.mark.parametrize("price", CASES)
def test_a_price_by_the_month(computed, price):
    months, monthly, cadence = CASES[price]
    assert computed[price] == (months and Decimal(months), monthly and Decimal(monthly), cadence)
