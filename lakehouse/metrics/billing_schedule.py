"""What the terms of subscriptions say is to be billed, and when: independent of any invoice.

A subscription is billed in advance, one billing interval at a time, from the first day of a run: an unbroken stretch
of terms with the same interval that bear revenue. Months are counted from the subscription's first such day, so that
one begun on the 31st is billed on the 28th of February and on the 31st of March. Terms that replace others inside a
period are billed the difference for what is left of it, by days; terms that end inside a period without others in
their place are credited nothing.
"""

from __future__ import annotations

from datetime import date

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.window import Window

from lakehouse.metrics.ledger import SOLD_STATUSES
from lakehouse.types import AMOUNT

_OPEN = date(9999, 12, 31)
_SUBSCRIPTION = ("customer_id", "subscription_id")
_DAYS_PER_UNIT = {"day": 1, "week": 7}
_MONTHS_PER_UNIT = {"month": 1, "year": 12}


def billing_lines(subscriptions: DataFrame, as_of: date) -> DataFrame:
    """Return one row per item of silver.subscriptions and billing period up to ``as_of``, and per one-time item.

    ``line_type`` is period (all of the amount), proration (the difference to the terms before, for what is left of the
    period; a credit is negative) or one_time. ``amount`` is before tax, in ``currency``. Days are exclusive:
    ``period_start`` to ``period_end`` is what it bills, ``held_until`` the item's end in it, and ``served_until`` that of
    the last of the items that replaced each other.
    """
    periods = _periods(_with_runs(subscriptions), as_of)
    starts_inside = F.col("start_date") > F.col("_begins")
    rest = F.date_diff("_ends", "start_date")
    difference = F.col("amount") - F.coalesce("_amount_before", F.lit(0))
    prorated = F.try_divide(difference * rest, F.date_diff("_ends", "_begins")).cast(AMOUNT)
    recurring = periods.withColumns(
        {
            "line_type": F.when(starts_inside, "proration").otherwise("period"),
            "period_start": F.greatest("_begins", "start_date"),
            "period_end": F.col("_ends"),
            "held_until": F.least("_ends", "end_date"),
            "served_until": F.least("_ends", "_served_until"),
            "amount": F.when(starts_inside, prorated).otherwise(F.col("amount")),
        }
    )
    sold_once = subscriptions.filter(~F.col("is_recurring") & F.col("status").isin(*SOLD_STATUSES))
    next_day = F.date_add("start_date", 1)
    one_time = sold_once.withColumns(
        {
            "line_type": F.lit("one_time"),
            "period_start": F.col("start_date"),
            "period_end": next_day,
            "held_until": next_day,
            "served_until": next_day,
        }
    )
    return recurring.unionByName(one_time, allowMissingColumns=True)


def _with_runs(subscriptions: DataFrame) -> DataFrame:
    """The recurring items that bear revenue, with their run and with what they replace.

    ``_anchor`` is the subscription's first day, ``_run_start`` that of the run; ``_amount_before`` is null where nothing
    is replaced; ``_served_until`` is the end of the last of the items that replaced each other, far ahead while open.
    """
    bears = F.col("is_recurring") & F.col("status").isin(*SOLD_STATUSES)
    held = subscriptions.filter(bears & ~F.col("end_date").eqNullSafe(F.col("start_date")))
    in_order = ("start_date", "subscription_item_id")
    same_interval = Window.partitionBy(*_SUBSCRIPTION, "billing_interval", "interval_count").orderBy(*in_order)
    before = same_interval.rowsBetween(Window.unboundedPreceding, -1)
    end_date = F.coalesce("end_date", F.lit(_OPEN))
    opens_run = F.coalesce(F.col("start_date") > F.max(end_date).over(before), F.lit(True))
    in_place = Window.partitionBy(*_SUBSCRIPTION, "item_type", "add_on_id", "billing_interval", "interval_count")
    one_by_one = in_place.orderBy(*in_order)
    replaces = F.coalesce(F.lag("end_date").over(one_by_one) == F.col("start_date"), F.lit(False))
    marked = held.withColumns(
        {
            "_anchor": F.min("start_date").over(Window.partitionBy(*_SUBSCRIPTION)),
            "_run_opened": F.when(opens_run, F.col("start_date")),
            "_chain_opened": F.when(~replaces, F.col("start_date")),
            "_amount_before": F.when(replaces, F.lag("amount").over(one_by_one)),
        }
    ).withColumns(
        {
            "_run_start": F.last("_run_opened", ignorenulls=True).over(same_interval),
            "_chain_start": F.last("_chain_opened", ignorenulls=True).over(one_by_one),
        }
    )
    chain = Window.partitionBy(
        *_SUBSCRIPTION, "item_type", "add_on_id", "billing_interval", "interval_count", "_chain_start"
    )
    return marked.withColumn("_served_until", F.max(end_date).over(chain))


def _periods(items: DataFrame, as_of: date) -> DataFrame:
    """One row per item and billing period that it touches: from ``_begins`` to ``_ends`` (exclusive)."""
    last_day = F.least(F.date_sub("end_date", 1), F.lit(as_of))
    numbers = F.sequence(_period_number(F.col("start_date")), _period_number(last_day))
    return items.withColumn("_number", F.explode(numbers)).withColumns(
        {"_begins": _boundary(F.col("_number")), "_ends": _boundary(F.col("_number") + 1)}
    )


def _boundary(number: Column) -> Column:
    """The first day of a run's period, counted from 0."""
    months, days = _units(_MONTHS_PER_UNIT), _units(_DAYS_PER_UNIT)
    into_subscription = _months_between(F.col("_anchor"), F.col("_run_start"))
    return F.when(days.isNotNull(), F.date_add("_run_start", (number * days).cast("int"))).otherwise(
        F.add_months("_anchor", (into_subscription + number * months).cast("int"))
    )


def _period_number(day: Column) -> Column:
    """The period of a run in which a day lies."""
    months, days = _units(_MONTHS_PER_UNIT), _units(_DAYS_PER_UNIT)
    by_month = F.floor(_months_between(F.col("_run_start"), day) / months)
    # The day may come before the boundary in its month.
    by_month = by_month - (_boundary(by_month) > day).cast("int")
    by_day = F.floor(F.date_diff(day, F.col("_run_start")) / days)
    return F.when(days.isNotNull(), by_day).otherwise(by_month)


def _units(sizes: dict[str, int]) -> Column:
    """Months, or days, in the billing interval; null where it is not made of them."""
    cases = (F.when(F.col("billing_interval") == name, F.col("interval_count") * size) for name, size in sizes.items())
    return F.coalesce(*cases)


def _months_between(start: Column, end: Column) -> Column:
    """Calendar months between the months of two days."""
    return (F.year(end) - F.year(start)) * 12 + F.month(end) - F.month(start)
