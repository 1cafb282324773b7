"""Which features are used most, ever and in each month: one row per feature and period.

Logging in and setting up are not the use of a feature, and events that name none are left out.
"""

from __future__ import annotations

from datetime import date

from pyspark.sql import Column as SparkColumn
from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql.window import Window

from jobs.bronze.usage_events import table as received
from lakehouse.events import once
from lakehouse.metrics.ratios import safe_ratio
from lakehouse.rules import Reconciliation, Sequence
from lakehouse.table import Check, Column, Table
from lakehouse.vocabulary import EVENT_TYPE_CATEGORIES

NOT_A_FEATURE = tuple(event_type for event_type, category in EVENT_TYPE_CATEGORIES.items() if category is None)

table = Table(
    name="gold.top_features",
    description=__doc__,
    grain="feature × period",
    key=("period", "feature"),
    inputs={"events": "bronze.usage_events", "repeated_events": "silver.repeated_events"},
    settings=("as_of",),
    columns=(
        Column("period_grain", "string", "Length of the period", nullable=False, values=("all", "month")),
        Column("period", "string", "all, or the month as 2026-03", nullable=False),
        Column("month", "date", "First day of the month; null for all"),
        Column("feature", "string", "Feature", nullable=False),
        Column("events", "bigint", "Events of the feature", nullable=False, minimum=1),
        Column("customers", "bigint", "Customers who used it", nullable=False, minimum=1),
        Column("users", "bigint", "Users who used it", nullable=False, minimum=1),
        Column("share_of_events", "double", "Share of the period's events", nullable=False, minimum=0, maximum=1),
        Column("rank", "int", "1 for the most events; equal ones by name", nullable=False, minimum=1),
    ),
    checks=(
        Check("month_where_it_is_one", "(period_grain = 'month') = (month IS NOT NULL)"),
        Check("no_more_customers_than_users", "customers <= users AND users <= events"),
    ),
    audits=(
        Sequence(
            "ranks_follow_events",
            "rank = coalesce(previous.rank + 1, 1) AND events <= coalesce(previous.events, events)",
            order=("rank",),
            within=("period",),
        ),
        Reconciliation("months_add_up_to_all", "sum(IF(period_grain = 'all', events, -events))", (), by=("feature",)),
        Reconciliation("shares_add_up_to_one", "sum(share_of_events) - 1", (), by=("period",), tolerance=1e-6),
    ),
)


def transform(events: DataFrame, repeated_events: DataFrame, as_of: date) -> DataFrame:
    is_use = F.col("feature").isNotNull() & ~F.col("event_type").isin(*NOT_A_FEATURE)
    users_by_month = (
        once(events, repeated_events, received)
        .filter(is_use & (F.col("event_date") <= F.lit(as_of)))
        .groupBy(F.trunc("event_date", "month").alias("month"), "feature", "customer_id", "user_id")
        .agg(F.count("*").alias("events"))
    )
    # Months and all of them from the same smaller frame: the events are read once.
    users_ever = users_by_month.groupBy("feature", "customer_id", "user_id").agg(F.sum("events").alias("events"))
    customers = _customers(users_by_month, F.col("month")).unionByName(
        _customers(users_ever, F.lit(None).cast("date").alias("month"))
    )
    features = customers.groupBy("month", "feature").agg(
        F.sum("events").alias("events"), F.sum("users").alias("users"), F.count("*").alias("customers")
    )
    period = Window.partitionBy("month")
    is_month = F.col("month").isNotNull()
    ranked = features.withColumns(
        {
            "period_grain": F.when(is_month, "month").otherwise("all"),
            "period": F.coalesce(F.date_format("month", "yyyy-MM"), F.lit("all")),
            "share_of_events": safe_ratio(F.col("events"), F.sum("events").over(period)),
            "rank": F.row_number().over(period.orderBy(F.desc("events"), "feature")),
        }
    )
    return table.select(ranked)


def _customers(users: DataFrame, month: SparkColumn) -> DataFrame:
    return users.groupBy(month, "feature", "customer_id").agg(
        F.sum("events").alias("events"), F.count("*").alias("users")
    )


if __name__ == "__main__":
    from lakehouse.submit import submit

    submit(table)
