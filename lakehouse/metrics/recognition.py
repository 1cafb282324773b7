"""What the ledger earns against what the terms bill, in slices with a reason."""

from __future__ import annotations

from datetime import date
from functools import reduce
from operator import and_

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

    What is billed is earned day by day over the period, what is sold once at once. The ledger takes a day's part of the
    month instead (day_count), at the rate of the month's close (fx), and nothing after the service has ended
    (ended_early).
    """
    by_currency = _earned_by_month(lines, as_of)
    rated = with_rates(by_currency, rates, rates_on={"_closed_on": "_rate"}, reporting_currency=reporting_currency)
    rate, straight, early = F.col("_rate"), F.col("straight"), F.col("early")
    recognised = F.col("recognised_annual") + F.col("recognised_shorter")
    other_days = F.col("ledger") - (straight - early)
    most = _DAY_COUNT_TOLERANCE * F.greatest("ledger", F.abs(straight - early)) + CENT
    day_count = F.when(F.abs(other_days) <= most, "day_count").otherwise(UNEXPLAINED)
    parts = (
        _from_to("timing_annual_prepayment", "billed_annual", "recognised_annual"),
        _from_to("timing_billing_period", "billed_shorter", "recognised_shorter"),
        _from_to("one_time", "sold_once", "sold_once"),
        part(F.lit("fx"), to_amount=straight * rate - recognised),
        part(F.lit("ended_early"), to_amount=-early * rate),
        part(day_count, to_amount=other_days * rate),
    )
    explained = rated.select("customer_id", "month", F.inline(F.array(*parts)))
    revenue = customer_months.select("customer_id", "month", "revenue")
    return slices_of("terms_to_revenue", _with_remainder(explained, revenue))


def _from_to(reason: str, start: str, end: str) -> Column:
    return part(F.lit(reason), from_amount=F.col(start), to_amount=F.col(end))


def _earned_by_month(lines: DataFrame, as_of: date) -> DataFrame:
    """One row per customer, month and currency; ``_closed_on`` is the month's last day.

    In the reporting currency: what is billed from a day in the month on and the days' part of it (``recognised``), by
    the length of the billing interval, and what is sold once. In the native one: the same days' part (``straight``),
    what of it lies after the service (``early``), and the days' part of the items' monthly amounts (``ledger``).
    """
    last_day = F.least(F.date_sub("period_end", 1), F.lit(as_of))
    months = F.sequence(F.trunc("period_start", "month"), F.trunc(last_day, "month"), F.expr("INTERVAL 1 MONTH"))
    first_day = F.greatest("period_start", "month")
    next_day = F.date_add(F.least(F.last_day("month"), F.lit(as_of)), 1)

    def days_until(day: str) -> Column:
        return F.greatest(F.date_diff(F.least(day, next_day), first_day), F.lit(0))

    def share(amount: str, days: Column, of_days: Column) -> Column:
        return F.try_divide(F.col(amount) * days, of_days).cast(AMOUNT)

    def total(amount: Column, *conditions: Column) -> Column:
        return F.coalesce(F.sum(F.when(reduce(and_, conditions), amount)), F.lit(0)).cast(AMOUNT)

    is_once, is_annual = F.col("line_type") == "one_time", F.col("months_in_interval") >= _ANNUAL_MONTHS
    days, period_days = days_until("period_end"), F.date_diff("period_end", "period_start")
    is_billed, amount = F.col("month") == F.col("billing_month"), F.col("amount_reporting")
    recognised = share("amount_reporting", days, period_days)
    early = share("amount", days - days_until("served_until"), period_days)
    ledger = share("monthly_amount", days_until("held_until"), F.dayofmonth(F.last_day("month")))
    return (
        lines.withColumn("month", F.explode(months))
        .groupBy("customer_id", "month", "currency", F.last_day("month").alias("_closed_on"))
        .agg(
            total(amount, is_billed, ~is_once, is_annual).alias("billed_annual"),
            total(amount, is_billed, ~is_once, ~is_annual).alias("billed_shorter"),
            total(amount, is_once).alias("sold_once"),
            total(recognised, ~is_once, is_annual).alias("recognised_annual"),
            total(recognised, ~is_once, ~is_annual).alias("recognised_shorter"),
            total(share("amount", days, period_days), ~is_once).alias("straight"),
            total(early, ~is_once).alias("early"),
            total(ledger, ~is_once).alias("ledger"),
        )
    )


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
