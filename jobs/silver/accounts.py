"""CRM accounts as they stood at the end of the as-of day, prospects among them: one row per account."""

from __future__ import annotations

from datetime import date, timedelta

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.bronze.accounts import table as received
from lakehouse.cleaning import kept_as_of
from lakehouse.metrics.dimensions import segment
from lakehouse.rules import Received, Volume
from lakehouse.settings import Segments
from lakehouse.table import AMOUNT, Check, Column, Table
from lakehouse.vocabulary import ACCOUNT_STATUSES, SEGMENTS

table = Table(
    name="silver.accounts",
    description=__doc__,
    grain="account",
    key=("account_id",),
    inputs={"accounts": "bronze.accounts"},
    settings=("as_of", "segments"),
    foreign_keys={"parent_account_id": "silver.accounts", "owner_rep_id": "silver.sales_reps"},
    may_be_orphans=("parent_account_id", "owner_rep_id"),
    columns=(
        Column("account_id", "string", "CRM account; a billing customer names its own", nullable=False),
        Column("account_name", "string", "Name of the company", identifying=True),
        Column("parent_account_id", "string", "Account of the company that owns this one; null without one"),
        Column("industry", "string", "Industry of the company"),
        Column("employee_count", "int", "Employees of the company", minimum=1),
        Column("segment", "string", "Segment by employees; null where they are unknown", values=SEGMENTS),
        Column("annual_revenue", AMOUNT, "Estimated revenue of the company in a year", minimum=0),
        Column("currency", "string", "ISO 4217 code of the revenue"),
        Column("region", "string", "Sales region"),
        Column("country", "string", "ISO 3166 alpha-2 code"),
        Column("status", "string", "Whether it is or was a customer", values=ACCOUNT_STATUSES),
        Column("owner_rep_id", "string", "Rep who looks after the account"),
        Column("created_at", "timestamp", "When it was entered"),
        Column("updated_at", "timestamp", "When this version came to hold", nullable=False),
    ),
    checks=(
        Check("nobody_owns_itself", "parent_account_id IS NULL OR parent_account_id <> account_id"),
        Check(
            "updated_after_creation", "created_at IS NULL OR updated_at >= created_at", severity="warn", action="mark"
        ),
    ),
    audits=(
        Received("received_is_accounted_for", "bronze.accounts", known_from="created_at"),
        Volume("usual_volume", least=0.9, most=2.0),
    ),
)


def transform(accounts: DataFrame, as_of: date, segments: Segments) -> DataFrame:
    until = F.lit(as_of + timedelta(days=1)).cast("timestamp")
    is_known = F.coalesce(F.col("created_at") < until, F.lit(True))
    is_owned_by_another = F.col("parent_account_id") != F.col("account_id")
    return table.select(
        kept_as_of(accounts, received, until)
        .filter(is_known)
        .withColumns(
            {
                "segment": segment(F.col("employee_count"), segments),
                "parent_account_id": F.when(is_owned_by_another, F.col("parent_account_id")),
            }
        )
    )


if __name__ == "__main__":
    from lakehouse.submit import submit

    submit(table)
