"""Survey answers, each a promoter, a passive or a detractor: one row per answer."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.bronze.nps_responses import table as received
from lakehouse.cleaning import kept
from lakehouse.rules import Freshness, ParentCheck, Received, Volume
from lakehouse.table import Check, Column, Table

table = Table(
    name="silver.nps_responses",
    description=__doc__,
    grain="answer",
    key=("response_id",),
    inputs={"responses": "bronze.nps_responses"},
    foreign_keys={"customer_id": "silver.customers"},
    may_be_orphans=("customer_id",),
    columns=(
        Column("response_id", "string", "Answer", nullable=False),
        Column("customer_id", "string", "Customer of the user", nullable=False),
        Column("user_id", "string", "User who answered"),
        Column("responded_at", "timestamp", "When it was answered", nullable=False),
        Column("response_month", "date", "First day of the month of the answer", nullable=False),
        Column("score", "int", "0 (would not recommend) to 10 (would)", nullable=False, minimum=0, maximum=10),
        Column("nps_group", "string", "Group by score", nullable=False, values=("promoter", "passive", "detractor")),
        Column("comment", "string", "What the user added", personal=True),
    ),
    checks=(
        Check(
            "group_follows_the_score",
            "nps_group = CASE WHEN score >= 9 THEN 'promoter' WHEN score >= 7 THEN 'passive' ELSE 'detractor' END",
        ),
    ),
    audits=(
        Received("received_is_accounted_for", "bronze.nps_responses"),
        ParentCheck(
            "customer_is_on_record",
            "silver.customers",
            "customers.updated_at IS NOT NULL",
            severity="warn",
            action="mark",
        ),
        ParentCheck(
            "answered_after_signup",
            "silver.customers",
            "customers.signup_at IS NULL OR responded_at >= customers.signup_at",
            severity="warn",
            action="mark",
        ),
        Freshness("recent", "responded_at", days=62),
        Volume("usual_volume", least=0.9, most=2.0),
    ),
)


def transform(responses: DataFrame) -> DataFrame:
    score = F.col("score")
    nps_group = F.when(score >= 9, "promoter").when(score >= 7, "passive").otherwise("detractor")
    answers = kept(responses, received).withColumns(
        {"nps_group": nps_group, "response_month": F.trunc("responded_at", "month")}
    )
    return table.select(answers)


if __name__ == "__main__":
    from lakehouse.submit import submit

    submit(table)
