"""What drew leads: one row per touch of a lead by marketing."""

from __future__ import annotations

from lakehouse.table import PROVENANCE, Check, Column, Table
from lakehouse.vocabulary import CHANNELS, TOUCH_TYPES

table = Table(
    name="bronze.marketing_events",
    description=__doc__,
    grain="campaign touch",
    key=("touch_id",),
    columns=(
        Column("touch_id", "string", "Touch"),
        Column("lead_id", "string", "Lead that was touched"),
        Column("account_id", "string", "Account of the lead"),
        Column("campaign_id", "string", "Campaign, as in marketing_spend; null without one"),
        Column("channel", "string", "Channel of the touch", values=CHANNELS),
        Column("touch_type", "string", "Kind of touch", values=TOUCH_TYPES),
        Column("occurred_at", "timestamp", "When it happened"),
        *PROVENANCE,
    ),
    rejects=(
        Check("touch_id_missing", "touch_id IS NOT NULL"),
        Check("lead_id_missing", "lead_id IS NOT NULL"),
        Check("channel_missing", "channel IS NOT NULL"),
        Check("occurred_at_missing", "occurred_at IS NOT NULL"),
    ),
)

if __name__ == "__main__":
    from lakehouse.submit import submit

    submit(table)
