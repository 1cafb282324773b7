"""Payment attempts and refunds: one row per attempt or refund."""

from __future__ import annotations

from lakehouse.rules import Once
from lakehouse.table import AMOUNT, PROVENANCE, Check, Column, Table

table = Table(
    name="bronze.payments",
    description=__doc__,
    grain="payment attempt or refund",
    key=("payment_id",),
    columns=(
        Column("payment_id", "string", "Attempt or refund"),
        Column("invoice_id", "string", "Invoice that is paid or refunded"),
        Column("customer_id", "string", "Customer who pays"),
        Column("attempted_at", "timestamp", "When it was attempted"),
        Column("amount", AMOUNT, "Amount with tax, positive also for a refund", minimum=0),
        Column("currency", "string", "ISO 4217 code of the amount", default="_reporting_currency"),
        Column("method", "string", "How it was paid", values=("card", "ach", "wire", "paypal")),
        Column(
            "status",
            "string",
            "Outcome; a refund is a row of its own",
            values=("succeeded", "failed", "refunded"),
            default="'succeeded'",
        ),
        Column(
            "attempt",
            "int",
            "1 for the first attempt on an invoice, 2 for its first retry, and so on",
            minimum=1,
            default="1",
        ),
        Column("failure_reason", "string", "Why a failed attempt failed"),
        *PROVENANCE,
    ),
    audits=(Once("received_once", ("payment_id",)),),
    rejects=(
        Check("payment_id_missing", "payment_id IS NOT NULL"),
        Check("customer_id_missing", "customer_id IS NOT NULL"),
        Check("attempted_at_missing", "attempted_at IS NOT NULL"),
        Check("amount_missing_or_negative", "amount >= 0"),
        Check("status_unknown", "status IN ('succeeded', 'failed', 'refunded')"),
        Check("currency_missing", "currency IS NOT NULL"),
    ),
)

if __name__ == "__main__":
    from lakehouse.submit import submit

    submit(table)
