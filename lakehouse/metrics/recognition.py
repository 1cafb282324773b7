"""What the ledger earns against what the terms bill, in slices with a reason."""

from __future__ import annotations

from datetime import date

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from lakehouse.metrics.currency import with_rates
from lakehouse.metrics.slices import CENT, UNEXPLAINED, part, slices_of
from lakehouse.types import AMOUNT

_ANNUAL_MONTHS = 12
# A month has 28 to 31 days, so that a day's part of it is at most 31 / 28 of a day's part of another.
_DAY_COUNT_TOLERANCE = 0.11


def terms_to_revenue(
    lines: DataFrame, customer_months: DataFrame, rates: DataFrame, *, as_of: date, reporting_currency: str
) -> DataFrame:
    """Return the slices from silver.billing_schedule, in the month of each line, to the ledger's revenue.

    What is billed is earned day by day over the period. The ledger takes a day's part of the month instead
    (day_count), at the rate of the month's close (fx), and nothing after the service has ended (ended_early).
    """
    is_once = F.col("line_type") == "one_time"
    timing = F.when(F.col("months_in_interval") >= _ANNUAL_MONTHS, "timing_annual_prepayment").otherwise(
        "timing_billing_period"
    )
    earned = _earned_by_month(lines.filter(~is_once), as_of).withColumn("reason", timing)
    recognised = earned.select(
        "customer_id", "month", "reason", F.lit(0).alias("from_amount"), F.col("recognised").alias("to_amount")
    )
    billed = lines.select(
        "customer_id",
        F.col("billing_month").alias("month"),
        F.when(is_once, "one_time").otherwise(timing).alias("reason"),
        F.col("amount_reporting").alias("from_amount"),
        F.when(is_once, F.col("amount_reporting")).otherwise(0).alias("to_amount"),
    )
    compared = _ledger_effects(earned, rates, reporting_currency)
    explained = billed.unionByName(recognised).unionByName(compared)
    revenue = customer_months.select("customer_id", "month", "revenue")
    return slices_of("terms_to_revenue", _with_remainder(explained, revenue))


def _earned_by_month(lines: DataFrame, as_of: date) -> DataFrame:
    """One row per line and month of its period, native amounts but for ``recognised``.

    ``straight`` is the days' part of the line, ``recognised`` the same in the reporting currency, ``early`` the part of
    it that lies after the service, ``ledger`` the days' part of the item's monthly amount.
    """
    last_day = F.least(F.date_sub("period_end", 1), F.lit(as_of))
    months = F.sequence(F.trunc("period_start", "month"), F.trunc(last_day, "month"), F.expr("INTERVAL 1 MONTH"))
    by_month = lines.withColumn("month", F.explode(months))
    first_day = F.greatest("period_start", "month")
    next_day = F.date_add(F.least(F.last_day("month"), F.lit(as_of)), 1)

    def days_until(day: str) -> Column:
        return F.greatest(F.date_diff(F.least(day, next_day), first_day), F.lit(0))

    def share(amount: str, days: Column, of_days: Column) -> Column:
        return F.try_divide(F.col(amount) * days, of_days).cast(AMOUNT)

    days, period_days = days_until("period_end"), F.date_diff("period_end", "period_start")
    return by_month.withColumns(
        {
            "straight": share("amount", days, period_days),
            "recognised": share("amount_reporting", days, period_days),
            "early": share("amount", days - days_until("served_until"), period_days),
            "ledger": share("monthly_amount", days_until("held_until"), F.dayofmonth(F.last_day("month"))),
        }
    )


def _ledger_effects(earned: DataFrame, rates: DataFrame, reporting_currency: str) -> DataFrame:
    """What the ledger values otherwise than day by day, as slices from nothing."""
    sums = ("straight", "recognised", "early", "ledger")
    by_currency = (
        earned.groupBy("customer_id", "month", "currency")
        .agg(*(F.sum(name).cast(AMOUNT).alias(name) for name in sums))
        .withColumn("_closed_on", F.last_day("month"))
    )
    rated = with_rates(by_currency, rates, rates_on={"_closed_on": "_rate"}, reporting_currency=reporting_currency)
    served = F.col("straight") - F.col("early")
    other_days = F.col("ledger") - served
    most = _DAY_COUNT_TOLERANCE * F.greatest("ledger", F.abs(served)) + CENT
    parts = (
        part(F.lit("fx"), to_amount=F.col("straight") * F.col("_rate") - F.col("recognised")),
        part(F.lit("ended_early"), to_amount=-F.col("early") * F.col("_rate")),
        part(
            F.when(F.abs(other_days) <= most, "day_count").otherwise(UNEXPLAINED), to_amount=other_days * F.col("_rate")
        ),
    )
    return rated.select("customer_id", "month", F.inline(F.array(*parts)))


def _with_remainder(explained: DataFrame, revenue: DataFrame) -> DataFrame:
    """Add what is still missing to the revenue of each customer and month: a cent of rounding, or unexplained."""
    slices = F.struct(
        "reason",
        F.col("from_amount").cast(AMOUNT).alias("from_amount"),
        F.col("to_amount").cast(AMOUNT).alias("to_amount"),
    )
    by_month = (
        explained.unionByName(revenue, allowMissingColumns=True)
        .groupBy("customer_id", "month")
        .agg(
            F.collect_list(F.when(F.col("reason").isNotNull(), slices)).alias("slices"),
            (F.coalesce(F.sum("revenue"), F.lit(0)) - F.coalesce(F.sum("to_amount"), F.lit(0))).alias("remainder"),
        )
    )
    remainder = F.col("remainder")
    rest = part(F.when(F.abs(remainder) <= 2 * CENT, "rounding").otherwise(UNEXPLAINED), to_amount=remainder)
    return by_month.select("customer_id", "month", F.inline(F.concat("slices", F.array(rest))))


def revenue_to_mrr(customer_months: DataFrame) -> DataFrame:
    """Return the slices from the ledger's revenue of a month to the MRR at its close."""
    average, closing = F.col("average_daily_mrr"), F.col("closing_mrr")
    parts = (
        part(
            F.when(average == closing, "agreed").otherwise("change_within_month"),
            from_amount=average,
            to_amount=closing,
        ),
        part(F.lit("one_time"), from_amount=F.col("one_time_amount")),
    )
    return slices_of("revenue_to_mrr", customer_months.select("customer_id", "month", F.inline(F.array(*parts))))
