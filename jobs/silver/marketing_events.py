"""Touches of leads by marketing up to the as-of day: one row per touch."""

from __future__ import annotations

from datetime import date, timedelta

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.bronze.marketing_events import table as received
from lakehouse.cleaning import kept
from lakehouse.rules import Freshness, ParentCheck, Received, Volume
from lakehouse.table import Check, Column, Table
from lakehouse.vocabulary import CHANNELS, TOUCH_TYPES

table = Table(
    name="silver.marketing_events",
    description=__doc__,
    grain="touch",
    key=("touch_id",),
    inputs={"touches": "bronze.marketing_events"},
    settings=("as_of",),
    foreign_keys={"lead_id": "silver.leads", "account_id": "silver.accounts"},
    may_be_orphans=("lead_id", "account_id"),
    columns=(
        Column("touch_id", "string", "Touch", nullable=False),
        Column("lead_id", "string", "Lead that was touched", nullable=False),
        Column("account_id", "string", "Account of the lead"),
        Column("campaign_id", "string", "Campaign, as in marketing_spend; null without one"),
        Column("channel", "string", "Channel of the touch", nullable=False, values=CHANNELS),
        Column("touch_type", "string", "Kind of touch", values=TOUCH_TYPES),
        Column("occurred_at", "timestamp", "When it happened", nullable=False),
        Column("occurred_date", "date", "Day on which it happened", nullable=False),
    ),
    checks=(Check("occurred_date_agrees", "occurred_date = to_date(occurred_at)"),),
    audits=(
        Received("received_is_accounted_for", "bronze.marketing_events", known_from="occurred_at"),
        ParentCheck("account_is_that_of_the_lead", "silver.leads",
                    "account_id IS NULL OR leads.account_id IS NULL OR account_id = leads.account_id",
                    severity="warn", action="mark"),
        Freshness("recent", "occurred_at", days=31),
        Volume("usual_volume", least=0.9, most=2.0),
    ),
)  # fmt: skip


def transform(touches: DataFrame, as_of: date) -> DataFrame:
    until = F.lit(as_of + timedelta(days=1)).cast("timestamp")
    happened = kept(touches, received).filter(F.col("occurred_at") < until)
    return table.select(happened.withColumn("occurred_date", F.to_date("occurred_at")))


if __name__ == "__main__":
    from lakehouse.submit import submit

    submit(table)
