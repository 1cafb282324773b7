"""The movement ledger (source: "Monthly recurring revenue" in the metric definitions).

A customer's MRR at a month's close is the sum of what its terms are worth by the month, converted with that day's rate
and rounded half up to the cent; every month opens with what the month before closed with. Expansion, contraction and
churn are valued at the opening rate, new and reactivation at the closing rate; what is left between the two rates is fx.
"""

from __future__ import annotations

from datetime import date

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.window import Window

from lakehouse.metrics.currency import with_rates
from lakehouse.metrics.split import EXACT, line_states, with_line_changes, with_list_prices
from lakehouse.table import AMOUNT, MONEY

# One-time items in these statuses are sold, whatever the policy says of terms.
SOLD_STATUSES = ("active", "past_due", "canceled")

# Terms without a price, where they count, at the two closes and in between.
_FREE = ("_opens_free", "_closes_free", "_passes_free")

# The days whose rates a month is converted with; each is the same for all items of a customer, month and currency.
_RATES_ON = {
    "_opening_rate_on": "_opening_rate",
    "_closing_rate_on": "_closing_rate",
    "_year_ago_rate_on": "_year_ago_rate",
    "_cohort_rate_on": "_cohort_rate",
}
_ONE_RATE = ("customer_id", "month", "currency", *_RATES_ON.values())


def month_balances(
    terms: DataFrame, rates: DataFrame, plans: DataFrame, *, as_of: date, reporting_currency: str
) -> DataFrame:
    """Return the MRR with which each customer opens and closes each month: one row per customer and month with any.

    Of the terms that count (:func:`lakehouse.metrics.terms.counted_terms`) up to ``as_of``, in the reporting currency
    to the cent: ``opening_mrr``, ``closing_mrr``, ``closing_at_opening_rate``, the ``increase`` and ``decrease`` between
    them (summed over currencies, at the opening rate), ``last_mrr`` (on the month's last day with MRR, at the closing
    rate) and ``average_daily_mrr`` (over all days of the month, at the closing rate); the closing MRR also at the rates of the close twelve months before and of the
    customer's first month, and ``notice_mrr``, the part of it that has been cancelled by the close and ends after it;
    ``seats`` at the close; ``plan_id``, ``billing_cadence`` and ``billing_currency`` of the item that is worth most on
    the last day with MRR; ``was_active`` and ``is_active``: has MRR at the two closes, or terms without a price if such
    count. The exact parts of the change, for :func:`lakehouse.metrics.split.with_split`, are at the opening rate.
    ``plans`` is the clean bronze.plans. The month of ``as_of`` closes with it.
    """
    held = with_rates(
        _held_items(terms, as_of),
        rates,
        rates_on=_RATES_ON,
        reporting_currency=reporting_currency,
    )
    by_currency = _native_balances(with_list_prices(held, plans).transform(_with_lines))

    change = F.col("_closing") - F.col("_opening")
    # A currency that had no rate yet on an earlier day takes the closing one.
    opening_rate, closing_rate = F.coalesce("_opening_rate", "_closing_rate"), F.col("_closing_rate")
    year_ago_rate, cohort_rate = F.coalesce("_year_ago_rate", closing_rate), F.coalesce("_cohort_rate", closing_rate)
    daily_mean = F.sum(F.col("_over_days") * closing_rate) / F.dayofmonth(_closed_on(as_of))
    balances = by_currency.groupBy("customer_id", "month").agg(
        _converted(F.col("_opening"), opening_rate).alias("opening_mrr"),
        _converted(F.col("_closing"), opening_rate).alias("closing_at_opening_rate"),
        _converted(F.greatest(change, F.lit(0)), opening_rate).alias("increase"),
        _converted(F.greatest(-change, F.lit(0)), opening_rate).alias("decrease"),
        _converted(F.col("_closing"), closing_rate).alias("closing_mrr"),
        _converted(F.col("_closing"), year_ago_rate).alias("closing_mrr_at_year_ago_rates"),
        _converted(F.col("_closing"), cohort_rate).alias("closing_mrr_at_cohort_rates"),
        _converted(F.col("_notice"), closing_rate).alias("notice_mrr"),
        _converted(F.col("_last"), closing_rate).alias("last_mrr"),
        daily_mean.cast(MONEY).alias("average_daily_mrr"),
        F.sum("_seats").alias("seats"),
        F.max("_largest").alias("_largest"),
        *(F.bool_or(name).alias(name) for name in _FREE),
        *(F.sum(F.col(part) * opening_rate).alias(part) for part in EXACT.values()),
    )
    was_active = (F.col("opening_mrr") > 0) | F.col("_opens_free")
    is_active = (F.col("closing_mrr") > 0) | F.col("_closes_free")
    is_seen = was_active | (F.col("last_mrr") > 0) | F.col("_passes_free")
    return (
        balances.filter(is_seen)
        .withColumns({"was_active": was_active, "is_active": is_active})
        .select("*", "_largest.*")
        .drop("_largest", "worth", "subscription_item_id", *_FREE)
    )


