"""The movement ledger under the policy `board` (source: "Monthly recurring revenue" in the metric definitions).

An item counts on a day when start_date <= day < end_date. A customer's MRR at a month's close is the sum of what its
items are worth by the month, converted with that day's rate and rounded half up to the cent; every month opens with
what the month before closed with. Expansion, contraction and churn are valued at the opening rate, new and reactivation
at the closing rate; what is left between the two rates is fx.
"""

from __future__ import annotations

from datetime import date

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.window import Window

from lakehouse.metrics.currency import with_rates
from lakehouse.table import AMOUNT, MONEY

# canceled: it ended at end_date and counted until then. Trials, pauses and unpaid periods bear nothing.
BEARING_STATUSES = ("active", "past_due", "canceled")


def month_balances(subscriptions: DataFrame, rates: DataFrame, *, as_of: date, reporting_currency: str) -> DataFrame:
    """Return the MRR with which each customer opens and closes each month: one row per customer and month with any.

    Of silver.subscriptions up to ``as_of``, in the reporting currency to the cent: ``opening_mrr``, ``closing_mrr``,
    ``closing_at_opening_rate``, the ``increase`` and ``decrease`` between them (summed over currencies, at the opening
    rate), ``last_mrr`` (on the month's last day with MRR, at the closing rate) and ``average_daily_mrr`` (over all days
    of the month, at the closing rate); ``seats`` at the close; ``plan_id`` and ``billing_cadence`` of the item that is
    worth most on the last day with MRR.
    """
    held = with_rates(
        _held_items(subscriptions, as_of),
        rates,
        rates_on={"_opened_on": "_opening_rate", "_closed_on": "_closing_rate"},
        reporting_currency=reporting_currency,
    )
    last_day = F.max("_held_to").over(Window.partitionBy("customer_id", "month"))
    by_currency = _native_balances(held.withColumn("_is_last", F.col("_held_to") == last_day))

    change = F.col("_closing") - F.col("_opening")
    # A currency that had no rate yet when the month opened takes the closing one.
    opening_rate, closing_rate = F.coalesce("_opening_rate", "_closing_rate"), F.col("_closing_rate")
    daily_mean = F.sum(F.col("_over_days") * closing_rate) / F.dayofmonth(F.last_day("month"))
    balances = by_currency.groupBy("customer_id", "month").agg(
        _converted(F.col("_opening"), opening_rate).alias("opening_mrr"),
        _converted(F.col("_closing"), opening_rate).alias("closing_at_opening_rate"),
        _converted(F.greatest(change, F.lit(0)), opening_rate).alias("increase"),
        _converted(F.greatest(-change, F.lit(0)), opening_rate).alias("decrease"),
        _converted(F.col("_closing"), closing_rate).alias("closing_mrr"),
        _converted(F.col("_last"), closing_rate).alias("last_mrr"),
        daily_mean.cast(MONEY).alias("average_daily_mrr"),
        F.sum("_seats").alias("seats"),
        F.max("_largest").alias("_largest"),
    )
    has_mrr = (F.col("opening_mrr") > 0) | (F.col("last_mrr") > 0)
    return balances.filter(has_mrr).select("*", "_largest.plan_id", "_largest.billing_cadence").drop("_largest")


