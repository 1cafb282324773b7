"""Support tickets as they stood at the end of the as-of day, with sentiment and service levels: one row per ticket."""

from __future__ import annotations

from datetime import date, timedelta

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.bronze.support_interactions import table as received
from lakehouse.cleaning import kept
from lakehouse.metrics.sentiment import SOURCES, with_sentiment
from lakehouse.metrics.sla import with_service_levels
from lakehouse.metrics.tickets import as_known
from lakehouse.rules import Freshness, ParentCheck, Received, Volume
from lakehouse.settings import Sla
from lakehouse.table import Check, Column, Table

table = Table(
    name="silver.tickets",
    description=__doc__,
    grain="ticket",
    key=("ticket_id",),
    inputs={"interactions": "bronze.support_interactions"},
    settings=("as_of", "sla"),
    foreign_keys={"customer_id": "silver.customers", "opened_date": "silver.dim_date"},
    may_be_orphans=("customer_id",),
    export_as="fct_tickets",
    columns=(
        Column("ticket_id", "string", "Ticket", nullable=False),
        Column("customer_id", "string", "Customer who asks", nullable=False),
        Column("user_id", "string", "User who asks"),
        Column("agent_id", "string", "Agent who has the ticket"),
        Column("channel", "string", "How the customer reached support"),
        Column("category", "string", "Subject of the ticket"),
        Column("priority", "string", "Priority"),
        Column("status", "string", "Status; open when it was resolved after the as-of day"),
        Column("opened_at", "timestamp", "When it was opened", nullable=False),
        Column("opened_date", "date", "Day on which it was opened", nullable=False),
        Column("opened_month", "date", "First day of the month in which it was opened", nullable=False),
        Column("first_responded_at", "timestamp", "First answer by an agent; null while there is none"),
        Column("resolved_at", "timestamp", "When it was resolved; null while it is not"),
        Column("is_resolved", "boolean", "Whether it is resolved", nullable=False),
        Column("first_response_hours", "double", "Hours from opening to the first answer", minimum=0),
        Column("resolution_hours", "double", "Hours from opening to resolution", minimum=0),
        Column("first_response_target_hours", "double", "Target by priority, in calendar hours"),
        Column("resolution_target_hours", "double", "Target by priority, in calendar hours"),
        Column("is_first_response_breached", "boolean", "First answer later than the target; null without a target"),
        Column("is_resolution_breached", "boolean", "Resolution later than the target; null without a target"),
        Column("is_breached", "boolean", "Either of the targets missed; null without a target"),
        Column("sla_ratio", "double", "Resolution hours ÷ target hours", minimum=0),
        Column(
            "resolution_speed",
            "string",
            "fast up to half of the target, on_time up to all of it; null without a target",
            values=("fast", "on_time", "late", "open"),
        ),
        Column("reopen_count", "int", "How often it was opened again", minimum=0),
        Column("agent_replies", "int", "Answers by agents so far", minimum=0),
        Column("is_first_contact_resolved", "boolean", "Resolved by one answer, never reopened", nullable=False),
        Column("is_escalated", "boolean", "Whether it was escalated", nullable=False),
        Column("csat", "int", "Satisfaction from 1 to 5; null when not answered", minimum=1, maximum=5),
        Column(
            "csat_tier",
            "string",
            "satisfied from 4, dissatisfied up to 2, none when not answered",
            nullable=False,
            values=("satisfied", "neutral", "dissatisfied", "none"),
        ),
        Column("sentiment", "double", "From -1 to 1: as given, else scored from the message", minimum=-1, maximum=1),
        Column("sentiment_source", "string", "Where the sentiment comes from", nullable=False, values=SOURCES),
    ),
    checks=(
        Check("resolved_with_hours", "is_resolved = (resolution_hours IS NOT NULL)"),
        Check("sentiment_with_source", "(sentiment IS NULL) = (sentiment_source = 'none')"),
        Check("late_is_breached", "NOT (resolution_speed <=> 'late') OR is_resolution_breached"),
        Check(
            "answered_after_opening",
            "first_responded_at IS NULL OR first_responded_at >= opened_at",
            severity="warn",
            action="mark",
        ),
        Check(
            "resolved_after_opening", "resolved_at IS NULL OR resolved_at >= opened_at", severity="warn", action="mark"
        ),
        Check("breached_is_either", "is_breached <=> (is_first_response_breached OR is_resolution_breached)"),
        Check(
            "opened_date_and_month_agree",
            "opened_date = to_date(opened_at) AND opened_month = trunc(opened_at, 'month')",
        ),
    ),
    audits=(
        Received("received_is_accounted_for", "bronze.support_interactions", known_from="opened_at"),
        ParentCheck(
            "customer_is_on_record",
            "silver.customers",
            "customers.updated_at IS NOT NULL",
            severity="warn",
            action="mark",
        ),
        ParentCheck(
            "opened_after_signup",
            "silver.customers",
            "customers.signup_at IS NULL OR opened_at >= customers.signup_at",
            severity="warn",
            action="mark",
        ),
        Freshness("recent", "opened_at", days=31),
        Volume("usual_volume", least=0.9, most=2.0),
    ),
)


def transform(interactions: DataFrame, as_of: date, sla: Sla) -> DataFrame:
    until = F.lit(as_of + timedelta(days=1)).cast("timestamp")
    tickets = as_known(kept(interactions, received), until)
    is_answered_once = (F.col("agent_replies") <= 1) & (F.coalesce("reopen_count", F.lit(0)) == 0)
    csat = F.col("csat")
    described = with_sentiment(with_service_levels(tickets, sla.targets, until)).withColumns(
        {
            "opened_date": F.to_date("opened_at"),
            "opened_month": F.trunc("opened_at", "month"),
            "is_first_contact_resolved": F.coalesce(F.col("is_resolved") & is_answered_once, F.lit(False)),
            "is_escalated": F.coalesce("escalated", F.lit(False)),
            "csat_tier": F.when(csat >= 4, "satisfied")
            .when(csat == 3, "neutral")
            .when(csat <= 2, "dissatisfied")
            .otherwise("none"),
        }
    )
    return table.select(described)


if __name__ == "__main__":
    from lakehouse.submit import submit

    submit(table)
