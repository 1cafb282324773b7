"""How much each customer used the product on each day: one row per customer and day with at least one event."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lakehouse.events import COUNTED_TYPES
from lakehouse.rules import Freshness, Part, Reconciliation, Volume
from lakehouse.table import SECONDS, Check, Column, Table

SUMMED = ("events", "active_events", "sessions", "seconds", "errors", *COUNTED_TYPES)

table = Table(
    name="silver.usage_daily",
    description=__doc__,
    grain="customer × day with at least one event",
    key=("customer_id", "usage_date"),
    inputs={"user_days": "silver.user_days"},
    foreign_keys={"customer_id": "silver.customers", "usage_date": "silver.dim_date"},
    may_be_orphans=("customer_id", "usage_date"),
    by_month="usage_month",
    export_as="fct_usage",
    columns=(
        Column("customer_id", "string", "Customer", nullable=False),
        Column("usage_date", "date", "Day, UTC", nullable=False),
        Column("usage_month", "date", "First day of the month", nullable=False),
        Column("events", "bigint", "Events of all its users", nullable=False, minimum=1),
        Column("active_events", "bigint", "Events other than logins", nullable=False, minimum=0),
        Column("users", "bigint", "Users with any event", nullable=False, minimum=1),
        Column("active_users", "bigint", "Users with an event other than a login", nullable=False, minimum=0),
        Column("logged_in_users", "bigint", "Users who logged in", nullable=False, minimum=0),
        Column("sessions", "bigint", "Sessions with an event on the day", nullable=False, minimum=0),
        Column("seconds", SECONDS, "Sum of the durations, to the millisecond", nullable=False),
        Column("errors", "bigint", "Events that failed", nullable=False, minimum=0),
        Column("category_mask", "int", "Categories used, as in silver.user_days", nullable=False, minimum=0),
        Column("categories_used", "int", "Number of categories used", nullable=False, minimum=0, maximum=5),
        *(
            Column(name, "bigint", f"Events of type {event_type}", nullable=False, minimum=0)
            for name, event_type in COUNTED_TYPES.items()
        ),
    ),
    checks=(
        Check("no_more_active_than_all", "active_users <= users AND active_events <= events"),
        Check("no_more_errors_than_events", "errors <= events"),
        Check("month_is_that_of_the_day", "usage_month = trunc(usage_date, 'month')"),
        Check("no_more_logged_in_than_all", "logged_in_users <= users"),
    ),
    audits=(
        Reconciliation(
            "events_are_those_of_the_users",
            "sum(events)",
            (Part("silver.user_days", "sum(events)", by=("activity_month",)),),
            by=("usage_month",),
        ),
        Reconciliation(
            "users_are_those_of_the_days",
            "sum(users)",
            (Part("silver.user_days", "count(*)", by=("activity_month",)),),
            by=("usage_month",),
        ),
        Freshness("recent", "usage_date", days=7),
        Volume("usual_volume", least=0.9, most=2.0),
    ),
)


def transform(user_days: DataFrame) -> DataFrame:
    days = (
        user_days.withColumnsRenamed({"activity_date": "usage_date", "activity_month": "usage_month"})
        .groupBy("customer_id", "usage_date", "usage_month")
        .agg(
            *(F.sum(name).alias(name) for name in SUMMED),
            F.count("*").alias("users"),
            F.count_if("is_active").alias("active_users"),
            F.count_if(F.col("logins") > 0).alias("logged_in_users"),
            F.bit_or("category_mask").alias("category_mask"),
        )
        .withColumn("categories_used", F.bit_count("category_mask"))
    )
    return table.select(days)


if __name__ == "__main__":
    from lakehouse.submit import submit

    submit(table)
