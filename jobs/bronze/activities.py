"""What reps did with leads and opportunities: one row per activity."""

from __future__ import annotations

from lakehouse.table import PROVENANCE, Check, Column, Table

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
        Column("activity_type", "string", "Kind of activity", values=("email", "call", "meeting", "demo")),
        Column("occurred_at", "timestamp", "When it happened"),
        Column("duration_minutes", "int", "How long it took; null for an email", minimum=0),
        Column(
            "outcome",
            "string",
            "What came of it",
            values=("replied", "no_reply", "connected", "voicemail", "held", "no_show"),
        ),
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
