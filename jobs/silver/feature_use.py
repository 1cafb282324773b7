"""How often each user used each feature in each month: one row per user, feature and month with at least one use.

Logging in and setting up are not the use of a feature, and events that name none are left out.
"""

from __future__ import annotations

from datetime import date

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.bronze.usage_events import table as received
from lakehouse.events import once
from lakehouse.rules import Part, Reconciliation
from lakehouse.table import Check, Column, Table
from lakehouse.vocabulary import EVENT_TYPE_CATEGORIES

NOT_A_FEATURE = tuple(event_type for event_type, category in EVENT_TYPE_CATEGORIES.items() if category is None)

table = Table(
    name="silver.feature_use",
    description=__doc__,
    grain="user of a customer × feature × month with at least one use",
    key=("use_month", "feature", "customer_id", "user_id"),
    inputs={"events": "bronze.usage_events", "repeated_events": "silver.repeated_events"},
    settings=("as_of",),
    foreign_keys={"customer_id": "silver.customers"},
    may_be_orphans=("customer_id",),
    by_month="use_month",
    columns=(
        Column("use_month", "date", "First day of the month", nullable=False),
        Column("feature", "string", "Feature", nullable=False),
        Column("customer_id", "string", "Customer of the user", nullable=False),
        Column("user_id", "string", "User who used it", nullable=False),
        Column("events", "bigint", "Uses, a duplicate counted once", nullable=False, minimum=1),
    ),
    checks=(Check("month_begins_on_its_first_day", "use_month = trunc(use_month, 'month')"),),
    audits=(
        Reconciliation(
            "no_more_uses_than_active_events",
            "sum(events)",
            (Part("silver.user_days", "sum(active_events)", by=("activity_month",)),),
            by=("use_month",),
            comparison="<=",
        ),
    ),
)


def transform(events: DataFrame, repeated_events: DataFrame, as_of: date) -> DataFrame:
    is_use = F.col("feature").isNotNull() & ~F.col("event_type").isin(*NOT_A_FEATURE)
    used = (
        once(events, repeated_events, received)
        .filter(is_use & (F.col("event_date") <= F.lit(as_of)))
        .groupBy(F.col("event_month").alias("use_month"), "feature", "customer_id", "user_id")
        .agg(F.count("*").alias("events"))
    )
    return table.select(used)


if __name__ == "__main__":
    from lakehouse.submit import submit

    submit(table)
