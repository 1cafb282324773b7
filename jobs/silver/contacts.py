"""People at the accounts, as of the as-of day: one row per contact."""

from __future__ import annotations

from datetime import date, timedelta

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.bronze.contacts import table as received
from lakehouse.cleaning import kept
from lakehouse.rules import Received, Volume
from lakehouse.table import Column, Table
from lakehouse.vocabulary import SENIORITIES

table = Table(
    name="silver.contacts",
    description=__doc__,
    grain="contact",
    key=("contact_id",),
    inputs={"contacts": "bronze.contacts"},
    settings=("as_of",),
    foreign_keys={"account_id": "silver.accounts"},
    may_be_orphans=("account_id",),
    columns=(
        Column("contact_id", "string", "Contact", nullable=False),
        Column("account_id", "string", "Account where the person works", nullable=False),
        Column("full_name", "string", "Name of the person", personal=True),
        Column("title", "string", "Title of the person"),
        Column("seniority", "string", "Level of the title", values=SENIORITIES),
        Column("region", "string", "Sales region, as in accounts"),
        Column("email", "string", "Address of the person", personal=True),
        Column("created_at", "timestamp", "When the contact was entered", nullable=False),
    ),
    audits=(
        Received("received_is_accounted_for", "bronze.contacts", known_from="created_at"),
        Volume("usual_volume", least=0.9, most=2.0),
    ),
)


def transform(contacts: DataFrame, as_of: date) -> DataFrame:
    until = F.lit(as_of + timedelta(days=1)).cast("timestamp")
    return table.select(kept(contacts, received).filter(F.col("created_at") < until))


if __name__ == "__main__":
    from lakehouse.submit import submit

    submit(table)
