"""How each customer uses the product: one row per customer with at least one event."""

from __future__ import annotations

from datetime import date

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lakehouse.metrics.ratios import safe_ratio
from lakehouse.rules import Part, Reconciliation
from lakehouse.table import SECONDS, Check, Column, Table

SUMMED = ("events", "sessions", "seconds", "errors")

table = Table(
    name="gold.customer_usage",
    description=__doc__,
    grain="customer with at least one event",
    key=("customer_id",),
    inputs={"usage_daily": "silver.usage_daily", "user_days": "silver.user_days"},
    settings=("as_of",),
    foreign_keys={"customer_id": "silver.customers"},
    may_be_orphans=("customer_id",),
    columns=(
        Column("customer_id", "string", "Customer", nullable=False),
        Column("first_used_date", "date", "Day of the first event", nullable=False),
        Column("last_used_date", "date", "Day of the last event", nullable=False),
        Column("used_days", "bigint", "Days with an event", nullable=False, minimum=1),
        Column("active_days", "bigint", "Days with an event other than a login", nullable=False, minimum=0),
        Column("events", "bigint", "Events, logins too", nullable=False, minimum=1),
        Column("events_per_active_day", "double", "events ÷ active_days", minimum=1),
        Column("active_users", "bigint", "Users who ever did more than log in", nullable=False, minimum=0),
        Column("categories_used", "int", "Event categories ever used", nullable=False, minimum=0, maximum=5),
        Column("sessions", "bigint", "Sessions, one past midnight on both days", nullable=False, minimum=0),
        Column("seconds", SECONDS, "Sum of the events' durations", nullable=False),
        Column("errors", "bigint", "Events that failed", nullable=False, minimum=0),
        Column("error_rate", "double", "errors ÷ events", nullable=False, minimum=0, maximum=1),
        Column("events_30d", "bigint", "Events in the 30 days to the as-of day", nullable=False, minimum=0),
        Column("events_prior_30d", "bigint", "Events in the 30 days before those", nullable=False, minimum=0),
        Column("trend", "double", "events_30d ÷ events_prior_30d; null without the latter", minimum=0),
    ),
    checks=(
        Check("used_between_first_and_last", "used_days <= date_diff(last_used_date, first_used_date) + 1"),
        Check("recent_are_part_of_all", "events_30d + events_prior_30d <= events"),
        Check("last_is_not_before_first", "last_used_date >= first_used_date"),
        Check("no_more_active_days_than_used_ones", "active_days <= used_days"),
    ),
    audits=(
        Reconciliation(
            "events_are_those_of_the_days",
            "sum(events)",
            (Part("silver.usage_daily", "sum(events)"),),
            by=("customer_id",),
        ),
        Reconciliation(
            "used_days_are_those_with_events",
            "sum(used_days)",
            (Part("silver.usage_daily", "count(*)"),),
            by=("customer_id",),
        ),
    ),
)


def transform(usage_daily: DataFrame, user_days: DataFrame, as_of: date) -> DataFrame:
    age_days = F.date_diff(F.lit(as_of), "usage_date")
    events = F.col("events")
    use = usage_daily.groupBy("customer_id").agg(
        *(F.sum(name).alias(name) for name in SUMMED),
        F.min("usage_date").alias("first_used_date"),
        F.max("usage_date").alias("last_used_date"),
        F.count("*").alias("used_days"),
        F.count_if(F.col("active_events") > 0).alias("active_days"),
        F.bit_count(F.bit_or("category_mask")).alias("categories_used"),
        F.sum(F.when(age_days < 30, events).otherwise(0)).alias("events_30d"),
        F.sum(F.when(age_days.between(30, 59), events).otherwise(0)).alias("events_prior_30d"),
    )
    users = user_days.filter("is_active").select("customer_id", "user_id").distinct()
    active_users = users.groupBy("customer_id").agg(F.count("*").alias("active_users"))
    described = (
        use.join(active_users, on="customer_id", how="left")
        .fillna(0, subset=["active_users"])
        .withColumns(
            {
                "events_per_active_day": safe_ratio(F.col("events"), F.col("active_days")),
                "error_rate": safe_ratio(F.col("errors"), F.col("events")),
                "trend": safe_ratio(F.col("events_30d"), F.col("events_prior_30d")),
            }
        )
    )
    return table.select(described)


if __name__ == "__main__":
    from lakehouse.submit import submit

    submit(table)
