"""Leads as they stood at the end of the as-of day, with their way to a win: one row per lead.

A person whose contact had an earlier lead comes again: such a lead is listed, and the funnel counts the person once.
Segment, industry and region are the account's of the day on which the lead came.
"""

from __future__ import annotations

from datetime import date, timedelta

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.bronze.accounts import table as received_accounts
from jobs.bronze.leads import table as received
from lakehouse.cleaning import kept_as_of
from lakehouse.metrics.leads import FUNNEL_STAGES, as_known, furthest_stage, with_first_lead
from lakehouse.metrics.opportunities import with_account
from lakehouse.rules import Freshness, ParentCheck, Received, Volume
from lakehouse.settings import Segments
from lakehouse.table import Check, Column, Table
from lakehouse.vocabulary import CHANNELS, LEAD_STATUSES, SEGMENTS

table = Table(
    name="silver.leads",
    description=__doc__,
    grain="lead",
    key=("lead_id",),
    inputs={
        "leads": "bronze.leads",
        "opportunities": "silver.opportunities",
        "accounts": "bronze.accounts",
    },
    settings=("as_of", "segments"),
    foreign_keys={
        "account_id": "silver.accounts",
        "contact_id": "silver.contacts",
        "owner_rep_id": "silver.sales_reps",
        "opportunity_id": "silver.opportunities",
        "first_lead_id": "silver.leads",
    },
    may_be_orphans=("account_id", "contact_id", "owner_rep_id", "opportunity_id"),
    columns=(
        Column("lead_id", "string", "Lead", nullable=False),
        Column("account_id", "string", "Account of the lead's company"),
        Column("contact_id", "string", "Person who showed interest"),
        Column("first_lead_id", "string", "First lead of the same person; its own unless it is a re-entry", False),
        Column("is_reentry", "boolean", "The person had come before", nullable=False),
        Column("lead_source", "string", "Channel that brought the lead", nullable=False, values=CHANNELS),
        Column("campaign_id", "string", "Campaign that brought the lead; null without one"),
        Column("segment", "string", "Segment of the account; null where it is unknown", values=SEGMENTS),
        Column("industry", "string", "Industry of the account"),
        Column("region", "string", "Sales region of the account"),
        Column("owner_rep_id", "string", "Rep who follows up"),
        Column("created_at", "timestamp", "When the lead came", nullable=False),
        Column("created_date", "date", "Day on which the lead came", nullable=False),
        Column("first_touched_at", "timestamp", "When a rep first reached out; null while nobody did"),
        Column("mql_at", "timestamp", "When marketing qualified it; null while it did not, or where it was skipped"),
        Column("sql_at", "timestamp", "When sales accepted it; null while it did not, or where it was skipped"),
        Column("opportunity_id", "string", "Opportunity that the lead became"),
        Column("opportunity_at", "timestamp", "When that opportunity was opened"),
        Column("won_at", "timestamp", "When that opportunity was won; null unless it is"),
        Column("furthest_stage", "string", "Last stage that it reached, which implies the earlier ones", False,
               values=FUNNEL_STAGES),
        Column("is_self_service", "boolean", "Converted without an opportunity: the person bought alone", False),
        Column("status", "string", "Status of the lead", values=LEAD_STATUSES),
        Column("disqualified_reason", "string", "Why it was given up"),
        Column("updated_at", "timestamp", "When this version came to hold", nullable=False),
    ),
    checks=(
        Check("created_date_agrees", "created_date = to_date(created_at)"),
        Check("a_reentry_names_another_lead", "is_reentry = (first_lead_id <> lead_id)"),
        Check("touched_after_it_came", "first_touched_at IS NULL OR first_touched_at >= created_at"),
        Check("mql_after_it_came", "mql_at IS NULL OR mql_at >= created_at"),
        Check("sql_after_mql", "sql_at IS NULL OR mql_at IS NULL OR sql_at >= mql_at"),
        Check("opportunity_after_the_others", "opportunity_at IS NULL OR"
              " opportunity_at >= greatest(created_at, mql_at, sql_at)", severity="warn", action="mark"),
        Check("won_after_opening", "won_at IS NULL OR won_at >= opportunity_at", severity="warn", action="mark"),
        Check("won_is_the_furthest", "(furthest_stage = 'won') = (won_at IS NOT NULL)"),
        Check("an_opportunity_is_no_self_service", "NOT (is_self_service AND opportunity_id IS NOT NULL)"),
        Check("given_up_with_a_reason", "status IS NULL OR status = 'disqualified' OR disqualified_reason IS NULL",
              severity="warn", action="mark"),
    ),
    audits=(
        Received("received_is_accounted_for", "bronze.leads", known_from="created_at"),
        ParentCheck("opportunity_names_the_lead", "silver.opportunities",
                    "opportunities.lead_id IS NULL OR opportunities.lead_id = lead_id", severity="warn", action="mark"),
        ParentCheck("first_lead_came_no_later", "silver.leads", "created_at >= leads.created_at"),
        Freshness("recent", "created_at", days=31),
        Volume("usual_volume", least=0.9, most=2.0),
    ),
)  # fmt: skip


def transform(
    leads: DataFrame, opportunities: DataFrame, accounts: DataFrame, as_of: date, segments: Segments
) -> DataFrame:
    until = F.lit(as_of + timedelta(days=1)).cast("timestamp")
    known = as_known(kept_as_of(leads, received, until), opportunities, until)
    dated = with_first_lead(known).withColumn("created_date", F.to_date("created_at"))
    is_converted = F.coalesce(F.col("status") == "converted", F.lit(False))
    return table.select(
        with_account(dated, accounts, received_accounts, segments).withColumns(
            {
                "furthest_stage": furthest_stage(),
                "is_self_service": is_converted & F.col("opportunity_id").isNull(),
            }
        )
    )


if __name__ == "__main__":
    from lakehouse.submit import submit

    submit(table)
