"""People who sell, as they stood at the end of the as-of day: one row per rep."""

from __future__ import annotations

from datetime import date, timedelta

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.bronze.sales_reps import table as received
from lakehouse.cleaning import kept_as_of
from lakehouse.rules import Received, Volume
from lakehouse.table import Check, Column, Table
from lakehouse.vocabulary import REP_ROLES

table = Table(
    name="silver.sales_reps",
    description=__doc__,
    grain="rep",
    key=("rep_id",),
    inputs={"sales_reps": "bronze.sales_reps"},
    settings=("as_of",),
    foreign_keys={"manager_id": "silver.sales_reps"},
    may_be_orphans=("manager_id",),
    columns=(
        Column("rep_id", "string", "Rep", nullable=False),
        Column("rep_name", "string", "Name of the rep", personal=True),
        Column("role", "string", "BDR follows up leads, AE closes, CSM looks after customers", values=REP_ROLES),
        Column("region", "string", "Sales region that the rep covers first"),
        Column("team", "string", "Team: a segment for an AE, the role for the others"),
        Column("manager_id", "string", "Rep who leads the team; null for the leader"),
        Column("hired_date", "date", "First day at work", nullable=False),
        Column("left_date", "date", "First day no longer there; null while employed or while it lies ahead"),
        Column("is_employed", "boolean", "At work on the as-of day", nullable=False),
        Column("updated_at", "timestamp", "When this version came to hold", nullable=False),
    ),
    checks=(
        Check("left_after_being_hired", "left_date IS NULL OR left_date > hired_date"),
        Check("gone_with_a_date", "is_employed = (left_date IS NULL)"),
    ),
    audits=(
        Received("received_is_accounted_for", "bronze.sales_reps", known_from="hired_on"),
        Volume("usual_volume", least=0.8, most=2.0),
    ),
)


def transform(sales_reps: DataFrame, as_of: date) -> DataFrame:
    until = F.lit(as_of + timedelta(days=1)).cast("timestamp")
    has_left = F.coalesce(F.col("left_on") <= F.lit(as_of), F.lit(False))
    return table.select(
        kept_as_of(sales_reps, received, until)
        .filter(F.col("hired_on") <= F.lit(as_of))
        .withColumns(
            {
                "hired_date": F.col("hired_on"),
                "left_date": F.when(has_left, F.col("left_on")),
                "is_employed": ~has_left,
            }
        )
    )


if __name__ == "__main__":
    from lakehouse.submit import submit

    submit(table)
