"""Kaplan–Meier survival by age in months, and the discounted months that it leaves.

Age 0 is the close of a customer's first month with MRR.
"""

from __future__ import annotations

from datetime import date

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.window import WindowSpec

from lakehouse.metrics.breakdown import ALL, by_dimension
from lakehouse.metrics.ratios import Z_95
from lakehouse.table import MONEY

# What there are curves for; the finest first, in which order a customer's is looked for.
CURVES = {"segment_x_billing_cadence": ("segment", "billing_cadence"), "segment": ("segment",), ALL: ()}

# A survival of exactly zero would leave nothing to divide by at later ages.
HIGHEST_HAZARD = 1 - 1e-9


def months_lived(cohort_month: Column, churn_date: Column, as_of: date) -> Column:
    """Return the age at which a customer was lost, or that it has reached: months from cohort_month to that month.

    ``churn_date`` is the first day without MRR, null for who has some. Example: won in March, lost on 1 May: 2.
    """
    last_month = F.trunc(F.coalesce(churn_date, F.lit(as_of)), "month")
    return F.months_between(last_month, F.trunc(cohort_month, "month")).cast("int")


def survival(hazard: Column, by_age: WindowSpec) -> Column:
    """Return the share that survives each age: Π (1 − hazard) over the ages up to it.

    ``hazard`` is the share of those at risk who churn at an age (0–1); ``by_age`` one curve in order of age.
    Example: hazards 0.2, 0.25 give 0.8, 0.6. Kaplan & Meier (1958).
    """
    return F.exp(F.sum(F.log1p(-F.least(hazard, F.lit(HIGHEST_HAZARD)))).over(by_age))


def survival_interval(share: Column, churned: Column) -> tuple[Column, Column]:
    """Return the lower and upper 95 % bound of a survival curve that rests on ``churned`` events.

    The cumulative hazard of n events has a standard error of about 1/√n on the log scale, so the bounds are
    share^exp(±1.96/√n); null without an event.
    """
    spread = F.lit(Z_95) / F.sqrt(F.nullif(churned, F.lit(0)).cast("double"))
    return F.pow(share, F.exp(spread)), F.pow(share, F.exp(-spread))


def remaining_months(share: Column, age_months: Column, ahead: WindowSpec, discount_rate_per_year: float) -> Column:
    """Return the expected, discounted months that a survivor of ``age_months`` still stays.

    Σ S(age + t) ÷ S(age) ÷ (1 + rate)^(t/12) over the ages of ``ahead``, a window from one row after the current one to
    the horizon. Example: S falling by a tenth each month, no discount, a horizon of 2 months: 0.9 + 0.81 = 1.71.
    """
    # S(age + t) / (1 + r)^((age + t)/12) over S(age) / (1 + r)^(age/12) is the same quotient for every t.
    present = share / F.pow(F.lit(1 + discount_rate_per_year), age_months / F.lit(12.0))
    return F.try_divide(F.sum(present).over(ahead), present)


def on_survival_curve(customers: DataFrame, curves: DataFrame, as_of: date, min_churned: int) -> DataFrame:
    """Return one row per customer who ever had MRR: age_months, is_churned and its point of gold.survival_curves.

    The curve is the first of ``CURVES`` that rests on ``min_churned`` customers, or that of all;
    ``curve_dimension`` and ``curve_value`` name it.
    """
    age_months = months_lived(F.col("cohort_month"), F.col("churn_date"), as_of)
    won = customers.filter(F.col("cohort_month").isNotNull()).withColumn("age_months", age_months)
    usable = curves.filter((F.col("curve_churned") >= min_churned) | (F.col("dimension") == ALL))
    point = F.struct(
        "age_months",
        "is_churned",
        F.col("dimension").alias("curve_dimension"),
        F.col("dimension_value").alias("curve_value"),
        "curve_churned",
        "remaining_months",
        "remaining_months_low",
        "remaining_months_high",
        "monthly_churn_rate",
        "monthly_churn_rate_high",
    )
    return (
        by_dimension(won, CURVES)
        .join(usable, how="inner", on=["dimension", "dimension_value", "age_months"])
        .groupBy("customer_id")
        .agg(F.min_by(point, "dimension_rank").alias("point"))
        .select("customer_id", "point.*")
    )


def distances_of_total(customers: DataFrame) -> DataFrame:
    """Return how far below and above a group's total LTV its 95 % bounds lie: one row per dimension and value.

    ``customers`` has dimension, dimension_value, ltv with its bounds, ltv_curve and ltv_curve_value. An error of a curve
    is that of everybody on it, so there distances add up. Curves of one dimension rest on different customers, so
    theirs add as squares (the method of variance estimates recovery: Zou & Donner 2008, Construction of confidence
    limits about effect measures, Statistics in Medicine 27). Curves of different dimensions share customers; theirs
    add up, which is never too narrow. Example: 3 and 4 on two curves of segments and 2 on that of all: √(9 + 16) + 2.
    """
    group = ["dimension", "dimension_value"]
    distances = {"below": F.col("ltv") - F.col("ltv_low"), "above": F.col("ltv_high") - F.col("ltv")}
    of_curves = customers.groupBy(*group, "ltv_curve", "ltv_curve_value").agg(
        *(F.coalesce(F.sum(distance), F.lit(0)).cast(MONEY).alias(name) for name, distance in distances.items())
    )
    # Squares of decimals are exact, so that their sum has no order.
    of_dimensions = of_curves.groupBy(*group, "ltv_curve").agg(
        *(F.sqrt(F.sum(F.col(name) * F.col(name))).cast(MONEY).alias(name) for name in distances)
    )
    return of_dimensions.groupBy(group).agg(*(F.sum(name).alias(name) for name in distances))
