"""What sales does on a deal while it is open, and how long it waits in between."""

from __future__ import annotations

from datetime import date, timedelta

from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql.window import Window

from lakehouse.metrics.breakdown import UNKNOWN
from lakehouse.metrics.moments import days_between

OUTCOMES = ("won", "lost", "open")
BY = ("opportunity_type", "outcome", "segment")
MICROSECONDS_PER_WEEK = 7 * 86_400_000_000


def timed_deals(opportunities: DataFrame, as_of: date) -> DataFrame:
    """Return the deals whose time is known with ``BY``, created_at, ``until``, ``deal`` (1) and ``open_microseconds``.

    A deal is open from created_at until it closes, or the end of ``as_of``. ``opportunities`` are silver.opportunities.
    """
    as_of_end = F.lit(as_of + timedelta(days=1)).cast("timestamp")
    until = F.when(F.col("is_open"), as_of_end).otherwise(F.col("closed_at"))
    outcome = F.when(F.col("is_open"), "open").when(F.col("is_won"), "won").otherwise("lost")
    known = {name: F.coalesce(name, F.lit(UNKNOWN)).alias(name) for name in ("opportunity_type", "segment")}
    return opportunities.filter(until.isNotNull()).select(
        "opportunity_id", *known.values(), outcome.alias("outcome"), "created_at", until.alias("until"),
        F.lit(1).alias("deal"), (F.unix_micros(until) - F.unix_micros("created_at")).alias("open_microseconds"),
    )  # fmt: skip


def activity_steps(activities: DataFrame) -> DataFrame:
    """Return one row per activity of :func:`timed_deals`: its ``step`` (the type), whose first it is, and the days to it.

    Those are from the activity before, from the one before with the same contact of the deal, and for the first of all
    from the opening of the deal; null where there is none. Activities of one moment are 0 days apart.
    """
    way = Window.partitionBy("opportunity_id").orderBy("occurred_at", "activity_id")
    with_contact = Window.partitionBy("opportunity_id", "contact_id").orderBy("occurred_at", "activity_id")
    moment, has_contact = F.col("occurred_at"), F.col("contact_id").isNotNull()
    before, before_with_contact = F.lag(moment).over(way), F.lag(moment).over(with_contact)
    return activities.select(
        *BY,
        "contact_id",
        F.coalesce("activity_type", F.lit(UNKNOWN)).alias("step"),
        before.isNull().alias("is_first"),
        (has_contact & before_with_contact.isNull()).alias("is_first_with_contact"),
        days_between(before, moment).alias("days_between_activities"),
        F.when(has_contact, days_between(before_with_contact, moment)).alias("days_between_contact_activities"),
        F.when(before.isNull(), days_between(F.col("created_at"), moment)).alias("days_to_first_activity"),
    )
