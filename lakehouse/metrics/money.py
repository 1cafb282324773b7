"""Prices per billing interval as monthly amounts (source: "Monthly recurring revenue" in the metric definitions)."""

from __future__ import annotations

from collections.abc import Callable

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from lakehouse.table import AMOUNT

WEEKS_PER_YEAR = 52


def months_in_interval(interval: Column, count: Column, *, weeks_per_year: int = WEEKS_PER_YEAR) -> Column:
    """Return the months in ``count`` billing intervals, decimal(18,6): month x 3 is 3, week x 1 is 0.230769.

    Null for an unknown interval and for a count that is not positive.
    """
    return _by_interval(interval, count, weeks_per_year, lambda months, intervals, units: units * months / intervals)


def monthly_amount(amount: Column, interval: Column, count: Column, *, weeks_per_year: int = WEEKS_PER_YEAR) -> Column:
    """Return ``amount`` per ``count`` billing intervals as an amount per month, decimal(18,6), rounded half up.

    12 a week is 12 x 52 / 12 = 52 a month. Null where :func:`months_in_interval` is.
    """
    price = amount.cast(AMOUNT)
    return _by_interval(
        interval, count, weeks_per_year, lambda months, intervals, units: price * intervals / (units * months)
    )


def billing_cadence(interval: Column, count: Column) -> Column:
    """Return the name of the longest usual cadence that the billing interval fills.

    1-2 months are monthly, 3-11 quarterly, 12 annual, more multi_year; weeks are weekly and days daily.
    """
    months = F.when(interval == "year", count * 12).when(interval == "month", count)
    return (
        F.when(interval == "day", "daily")
        .when(interval == "week", "weekly")
        .when(months < 3, "monthly")
        .when(months < 12, "quarterly")
        .when(months == 12, "annual")
        .when(months > 12, "multi_year")
    )


def with_monthly_amounts(terms: DataFrame, *, weeks_per_year: int = WEEKS_PER_YEAR) -> DataFrame:
    """Return received terms with their interval's months and cadence and with list, discount and net by the month.

    ``amount`` is the net. The discount is what lies between it and the list price, so it never exceeds the price; a
    one-time item has nothing by the month.
    """
    interval, count = F.col("billing_interval"), F.col("interval_count")
    is_recurring = ~F.col("item_type").eqNullSafe("one_time")
    list_amount = F.coalesce("list_amount", F.col("amount") + F.coalesce("discount_amount", F.lit(0)))

    def per_month(amount: Column) -> Column:
        monthly = monthly_amount(amount, interval, count, weeks_per_year=weeks_per_year)
        return F.when(is_recurring, monthly).otherwise(0)

    return terms.withColumns(
        {
            "is_recurring": is_recurring,
            "months_in_interval": months_in_interval(interval, count, weeks_per_year=weeks_per_year),
            "billing_cadence": billing_cadence(interval, count),
            "monthly_list_amount": per_month(F.greatest(list_amount, "amount")),
            "monthly_amount": per_month(F.col("amount")),
        }
    ).withColumn("monthly_discount_amount", F.col("monthly_list_amount") - F.col("monthly_amount"))


def _by_interval(
    interval: Column, count: Column, weeks_per_year: int, value: Callable[[int, int, Column], Column]
) -> Column:
    # A year has 12 months and 365 days.
    months_per_intervals = {"day": (12, 365), "week": (12, weeks_per_year), "month": (1, 1), "year": (12, 1)}
    units = F.when(count > 0, count.cast("decimal(10,0)"))
    cases = (
        F.when(interval == name, value(months, intervals, units).cast(AMOUNT))
        for name, (months, intervals) in months_per_intervals.items()
    )
    return F.coalesce(*cases)
