"""Opportunities as the CRM shows them: one row per version of an opportunity."""

from __future__ import annotations

from lakehouse.table import AMOUNT, PROVENANCE, Check, Column, Table
from lakehouse.vocabulary import CHANNELS, OPPORTUNITY_TYPES, STAGES

table = Table(
    name="bronze.opportunities",
    description=__doc__,
    grain="version of an opportunity",
    key=("opportunity_id", "updated_at"),
    version_by="updated_at",
    columns=(
        Column("opportunity_id", "string", "Opportunity; subscriptions name the one that sold their terms"),
        Column("account_id", "string", "Account that would buy"),
        Column("lead_id", "string", "Lead that it came from; null for business with customers"),
        Column("owner_rep_id", "string", "Rep who owns it"),
        Column("opportunity_type", "string", "What kind of business it is", values=OPPORTUNITY_TYPES),
        Column("product_line", "string", "Product line, as in plans and add_ons"),
        Column("lead_source", "string", "Channel that brought the account", values=CHANNELS),
        Column("stage", "string", "Stage", values=STAGES),
        Column("arr", AMOUNT, "ARR that it would add, or for a renewal keep", minimum=0),
        Column("currency", "string", "ISO 4217 code of the ARR", default="_reporting_currency"),
        Column("term_months", "int", "Months of commitment; null without one", minimum=1),
        Column("created_at", "timestamp", "When it was opened"),
        Column("expected_close_date", "date", "Day on which the rep expects to close; once closed, the day it was"),
        Column("closed_at", "timestamp", "When it was won or lost; null while it is open"),
        Column("rep_probability", "double", "Probability of winning, as the rep gives it", minimum=0, maximum=1),
        Column("loss_reason", "string", "Why it was lost"),
        Column("updated_at", "timestamp", "When this version came to hold", default="_covered_to"),
        *PROVENANCE,
    ),
    rejects=(
        Check("opportunity_id_missing", "opportunity_id IS NOT NULL"),
        Check("account_id_missing", "account_id IS NOT NULL"),
        Check("stage_missing", "stage IS NOT NULL"),
        Check("created_at_missing", "created_at IS NOT NULL"),
        Check("updated_at_missing", "updated_at IS NOT NULL"),
        Check("arr_missing_or_negative", "arr >= 0"),
        Check("currency_missing", "currency IS NOT NULL"),
        Check("closed_before_created", "closed_at IS NULL OR closed_at >= created_at"),
    ),
)

if __name__ == "__main__":
    from lakehouse.submit import submit

    submit(table)
