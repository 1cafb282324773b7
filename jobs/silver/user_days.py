"""What each user did on each day: one row per user and day with at least one event.

Whatever needs days, months or customers builds on it instead of reading the events again.
"""

from __future__ import annotations

from datetime import date

from pyspark.sql import Column as SparkColumn
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.bronze.usage_events import table as received
from lakehouse.events import ACTION_POINTS, COUNTED_TYPES, once
from lakehouse.rules import ParentCheck, Part, Reconciliation
from lakehouse.table import SECONDS, Check, Column, Table
from lakehouse.vocabulary import EVENT_CATEGORIES

table = Table(
    name="silver.user_days",
    description=__doc__,
    grain="user of a customer × day with at least one event",
    key=("customer_id", "user_id", "activity_date"),
    inputs={"events": "bronze.usage_events", "repeated_events": "silver.repeated_events"},
    settings=("as_of",),
    foreign_keys={"customer_id": "silver.customers", "activity_date": "silver.dim_date"},
    may_be_orphans=("customer_id", "activity_date"),
    by_month="activity_month",
    columns=(
        Column("customer_id", "string", "Customer of the user", nullable=False),
        Column("user_id", "string", "User who acted", nullable=False),
        Column("activity_date", "date", "Day, UTC", nullable=False),
        Column("activity_month", "date", "First day of the month", nullable=False),
        Column("events", "bigint", "Events, a duplicate counted once", nullable=False, minimum=1),
        Column("active_events", "bigint", "Events other than logins", nullable=False, minimum=0),
        Column("is_active", "boolean", "Whether there was an event other than a login", nullable=False),
        Column("sessions", "bigint", "Distinct sessions with an event on the day", nullable=False, minimum=0),
        Column("seconds", SECONDS, "Sum of the durations, to the millisecond", nullable=False),
        Column("errors", "bigint", "Events that failed", nullable=False, minimum=0),
        Column(
            "category_mask", "int", f"Categories used, as bits from 1: {', '.join(EVENT_CATEGORIES)}", nullable=False
        ),
        Column("categories_used", "int", "Number of categories used", nullable=False, minimum=0, maximum=5),
        *(
            Column(name, "bigint", f"Events of type {event_type}", nullable=False, minimum=0)
            for name, event_type in COUNTED_TYPES.items()
        ),
        *(
            Column(name, "int", f"{points} when there was one of {', '.join(shown_by)}, else 0", nullable=False)
            for name, (points, shown_by) in ACTION_POINTS.items()
        ),
        Column("first_event_at", "timestamp", "First event of the day"),
        Column("last_event_at", "timestamp", "Last event of the day"),
    ),
    checks=(
        Check("no_more_active_than_all", "active_events <= events"),
        Check("active_when_active_events", "is_active = (active_events > 0)"),
        Check("first_before_last", "first_event_at IS NULL OR first_event_at <= last_event_at"),
        Check("month_is_that_of_the_day", "activity_month = trunc(activity_date, 'month')"),
        Check("no_more_errors_than_events", "errors <= events"),
    ),
    audits=(
        # A repeated event counts once, but of one that is rejected as well nobody knows how often: hence two bounds.
        Reconciliation(
            "no_event_is_lost",
            "-sum(events)",
            (
                Part("bronze.usage_events", "-count(*)", where="event_date <= :as_of"),
                Part("silver.quarantine", "count(*)", where="table_name = 'bronze.usage_events'"),
                Part("silver.repeated_events", "sum(times - 1)"),
            ),
            comparison="<=",
        ),
        Reconciliation(
            "no_event_counts_twice",
            "sum(events)",
            (Part("bronze.usage_events", "count(*)", where="event_date <= :as_of"),),
            comparison="<=",
        ),
        ParentCheck(
            "customer_is_on_record",
            "silver.customers",
            "customers.updated_at IS NOT NULL",
            severity="warn",
            action="mark",
        ),
        ParentCheck(
            "used_after_signup",
            "silver.customers",
            "customers.signup_at IS NULL OR activity_date >= CAST(customers.signup_at AS DATE)",
            severity="warn",
            action="mark",
        ),
    ),
)


def transform(events: DataFrame, repeated_events: DataFrame, as_of: date) -> DataFrame:
    known = once(events, repeated_events, received).filter(F.col("event_date") <= F.lit(as_of))
    day = (F.col("event_date").alias("activity_date"), F.col("event_month").alias("activity_month"))
    days = known.groupBy("customer_id", "user_id", *day).agg(
        *_measures(),
        # The only distinct count, so it is planned as two plain aggregations; bitmaps would not be exact.
        F.count_distinct("session_id").alias("sessions"),
    )
    points = {
        name: F.when(sum((F.col(count) for count in shown_by), F.lit(0)) > 0, points).otherwise(0)
        for name, (points, shown_by) in ACTION_POINTS.items()
    }
    described = days.withColumns(
        {
            "is_active": F.col("active_events") > 0,
            "seconds": F.col("milliseconds") * F.expr("0.001BD"),
            "categories_used": F.bit_count("category_mask"),
            **points,
        }
    )
    return table.select(described)


def _measures() -> list[SparkColumn]:
    event_type, category = F.col("event_type"), F.col("event_category")
    category_bit = F.coalesce(*(F.when(category == name, 1 << bit) for bit, name in enumerate(EVENT_CATEGORIES)))
    # Integers add up to the same in any order.
    milliseconds = F.rint(F.col("duration_seconds") * 1000).try_cast("bigint")
    return [
        F.count("*").alias("events"),
        F.count_if(event_type != "login").alias("active_events"),
        F.count_if(F.col("outcome") == "error").alias("errors"),
        F.coalesce(F.sum(milliseconds), F.lit(0)).alias("milliseconds"),
        F.coalesce(F.bit_or(category_bit), F.lit(0)).alias("category_mask"),
        *(F.count_if(event_type == counted).alias(name) for name, counted in COUNTED_TYPES.items()),
        F.min("occurred_at").alias("first_event_at"),
        F.max("occurred_at").alias("last_event_at"),
    ]


if __name__ == "__main__":
    from lakehouse.submit import submit

    submit(table)
