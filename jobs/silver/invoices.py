"""What was billed and whether it was paid in time: one row per invoice or credit note.

Amounts in the reporting currency are at the rate of the day of issue. What is issued after the as-of day is left out
until it reaches it.
"""

from __future__ import annotations

from datetime import date

from pyspark.sql import Column as SparkColumn
from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql.window import Window

from jobs.bronze.exchange_rates import table as received_rates
from jobs.bronze.invoices import table as received
from lakehouse.cleaning import kept
from lakehouse.metrics.currency import convertible, to_reporting, with_rate_known
from lakehouse.rules import Freshness, ParentCheck, Part, Received, Reconciliation, Volume
from lakehouse.table import AMOUNT, Check, Column, Table

CLOSING_STATUSES = ("paid", "void", "uncollectible")

table = Table(
    name="silver.invoices",
    description=__doc__,
    grain="invoice or credit note",
    key=("invoice_id",),
    inputs={"invoices": "bronze.invoices", "exchange_rates": "bronze.exchange_rates"},
    settings=("as_of", "reporting_currency"),
    foreign_keys={"customer_id": "silver.customers"},
    may_be_orphans=("customer_id",),
    columns=(
        Column("invoice_id", "string", "Invoice or credit note", nullable=False),
        Column("customer_id", "string", "Customer who is billed", nullable=False),
        Column("subscription_id", "string", "Subscription that is billed"),
        Column("order_id", "string", "Order that is billed; null for self-service"),
        Column(
            "invoice_type",
            "string",
            "Whether it asks for money or gives it back",
            nullable=False,
            values=("invoice", "credit_note"),
        ),
        Column("issued_at", "timestamp", "When it was issued", nullable=False),
        Column("invoice_month", "date", "First day of the month of issue", nullable=False),
        Column("due_at", "timestamp", "When it falls due"),
        Column("period_start", "date", "First day of the service that is billed"),
        Column("period_end", "date", "First day after the service that is billed"),
        Column("subtotal", AMOUNT, "Amount before tax", minimum=0),
        Column("tax", AMOUNT, "Tax", minimum=0),
        Column("total", AMOUNT, "Amount with tax", nullable=False, minimum=0),
        Column("currency", "string", "ISO 4217 code of the amounts", nullable=False),
        Column("subtotal_reporting", AMOUNT, "subtotal in the reporting currency", minimum=0),
        Column("tax_reporting", AMOUNT, "tax in the reporting currency", minimum=0),
        Column("total_reporting", AMOUNT, "total in the reporting currency", nullable=False, minimum=0),
        Column("status", "string", "Status of the invoice", values=("open", "paid", "void", "uncollectible")),
        Column("paid_at", "timestamp", "When it was paid in full; null while it is not"),
        Column("is_paid", "boolean", "Paid in full by the as-of day", nullable=False),
        Column("closed_at", "timestamp", "When it was paid, voided or written off; null while it is open"),
        Column(
            "days_late",
            "int",
            "Days from due to paid, or to the as-of day; 0 if paid in time; null if not due yet, void or a credit note",
            minimum=0,
        ),
        Column("updated_at", "timestamp", "When the newest version came to hold"),
    ),
    checks=(
        Check("void_is_never_late", "status IS DISTINCT FROM 'void' OR days_late IS NULL"),
        Check("credit_note_is_never_late", "invoice_type = 'invoice' OR days_late IS NULL"),
        Check("paid_is_closed", "closed_at IS NOT NULL OR NOT is_paid"),
        Check(
            "total_is_subtotal_and_tax",
            "subtotal IS NULL OR tax IS NULL OR total = subtotal + tax",
            severity="warn",
            action="mark",
        ),
        Check("due_after_issue", "due_at IS NULL OR due_at >= issued_at", severity="warn", action="mark"),
        Check(
            "period_ends_after_it_starts",
            "period_start IS NULL OR period_end IS NULL OR period_end >= period_start",
            severity="warn",
            action="mark",
        ),
        Check("paid_has_the_status", "NOT is_paid OR status = 'paid'"),
    ),
    audits=(
        Received("received_is_accounted_for", "bronze.invoices", known_from="issued_at"),
        Reconciliation(
            "paid_invoices_were_collected",
            "sum(total)",
            (Part("silver.payments", "sum(amount)", where="is_succeeded"),),
            by=("invoice_id",),
            where="is_paid AND invoice_type = 'invoice'",
            comparison="<=",
            tolerance=0.01,
            severity="warn",
            action="mark",
        ),
        ParentCheck(
            "customer_is_on_record",
            "silver.customers",
            "customers.updated_at IS NOT NULL",
            severity="warn",
            action="mark",
        ),
        ParentCheck(
            "issued_after_signup",
            "silver.customers",
            "customers.signup_at IS NULL OR issued_at >= customers.signup_at",
            severity="warn",
            action="mark",
        ),
        Freshness("recent", "issued_at", days=31),
        Volume("usual_volume", least=0.9, most=2.0),
    ),
)


def transform(invoices: DataFrame, exchange_rates: DataFrame, as_of: date, reporting_currency: str) -> DataFrame:
    rates = kept(exchange_rates, received_rates)
    versions = with_rate_known(invoices, rates, reporting_currency).withColumn("_closed_since", _closed_since())
    newest = kept(versions, convertible(received))
    issued = newest.withColumn("_issued_date", F.to_date("issued_at")).filter(F.col("_issued_date") <= F.lit(as_of))
    converted = to_reporting(
        issued,
        rates,
        day="_issued_date",
        amounts={name: f"{name}_reporting" for name in ("subtotal", "tax", "total")},
        reporting_currency=reporting_currency,
    )
    paid_date, due_date = F.to_date("paid_at"), F.to_date("due_at")
    invoice_type = F.coalesce("invoice_type", F.lit("invoice"))
    # Whoever sends no versions leaves no better moment than that of issue.
    closed_at = F.coalesce(F.when(F.col("status") == "paid", F.col("paid_at")), "_closed_since", "issued_at")
    is_paid = F.col("status").eqNullSafe("paid") & F.coalesce(paid_date <= F.lit(as_of), F.lit(True))
    asks_for_money = (invoice_type == "invoice") & ~F.col("status").eqNullSafe("void")
    late_until = F.when(is_paid, paid_date).when(due_date <= F.lit(as_of), F.lit(as_of))
    judged = converted.withColumns(
        {
            "invoice_type": invoice_type,
            "invoice_month": F.trunc("issued_at", "month"),
            "is_paid": is_paid,
            "closed_at": F.when(F.col("status").isin(*CLOSING_STATUSES), closed_at),
            "days_late": F.when(asks_for_money, _at_least_zero(F.date_diff(late_until, due_date))),
        }
    )
    return table.select(judged)


def _closed_since() -> SparkColumn:
    """The moment of an invoice's first version that closes it."""
    moment = F.when(F.col("status").isin(*CLOSING_STATUSES), F.col("updated_at"))
    return F.min(moment).over(Window.partitionBy("invoice_id"))


def _at_least_zero(days: SparkColumn) -> SparkColumn:
    # F.greatest would skip a null and make it 0.
    return F.when(days < 0, 0).otherwise(days)


if __name__ == "__main__":
    from lakehouse.submit import submit

    submit(table)
