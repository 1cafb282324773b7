"""Support tickets: one row per version of a ticket."""

from __future__ import annotations

from lakehouse.rules import Once
from lakehouse.table import PROVENANCE, Check, Column, Table

table = Table(
    name="bronze.support_interactions",
    description=__doc__,
    grain="version of a ticket",
    key=("ticket_id", "updated_at"),
    version_by="updated_at",
    columns=(
        Column("ticket_id", "string", "Ticket"),
        Column("customer_id", "string", "Customer who asks"),
        Column("user_id", "string", "User who asks"),
        Column("opened_at", "timestamp", "When it was opened"),
        Column("first_responded_at", "timestamp", "First answer by an agent; null while there is none"),
        Column("resolved_at", "timestamp", "When it was resolved; null while it is not"),
        Column("reopen_count", "int", "How often it was opened again", minimum=0, default="0"),
        Column("agent_replies", "int", "Answers by agents so far", minimum=0),
        Column("channel", "string", "How the customer reached support", values=("email", "chat", "phone", "web")),
        Column(
            "category",
            "string",
            "Subject of the ticket",
            values=("billing", "bug", "how_to", "integration", "performance", "feature_request"),
        ),
        Column("priority", "string", "Priority", values=("urgent", "high", "normal", "low")),
        Column("status", "string", "Status", values=("open", "pending", "resolved", "closed")),
        Column("escalated", "boolean", "Whether it was escalated", default="false"),
        Column("message", "string", "What the customer wrote", personal=True),
        Column(
            "sentiment_score",
            "double",
            "Sentiment from -1 to 1 as the help desk gives it; may be null",
            minimum=-1,
            maximum=1,
        ),
        Column("csat", "int", "Satisfaction from 1 to 5; null when not answered", minimum=1, maximum=5),
        Column("agent_id", "string", "Agent who has the ticket"),
        Column("updated_at", "timestamp", "When this version came to hold", default="_covered_to"),
        *PROVENANCE,
    ),
    audits=(Once("received_once", ("ticket_id", "updated_at")),),
    rejects=(
        Check("ticket_id_missing", "ticket_id IS NOT NULL"),
        Check("customer_id_missing", "customer_id IS NOT NULL"),
        Check("opened_at_missing", "opened_at IS NOT NULL"),
        Check("responded_before_opened", "first_responded_at IS NULL OR first_responded_at >= opened_at"),
        Check("resolved_before_opened", "resolved_at IS NULL OR resolved_at >= opened_at"),
    ),
)

if __name__ == "__main__":
    from lakehouse.submit import submit

    submit(table)
