"""How much the product is used: one row per month with at least one event."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lakehouse.metrics.ratios import safe_ratio
from lakehouse.rules import Part, Reconciliation, Sequence
from lakehouse.table import SECONDS, Check, Column, Table

SUMMED = ("events", "sessions", "seconds", "errors", "active_user_days")

table = Table(
    name="gold.monthly_usage",
    description=__doc__,
    grain="month",
    key=("month",),
    inputs={"user_days": "silver.user_days"},
    columns=(
        Column("month", "date", "First day of the month", nullable=False),
        Column("events", "bigint", "Events, logins too", nullable=False, minimum=1),
        Column("active_customers", "bigint", "Customers with an active user", nullable=False, minimum=0),
        Column("active_users", "bigint", "Users with an event other than a login", nullable=False, minimum=0),
        Column("active_user_days", "bigint", "Days on which a user was active, over users", nullable=False, minimum=0),
        Column("seats_used_average", "double", "active_users ÷ active_customers", minimum=1),
        Column("sessions", "bigint", "Sessions, one past midnight on both days", nullable=False, minimum=0),
        Column("seconds", SECONDS, "Sum of the events' durations", nullable=False),
        Column("errors", "bigint", "Events that failed", nullable=False, minimum=0),
        Column("error_rate", "double", "errors ÷ events", nullable=False, minimum=0, maximum=1),
        Column("events_per_customer", "double", "events ÷ active_customers", minimum=1),
        Column("active_days_per_user", "double", "active_user_days ÷ active_users", minimum=1, maximum=31),
    ),
    checks=(
        Check("no_more_customers_than_users", "active_customers <= active_users"),
        Check("no_more_users_than_days", "active_users <= active_user_days"),
    ),
    audits=(
        Reconciliation(
            "events_are_those_of_the_days",
            "sum(events)",
            (Part("silver.usage_daily", "sum(events)", by=("usage_month",)),),
            by=("month",),
        ),
        Reconciliation(
            "sessions_are_those_of_the_days",
            "sum(sessions)",
            (Part("silver.usage_daily", "sum(sessions)", by=("usage_month",)),),
            by=("month",),
        ),
        Reconciliation(
            "errors_are_those_of_the_days",
            "sum(errors)",
            (Part("silver.usage_daily", "sum(errors)", by=("usage_month",)),),
            by=("month",),
        ),
        Sequence(
            "no_month_is_missing", "previous IS NULL OR month = previous.month + INTERVAL 1 MONTH", order=("month",)
        ),
    ),
)


def transform(user_days: DataFrame) -> DataFrame:
    sums = [F.sum(name).alias(name) for name in SUMMED]
    # Each step leaves one row per thing to count, so that no distinct count is needed.
    users = (
        user_days.withColumns(
            {"month": F.col("activity_month"), "active_user_days": F.col("is_active").cast("int")},
        )
        .groupBy("month", "customer_id", "user_id")
        .agg(*sums)
    )
    customers = users.groupBy("month", "customer_id").agg(
        *sums, F.count_if(F.col("active_user_days") > 0).alias("active_users")
    )
    months = customers.groupBy("month").agg(
        *sums,
        F.sum("active_users").alias("active_users"),
        F.count_if(F.col("active_users") > 0).alias("active_customers"),
    )
    ratios = {
        "seats_used_average": safe_ratio(F.col("active_users"), F.col("active_customers")),
        "error_rate": safe_ratio(F.col("errors"), F.col("events")),
        "events_per_customer": safe_ratio(F.col("events"), F.col("active_customers")),
        "active_days_per_user": safe_ratio(F.col("active_user_days"), F.col("active_users")),
    }
    return table.select(months.withColumns(ratios))


if __name__ == "__main__":
    from lakehouse.submit import submit

    submit(table)
