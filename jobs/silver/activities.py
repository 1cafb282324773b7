"""What reps did with leads and opportunities up to the as-of day: one row per activity."""

from __future__ import annotations

from datetime import date, timedelta

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.bronze.activities import table as received
from lakehouse.cleaning import kept
from lakehouse.rules import Freshness, ParentCheck, Received, Volume
from lakehouse.table import Check, Column, Table
from lakehouse.vocabulary import ACTIVITY_OUTCOMES, ACTIVITY_TYPES

table = Table(
    name="silver.activities",
    description=__doc__,
    grain="rep activity",
    key=("activity_id",),
    inputs={"activities": "bronze.activities"},
    settings=("as_of",),
    foreign_keys={
        "opportunity_id": "silver.opportunities",
        "account_id": "silver.accounts",
        "contact_id": "silver.contacts",
        "rep_id": "silver.sales_reps",
    },
    may_be_orphans=("opportunity_id", "account_id", "contact_id", "rep_id"),
    columns=(
        Column("activity_id", "string", "Activity", nullable=False),
        Column("opportunity_id", "string", "Opportunity that it was about; null before there is one"),
        Column("account_id", "string", "Account that it was about", nullable=False),
        Column("contact_id", "string", "Person who was contacted"),
        Column("rep_id", "string", "Rep who was active"),
        Column("activity_type", "string", "Kind of activity", values=ACTIVITY_TYPES),
        Column("occurred_at", "timestamp", "When it happened", nullable=False),
        Column("occurred_date", "date", "Day on which it happened", nullable=False),
        Column("duration_minutes", "int", "How long it took; null for an email", minimum=0),
        Column("outcome", "string", "What came of it", values=ACTIVITY_OUTCOMES),
    ),
    checks=(
        Check("occurred_date_agrees", "occurred_date = to_date(occurred_at)"),
        Check("an_email_takes_no_time", "activity_type IS NULL OR activity_type <> 'email' OR duration_minutes IS NULL",
              severity="warn", action="mark"),
    ),
    audits=(
        Received("received_is_accounted_for", "bronze.activities", known_from="occurred_at"),
        ParentCheck("account_is_that_of_the_opportunity", "silver.opportunities",
                    "account_id = opportunities.account_id", severity="warn", action="mark"),
        ParentCheck("rep_was_at_work", "silver.sales_reps",
                    "occurred_date >= sales_reps.hired_date AND"
                    " (sales_reps.left_date IS NULL OR occurred_date < sales_reps.left_date)",
                    severity="warn", action="mark"),
        Freshness("recent", "occurred_at", days=31),
        Volume("usual_volume", least=0.9, most=2.0),
    ),
)  # fmt: skip


def transform(activities: DataFrame, as_of: date) -> DataFrame:
    until = F.lit(as_of + timedelta(days=1)).cast("timestamp")
    happened = kept(activities, received).filter(F.col("occurred_at") < until)
    return table.select(happened.withColumn("occurred_date", F.to_date("occurred_at")))


if __name__ == "__main__":
    from lakehouse.submit import submit

    submit(table)
