"""What changed on opportunities: one row per change of stage, amount, expected close date, owner or probability."""

from __future__ import annotations

from lakehouse.table import AMOUNT, PROVENANCE, Check, Column, Table
from lakehouse.vocabulary import STAGES

table = Table(
    name="bronze.opportunity_stage_history",
    description=__doc__,
    grain="change of an opportunity",
    key=("history_id",),
    columns=(
        Column("history_id", "string", "Change"),
        Column("opportunity_id", "string", "Opportunity that changed"),
        Column(
            "from_stage",
            "string",
            "Stage before; null when it was opened; as after when only others changed",
            values=STAGES,
        ),
        Column("to_stage", "string", "Stage after", values=STAGES),
        Column("changed_at", "timestamp", "When it changed"),
        Column("arr", AMOUNT, "ARR after the change", minimum=0),
        Column("currency", "string", "ISO 4217 code of the ARR", default="_reporting_currency"),
        Column("expected_close_date", "date", "Expected close date after the change"),
        Column("rep_id", "string", "Owner after the change"),
        Column("rep_probability", "double", "The rep's probability after the change", minimum=0, maximum=1),
        *PROVENANCE,
    ),
    rejects=(
        Check("history_id_missing", "history_id IS NOT NULL"),
        Check("opportunity_id_missing", "opportunity_id IS NOT NULL"),
        Check("to_stage_missing", "to_stage IS NOT NULL"),
        Check("changed_at_missing", "changed_at IS NOT NULL"),
        Check("arr_missing_or_negative", "arr >= 0"),
        Check("currency_missing", "currency IS NOT NULL"),
    ),
)

if __name__ == "__main__":
    from lakehouse.submit import submit

    submit(table)
