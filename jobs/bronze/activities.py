"""What reps did with leads and opportunities: one row per activity."""

from __future__ import annotations

from lakehouse.table import PROVENANCE, Check, Column, Table
from lakehouse.vocabulary import ACTIVITY_OUTCOMES, ACTIVITY_TYPES

table = Table(
    name="bronze.activities",
    description=__doc__,
    grain="rep activity",
    key=("activity_id",),
    columns=(
        Column("activity_id", "string", "Activity"),
        Column("opportunity_id", "string", "Opportunity that it was about; null before there is one"),
        Column("account_id", "string", "Account that it was about"),
        Column("contact_id", "string", "Person who was contacted"),
        Column("rep_id", "string", "Rep who was active"),
        Column("activity_type", "string", "Kind of activity", values=ACTIVITY_TYPES),
        Column("occurred_at", "timestamp", "When it happened"),
        Column("duration_minutes", "int", "How long it took; null for an email", minimum=0),
        Column("outcome", "string", "What came of it", values=ACTIVITY_OUTCOMES),
        *PROVENANCE,
    ),
    rejects=(
        Check("activity_id_missing", "activity_id IS NOT NULL"),
        Check("account_id_missing", "account_id IS NOT NULL"),
        Check("occurred_at_missing", "occurred_at IS NOT NULL"),
    ),
)

if __name__ == "__main__":
    from lakehouse.submit import submit

    submit(table)
