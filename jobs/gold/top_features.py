"""Which features are used most, ever and in each month: one row per feature and period."""

from __future__ import annotations

from pyspark.sql import Column as SparkColumn
from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql.window import Window

from lakehouse.metrics.ratios import safe_ratio
from lakehouse.rules import Part, Reconciliation, Sequence
from lakehouse.table import Check, Column, Table

table = Table(
    name="gold.top_features",
    description=__doc__,
    grain="feature × period",
    key=("period", "feature"),
    inputs={"feature_use": "silver.feature_use"},
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
        Reconciliation(
            "every_use_is_counted",
            "sum(events)",
            (Part("silver.feature_use", "sum(events)", by=("strftime(use_month, '%Y-%m')",)),),
            by=("period",),
            where="period_grain = 'month'",
        ),
        Reconciliation("months_add_up_to_all", "sum(IF(period_grain = 'all', events, -events))", (), by=("feature",)),
        Reconciliation("shares_add_up_to_one", "sum(share_of_events) - 1", (), by=("period",), tolerance=1e-6),
    ),
)


def transform(feature_use: DataFrame) -> DataFrame:
    users_ever = feature_use.groupBy("feature", "customer_id", "user_id").agg(F.sum("events").alias("events"))
    customers = _customers(feature_use, F.col("use_month").alias("month")).unionByName(
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
