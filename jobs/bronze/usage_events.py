"""Product usage: one row per event.

An id names one event of its month: what comes again with a day in another month is another event, so that no month need be
compared with all the others.
"""

from __future__ import annotations

from lakehouse.rules import Timely
from lakehouse.table import PROVENANCE, Check, Column, Table
from lakehouse.vocabulary import EVENT_CATEGORIES, EVENT_TYPES

EVENT_ID = "sha256(concat_ws(' | ', customer_id, user_id, session_id, occurred_at, event_type, feature))"

table = Table(
    name="bronze.usage_events",
    description=__doc__,
    grain="product event",
    key=("event_id", "event_month"),
    by_month="event_month",
    columns=(
        Column("event_id", "string", "Event", default=EVENT_ID),
        Column("customer_id", "string", "Customer of the user"),
        Column("user_id", "string", "User who acted"),
        Column("session_id", "string", "Session of the user"),
        Column("occurred_at", "timestamp", "When it happened"),
        Column("event_date", "date", "Day on which it happened, UTC", default="CAST(occurred_at AS DATE)"),
        Column(
            "event_month",
            "date",
            "First day of the month in which it happened",
            default="CAST(date_trunc('month', event_date) AS DATE)",
        ),
        Column("event_type", "string", "What was done", values=EVENT_TYPES),
        Column(
            "event_category", "string", "Feature category; null for login and onboarding_step", values=EVENT_CATEGORIES
        ),
        Column("feature", "string", "Feature that was used, under the event type"),
        Column("outcome", "string", "Whether it worked", values=("ok", "error"), default="'ok'"),
        Column("duration_seconds", "double", "How long it took", minimum=0),
        *PROVENANCE,
    ),
    audits=(Timely("arrived_in_time", "event_date"),),
    rejects=(
        Check("event_id_missing", "event_id IS NOT NULL"),
        Check("customer_id_missing", "customer_id IS NOT NULL"),
        Check("user_id_missing", "user_id IS NOT NULL"),
        Check("event_date_missing", "event_date IS NOT NULL"),
        Check("event_type_missing", "event_type IS NOT NULL"),
    ),
)

if __name__ == "__main__":
    from lakehouse.submit import submit

    submit(table)