def with_movements(balances: DataFrame, *, shows_new_and_churn: Column) -> DataFrame:
    """Return the balances with the components, the movement, ``cohort_month`` and ``age_months``.

    A month that neither opens nor closes with MRR but had some in between is both an arrival and a churn, of the MRR
    of its last such day, or where ``shows_new_and_churn`` is false left out. Who comes is new the first time and
    reactivated later.
    """
    shown = balances.filter(F.col("was_active") | F.col("is_active") | shows_new_and_churn)
    cohort_month = F.min("month").over(Window.partitionBy("customer_id"))
    opening, closing = F.col("opening_mrr"), F.col("closing_mrr")
    opens, closes, is_first = F.col("was_active"), F.col("is_active"), F.col("month") == F.col("cohort_month")
    change = F.col("closing_at_opening_rate") - opening
    # What goes up in one currency while it goes down in another is both expansion and contraction.
    both_ways = F.least("increase", "decrease")
    stays = opens & closes
    return shown.withColumn("cohort_month", cohort_month).withColumns(
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
    is_sold = ~F.col("is_recurring") & F.col("status").isin(*SOLD_STATUSES)
    sold = subscriptions.filter(is_sold).withColumn("month", F.trunc("start_date", "month"))
    return sold.groupBy("customer_id", "month").agg(F.sum("amount_reporting").cast(MONEY).alias("one_time_amount"))


def _closed_on(as_of: date) -> Column:
    return F.least(F.last_day("month"), F.lit(as_of))


def _held_items(terms: DataFrame, as_of: date) -> DataFrame:
    """One row per item that counts and month which it opens or in which it is held; days are inclusive."""
    held_through = F.least(F.date_sub("end_date", 1), F.lit(as_of))
    last_opened = F.trunc(F.date_add("_held_through", 1), "month")
    months = F.sequence(
        F.trunc("start_date", "month"),
        F.least(last_opened, F.trunc(F.lit(as_of), "month")),
        F.expr("INTERVAL 1 MONTH"),
    )
    closes = F.col("_held_through") >= _closed_on(as_of)
    begun = terms.filter(F.col("start_date") <= F.lit(as_of)).withColumn("_held_through", held_through)
    return begun.withColumn("month", F.explode(months)).withColumns(
        {
            "_opening_rate_on": F.coalesce("rated_on", F.date_sub("month", 1)),
            "_closing_rate_on": F.coalesce("rated_on", _closed_on(as_of)),
            "_year_ago_rate_on": F.coalesce("rated_on", F.last_day(F.add_months("month", -12))),
            "_cohort_rate_on": F.coalesce(
                "rated_on", F.last_day(F.min("month").over(Window.partitionBy("customer_id")))
            ),
            "_held_from": F.greatest("start_date", "month"),
            # The day before the month for an item that it opens with and that is not held any more.
            "_held_to": F.least("_held_through", _closed_on(as_of)),
            "_opens": F.col("start_date") < F.col("month"),
            "_closes": closes,
            # Said by the close, and the end still ahead.
            "_is_in_notice": closes & (F.to_date("canceled_at") <= _closed_on(as_of)) & F.col("end_date").isNotNull(),
            "_is_plan": ~F.col("item_type").eqNullSafe("add_on"),
        }
    )


def _with_lines(held: DataFrame) -> DataFrame:
    """Tell who is held on the customer's last day of the month, and which items follow one another.

    The terms of a customer with one plan at a time are one line, whatever subscription they are under; several plans at
    once are a line for each subscription.
    """
    by_month = Window.partitionBy("customer_id", "month")
    plans = (F.sum((F.col(at) & F.col("_is_plan")).cast("int")).over(by_month) for at in ("_opens", "_closes"))
    has_several = F.greatest(*plans) > 1
    return held.withColumns(
        {
            "_is_last": F.col("_held_to") == F.max("_held_to").over(by_month),
            "_line": F.when(has_several, F.coalesce("subscription_id", "subscription_item_id")).otherwise(""),
        }
    )


def _native_balances(held: DataFrame) -> DataFrame:
    """One row per customer, month and currency: what its items are worth by the month, in that currency."""
    amount, opens, closes = F.col("monthly_amount"), F.col("_opens"), F.col("_closes")
    is_free, passes = amount == 0, F.col("_held_to") >= F.col("month")
    held_days = F.date_diff("_held_to", "_held_from") + 1
    worth = (amount * F.col("_closing_rate")).alias("worth")
    billing_currency = F.col("currency").alias("billing_currency")
    largest = F.struct(worth, "subscription_item_id", "plan_id", "billing_cadence", billing_currency)
    seats = F.when(closes & (F.col("item_type") == "plan"), F.col("quantity"))
    by_line = held.groupBy(*_ONE_RATE, "_line").agg(
        _sum_where(opens, amount).alias("_opening"),
        _sum_where(closes, amount).alias("_closing"),
        _sum_where(F.col("_is_in_notice"), amount).alias("_notice"),
        _sum_where(F.col("_is_last"), amount).alias("_last"),
        F.sum(amount * held_days).cast(AMOUNT).alias("_over_days"),
        F.coalesce(F.sum(seats), F.lit(0)).alias("_seats"),
        F.max(F.when(F.col("_is_last"), largest)).alias("_largest"),
        *(F.bool_or(is_free & holds).alias(name) for name, holds in zip(_FREE, (opens, closes, passes), strict=True)),
        *(state.alias(name) for name, state in line_states().items()),
    )
    amounts = ("_opening", "_closing", "_notice", "_last", "_over_days", *EXACT.values())
    return (
        by_line.transform(with_line_changes)
        .groupBy(*_ONE_RATE)
        .agg(
            *(F.sum(name).cast(AMOUNT).alias(name) for name in amounts),
            F.sum("_seats").alias("_seats"),
            F.max("_largest").alias("_largest"),
            *(F.bool_or(name).alias(name) for name in _FREE),
        )
    )


def _sum_where(condition: Column, amount: Column) -> Column:
    return F.coalesce(F.sum(F.when(condition, amount)), F.lit(0)).cast(AMOUNT)


def _converted(amount: Column, rate: Column) -> Column:
    return F.sum(amount * rate).cast(MONEY)
