"""Survival: ages, and the months ahead of a constant hazard against the closed form."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from pyspark.sql import functions as F
from pyspark.sql.window import Window

from lakehouse.metrics.survival import distances_of_total, months_lived, remaining_months, survival, survival_interval


def test_an_age_counts_calendar_months_from_the_first_with_mrr_to_the_one_without(spark):
    lives = spark.createDataFrame(
        [
            (date(2026, 3, 1), date(2026, 5, 1)),
            (date(2026, 3, 1), date(2026, 3, 20)),
            (date(2026, 3, 1), None),
        ],
        "cohort_month date, churn_date date",
    )
    ages = lives.select(months_lived(F.col("cohort_month"), F.col("churn_date"), date(2026, 6, 30)).alias("age"))
    assert [row.age for row in ages.collect()] == [2, 0, 3]


def test_a_constant_hazard_leaves_the_months_of_the_geometric_series(spark):
    by_age = Window.partitionBy("curve").orderBy("age")
    hazards = [("steady", age, 0.02) for age in range(61)] + [("lost", 0, 0.2), ("lost", 1, 1.0), ("lost", 2, 0.5)]
    curves = spark.createDataFrame(hazards, "curve string, age int, hazard double").withColumn(
        "survival", survival(F.col("hazard"), by_age)
    )
    ahead = remaining_months(F.col("survival"), F.col("age"), by_age.rangeBetween(1, 60), 0.10)
    found = {(row.curve, row.age): row for row in curves.withColumn("ahead", ahead).collect()}
    # q + q² + … + q^60 with q = 0.98 ÷ 1.1^(1/12).
    stay = 0.98 / 1.1 ** (1 / 12)
    assert found["steady", 0].ahead == pytest.approx(stay * (1 - stay**60) / (1 - stay))
    assert found["steady", 0].survival == pytest.approx(0.98)
    # Everybody lost at age 1: nothing ahead, and still something to divide by after.
    assert found["lost", 0].ahead == pytest.approx(0, abs=1e-8)
    assert found["lost", 2].survival == pytest.approx(0, abs=1e-8)


def test_more_events_narrow_the_interval_and_none_leave_it_open(spark):
    churned = spark.createDataFrame([(4,), (100,), (0,)], "churned bigint")
    low, high = survival_interval(F.lit(0.5), F.col("churned"))
    four, hundred, none = churned.select(low.alias("low"), high.alias("high")).collect()
    # 0.5^exp(±1.95996 ÷ 2) and 0.5^exp(±1.95996 ÷ 10).
    assert (four.low, four.high) == pytest.approx((0.15774, 0.77094), abs=1e-4)
    assert (hundred.low, hundred.high) == pytest.approx((0.43032, 0.56565), abs=1e-4)
    assert (none.low, none.high) == (None, None)


def test_errors_of_one_curve_add_up_and_those_of_curves_of_different_customers_as_squares(spark):
    # Each row: group, ltv_low, ltv_high around an ltv of 100, and the curve.
    members = [
        ("one curve", 97, 101, "segment", "SMB"),
        ("one curve", 96, 102, "segment", "SMB"),
        ("two curves", 97, 106, "segment", "SMB"),
        ("two curves", 96, 108, "segment", "Enterprise"),
        ("nested", 97, 106, "segment", "SMB"),
        ("nested", 96, 108, "segment", "Enterprise"),
        ("nested", 98, 105, "all", "all"),
        ("nothing ahead", 100, 100, "all", "all"),
    ]
    frame = spark.createDataFrame(
        [("plan", name, Decimal(100), Decimal(low), Decimal(high), *curve) for name, low, high, *curve in members],
        "dimension string, dimension_value string, ltv decimal(18,2), ltv_low decimal(18,2), ltv_high decimal(18,2),"
        " ltv_curve string, ltv_curve_value string",
    )
    found = {row.dimension_value: (row.below, row.above) for row in distances_of_total(frame).collect()}
    assert found == {
        "one curve": (3 + 4, 1 + 2),
        "two curves": (5, 10),  # √(3² + 4²), √(6² + 8²)
        "nested": (5 + 2, 10 + 5),
        "nothing ahead": (0, 0),
    }