def with_movements(balances: DataFrame) -> DataFrame:
    """Return the balances with the components, the movement, ``cohort_month`` and ``age_months``.

    A month that neither opens nor closes with MRR but had some in between is both an arrival and a churn, of the MRR
    of its last such day. Who comes is new the first time and reactivated later.
    """
    cohort_month = F.min("month").over(Window.partitionBy("customer_id"))
    opening, closing = F.col("opening_mrr"), F.col("closing_mrr")
    opens, closes, is_first = opening > 0, closing > 0, F.col("month") == F.col("cohort_month")
    change = F.col("closing_at_opening_rate") - opening
    # What goes up in one currency while it goes down in another is both expansion and contraction.
    both_ways = F.least("increase", "decrease")
    stays = opens & closes
    return balances.withColumn("cohort_month", cohort_month).withColumns(
        {
            "new_mrr": F.when(~opens & is_first, F.col("last_mrr")).otherwise(0),
            "reactivation_mrr": F.when(~opens & ~is_first, F.col("last_mrr")).otherwise(0),
            "expansion_mrr": F.when(stays, both_ways + F.greatest(change, F.lit(0))).otherwise(0),
            "contraction_mrr": F.when(stays, both_ways + F.greatest(-change, F.lit(0))).otherwise(0),
            "churned_mrr": F.when(~closes, F.when(opens, opening).otherwise(F.col("last_mrr"))).otherwise(0),
            "fx_mrr": F.when(stays, closing - F.col("closing_at_opening_rate")).otherwise(0),
            "movement": F.when(~closes, "churn")
            .when(~opens & is_first, "new")
            .when(~opens, "reactivation")
            .when(change > 0, "expansion")
            .when(change < 0, "contraction")
            .otherwise("none"),
            "age_months": F.months_between("month", "cohort_month").cast("int"),
        }
    )


def one_time_amounts(subscriptions: DataFrame) -> DataFrame:
    """Return ``one_time_amount``, the one-time items that start in a month: one row per customer and month with any.

    Of silver.subscriptions, in the reporting currency at the rate of each item's first day, to the cent.
    """
    is_sold = ~F.col("is_recurring") & F.col("status").isin(*BEARING_STATUSES)
    sold = subscriptions.filter(is_sold).withColumn("month", F.trunc("start_date", "month"))
    return sold.groupBy("customer_id", "month").agg(F.sum("amount_reporting").cast(MONEY).alias("one_time_amount"))


def _held_items(subscriptions: DataFrame, as_of: date) -> DataFrame:
    """One row per item that bears revenue and month which it opens or in which it is held; days are inclusive."""
    held_through = F.least(F.date_sub("end_date", 1), F.lit(as_of))
    last_opened = F.trunc(F.date_add("_held_through", 1), "month")
    months = F.sequence(
        F.trunc("start_date", "month"),
        F.least(last_opened, F.trunc(F.lit(as_of), "month")),
        F.expr("INTERVAL 1 MONTH"),
    )
    items = subscriptions.filter(F.col("bears_revenue") & (F.col("start_date") <= F.lit(as_of)))
    by_month = items.withColumn("_held_through", held_through).withColumn("month", F.explode(months))
    return by_month.withColumns(
        {
            "_opened_on": F.date_sub("month", 1),
            "_closed_on": F.last_day("month"),
            "_held_from": F.greatest("start_date", "month"),
            # The day before the month for an item that it opens with and that is not held any more.
            "_held_to": F.least("_held_through", F.last_day("month")),
        }
    )


def _native_balances(held: DataFrame) -> DataFrame:
    """One row per customer, month and currency: what its items are worth by the month, in that currency."""
    amount = F.col("monthly_amount")
    opens, closes = F.col("start_date") < F.col("month"), F.col("_held_to") == F.col("_closed_on")
    held_days = F.date_diff("_held_to", "_held_from") + 1
    worth = (amount * F.col("_closing_rate")).alias("worth")
    largest = F.struct(worth, "subscription_item_id", "plan_id", "billing_cadence")
    seats = F.when(closes & (F.col("item_type") == "plan"), F.col("quantity"))
    return held.groupBy("customer_id", "month", "currency", "_opening_rate", "_closing_rate").agg(
        _sum_where(opens, amount).alias("_opening"),
        _sum_where(closes, amount).alias("_closing"),
        _sum_where(F.col("_is_last"), amount).alias("_last"),
        F.sum(amount * held_days).cast(AMOUNT).alias("_over_days"),
        F.coalesce(F.sum(seats), F.lit(0)).alias("_seats"),
        F.max(F.when(F.col("_is_last"), largest)).alias("_largest"),
    )


def _sum_where(condition: Column, amount: Column) -> Column:
    return F.coalesce(F.sum(F.when(condition, amount)), F.lit(0)).cast(AMOUNT)


def _converted(amount: Column, rate: Column) -> Column:
    return F.sum(amount * rate).cast(MONEY)
