"""Subscription terms as billed: one row per version of a subscription item for the period in which its terms held."""

from __future__ import annotations

from lakehouse.rules import Once
from lakehouse.table import AMOUNT, PROVENANCE, Check, Column, Table
from lakehouse.vocabulary import CHANGE_TYPES

# Items without an id of their own: those that differ in anything else are told apart by their rank, so that they add up.
SOLD = "customer_id, subscription_id, coalesce(add_on_id, plan_id), start_date"
AMONG_THEM = f"PARTITION BY {SOLD} ORDER BY amount DESC, quantity, currency, billing_interval, interval_count, end_date"
ITEM_ID = f"sha256(concat_ws(' | ', {SOLD}, nullif(dense_rank() OVER ({AMONG_THEM}), 1)))"

table = Table(
    name="bronze.subscriptions",
    description=__doc__,
    grain="version of a subscription item for the period in which its terms held",
    key=("subscription_item_id", "updated_at"),
    version_by="updated_at",
    columns=(
        Column("subscription_item_id", "string", "One period of constant terms; versions share it", default=ITEM_ID),
        Column("subscription_id", "string", "Subscription to which the item belongs", default="subscription_item_id"),
        Column("customer_id", "string", "Customer who is billed"),
        Column("item_type", "string", "What is sold", values=("plan", "add_on", "one_time"), default="'plan'"),
        Column("plan_id", "string", "Plan of the item; for an add-on, the plan it hangs on"),
        Column("add_on_id", "string", "Add-on of the item; null for a plan"),
        Column("change_type", "string", "Why the row began", values=CHANGE_TYPES),
        Column(
            "billing_interval",
            "string",
            "Unit of the billing interval",
            values=("day", "week", "month", "year"),
            default="'month'",
        ),
        Column("interval_count", "int", "Units in one billing interval", minimum=1, default="1"),
        Column("term_months", "int", "Months of commitment; null without one", minimum=1),
        Column("quantity", "int", "Seats, or pieces of an add-on", minimum=0),
        Column("list_amount", AMOUNT, "Amount per billing interval before discount and tax", minimum=0),
        Column("discount_amount", AMOUNT, "Discount per billing interval on each day of the row", minimum=0),
        Column(
            "discount_duration",
            "string",
            "How long the discount runs; null without one",
            values=("once", "repeating", "forever"),
        ),
        Column("amount", AMOUNT, "Amount per billing interval after discount and before tax", minimum=0),
        Column("currency", "string", "ISO 4217 code of the amounts", default="_reporting_currency"),
        Column(
            "status",
            "string",
            "Status during the period",
            values=("trialing", "active", "past_due", "unpaid", "paused", "canceled"),
            default="'active'",
        ),
        Column("start_date", "date", "First day of the period"),
        Column("end_date", "date", "First day after the period; null while it is open"),
        Column("canceled_at", "timestamp", "When the customer said so; end_date is when it took effect"),
        Column("cancel_reason", "string", "Reason given, or found by dunning"),
        Column("opportunity_id", "string", "Opportunity that sold the terms; null for self-service"),
        Column("updated_at", "timestamp", "When this version came to hold", default="_covered_to"),
        *PROVENANCE,
    ),
    audits=(Once("received_once", ("subscription_item_id", "updated_at")),),
    rejects=(
        Check("subscription_item_id_missing", "subscription_item_id IS NOT NULL"),
        Check("customer_id_missing", "customer_id IS NOT NULL"),
        Check("start_date_missing", "start_date IS NOT NULL"),
        Check("end_before_start", "end_date IS NULL OR end_date >= start_date"),
        Check("billing_interval_unknown", "billing_interval IN ('day', 'week', 'month', 'year')"),
        Check("interval_count_not_positive", "interval_count > 0"),
        Check("amount_missing_or_negative", "amount >= 0"),
        Check("currency_missing", "currency IS NOT NULL"),
    ),
)

if __name__ == "__main__":
    from lakehouse.submit import submit

    submit(table)
