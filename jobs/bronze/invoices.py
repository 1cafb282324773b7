"""Invoices and credit notes: one row per version of an invoice."""

from __future__ import annotations

from lakehouse.rules import Once
from lakehouse.table import AMOUNT, PROVENANCE, Check, Column, Table

table = Table(
    name="bronze.invoices",
    description=__doc__,
    grain="version of an invoice",
    key=("invoice_id", "updated_at"),
    version_by="updated_at",
    columns=(
        Column("invoice_id", "string", "Invoice or credit note"),
        Column("customer_id", "string", "Customer who is billed"),
        Column("subscription_id", "string", "Subscription that is billed"),
        Column("order_id", "string", "Order that is billed; null for self-service"),
        Column(
            "invoice_type",
            "string",
            "Whether it asks for money or gives it back",
            values=("invoice", "credit_note"),
            default="'invoice'",
        ),
        Column("issued_at", "timestamp", "When it was issued"),
        Column("due_at", "timestamp", "When it falls due"),
        Column("period_start", "date", "First day of the service that is billed"),
        Column("period_end", "date", "First day after the service that is billed"),
        Column("subtotal", AMOUNT, "Amount before tax", minimum=0),
        Column("tax", AMOUNT, "Tax", minimum=0),
        Column("total", AMOUNT, "Amount with tax", minimum=0),
        Column("currency", "string", "ISO 4217 code of the amounts", default="_reporting_currency"),
        Column(
            "status",
            "string",
            "Status of the invoice",
            values=("open", "paid", "void", "uncollectible"),
            default="CASE WHEN paid_at IS NULL THEN 'open' ELSE 'paid' END",
        ),
        Column("paid_at", "timestamp", "When it was paid in full; null while it is not"),
        Column("updated_at", "timestamp", "When this version came to hold", default="_covered_to"),
        *PROVENANCE,
    ),
    audits=(Once("received_once", ("invoice_id", "updated_at")),),
    rejects=(
        Check("invoice_id_missing", "invoice_id IS NOT NULL"),
        Check("customer_id_missing", "customer_id IS NOT NULL"),
        Check("issued_at_missing", "issued_at IS NOT NULL"),
        Check("total_missing_or_negative", "total >= 0"),
        Check("currency_missing", "currency IS NOT NULL"),
    ),
)

if __name__ == "__main__":
    from lakehouse.submit import submit

    submit(table)
