"""Survey answers: one row per answer to the recommendation question."""

from __future__ import annotations

from lakehouse.rules import Once
from lakehouse.table import PROVENANCE, Check, Column, Table

table = Table(
    name="bronze.nps_responses",
    description=__doc__,
    grain="survey answer",
    key=("response_id",),
    columns=(
        Column("response_id", "string", "Answer"),
        Column("customer_id", "string", "Customer of the user"),
        Column("user_id", "string", "User who answered"),
        Column("responded_at", "timestamp", "When it was answered"),
        Column("score", "int", "0 (would not recommend) to 10 (would)", minimum=0, maximum=10),
        Column("comment", "string", "What the user added", personal=True),
        *PROVENANCE,
    ),
    audits=(Once("received_once", ("response_id",)),),
    rejects=(
        Check("response_id_missing", "response_id IS NOT NULL"),
        Check("customer_id_missing", "customer_id IS NOT NULL"),
        Check("responded_at_missing", "responded_at IS NOT NULL"),
        Check("score_out_of_range", "score BETWEEN 0 AND 10"),
    ),
)

if __name__ == "__main__":
    from lakehouse.submit import submit

    submit(table)
