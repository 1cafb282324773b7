"""Hashes of event ids that were received more than once in a month: one row per hash and month.

Found once, over nothing but the ids, so that the jobs that read the events in full need not compare every one of them
with every other. Hashes that collide cost those jobs time, never an event.
"""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.bronze.usage_events import table as received
from lakehouse.events import with_hash
from lakehouse.rules import Reconciliation
from lakehouse.table import Column, Table

table = Table(
    name="silver.repeated_events",
    description=__doc__,
    grain="hash of an event id that was received more than once in a month",
    key=("event_hash", "event_month"),
    inputs={"events": "bronze.usage_events"},
    by_month="event_month",
    columns=(
        Column("event_hash", "bigint", "64-bit hash of the event's key", nullable=False),
        Column("event_month", "date", "First day of the month in which it happened", nullable=False),
        Column("times", "bigint", "How often it was received", nullable=False, minimum=2),
    ),
    # Broken by every hash, to tell how many there are: a repetition is superseded.
    audits=(
        Reconciliation(
            "received_once", "count(*)", (), by=("event_hash", "event_month"), severity="warn", action="mark"
        ),
    ),
)


def transform(events: DataFrame) -> DataFrame:
    dated = with_hash(events, received).filter(F.col("event_month").isNotNull())
    counted = dated.groupBy("event_hash", "event_month").agg(F.count("*").alias("times"))
    return table.select(counted.filter(F.col("times") > 1))


if __name__ == "__main__":
    from lakehouse.submit import submit

    submit(table)
