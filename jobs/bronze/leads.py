"""Leads on their way from the first touch to an opportunity: one row per version of a lead."""

from __future__ import annotations

from lakehouse.table import PROVENANCE, Check, Column, Table
from lakehouse.vocabulary import CHANNELS, LEAD_STATUSES

table = Table(
    name="bronze.leads",
    description=__doc__,
    grain="version of a lead",
    key=("lead_id", "updated_at"),
    version_by="updated_at",
    columns=(
        Column("lead_id", "string", "Lead"),
        Column("account_id", "string", "Account of the lead's company; a lead that comes again has the same"),
        Column("contact_id", "string", "Person who showed interest"),
        Column("lead_source", "string", "Channel that brought the lead", values=CHANNELS),
        Column("campaign_id", "string", "Campaign that brought the lead; null without one"),
        Column("owner_rep_id", "string", "Rep who follows up"),
        Column("created_at", "timestamp", "When the lead came"),
        Column("first_touched_at", "timestamp", "When a rep first reached out; null while nobody did"),
        Column("mql_at", "timestamp", "When marketing qualified it; a trial qualifies by itself"),
        Column("sql_at", "timestamp", "When sales accepted it"),
        Column("opportunity_id", "string", "Opportunity that the lead became"),
        Column("status", "string", "Status of the lead", values=LEAD_STATUSES),
        Column("disqualified_reason", "string", "Why it was given up"),
        Column("updated_at", "timestamp", "When this version came to hold", default="_covered_to"),
        *PROVENANCE,
    ),
    rejects=(
        Check("lead_id_missing", "lead_id IS NOT NULL"),
        Check("created_at_missing", "created_at IS NOT NULL"),
        Check("lead_source_missing", "lead_source IS NOT NULL"),
        Check("updated_at_missing", "updated_at IS NOT NULL"),
        Check("touched_before_created", "first_touched_at IS NULL OR first_touched_at >= created_at"),
        Check("mql_before_created", "mql_at IS NULL OR mql_at >= created_at"),
        Check("sql_before_mql", "sql_at IS NULL OR sql_at >= mql_at"),
    ),
)

if __name__ == "__main__":
    from lakehouse.submit import submit

    submit(table)
