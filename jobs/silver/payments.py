"""How each attempt to collect money ended: one row per payment attempt or refund.

Amounts in the reporting currency are at the rate of the day of the attempt. What happens after the as-of day is left
out until it reaches it. Cash collected is the sum of succeeded less refunded amounts.
"""

from __future__ import annotations

from datetime import date

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.bronze.exchange_rates import table as received_rates
from jobs.bronze.payments import table as received
from lakehouse.cleaning import kept
from lakehouse.metrics.currency import convertible, to_reporting, with_rate_known
from lakehouse.rules import Freshness, ParentCheck, Part, Received, Reconciliation, Sequence, Volume
from lakehouse.table import AMOUNT, Check, Column, Table

table = Table(
    name="silver.payments",
    description=__doc__,
    grain="payment attempt or refund",
    key=("payment_id",),
    inputs={
        "payments": "bronze.payments",
        "invoices": "silver.invoices",
        "exchange_rates": "bronze.exchange_rates",
    },
    settings=("as_of", "reporting_currency"),
    foreign_keys={"customer_id": "silver.customers", "invoice_id": "silver.invoices"},
    may_be_orphans=("customer_id", "invoice_id"),
    columns=(
        Column("payment_id", "string", "Attempt or refund", nullable=False),
        Column("invoice_id", "string", "Invoice that is paid or refunded"),
        Column("customer_id", "string", "Customer who pays", nullable=False),
        Column("attempted_at", "timestamp", "When it was attempted", nullable=False),
        Column("payment_month", "date", "First day of the month of the attempt", nullable=False),
        Column("amount", AMOUNT, "Amount with tax, positive also for a refund", nullable=False, minimum=0),
        Column("currency", "string", "ISO 4217 code of the amount", nullable=False),
        Column("amount_reporting", AMOUNT, "amount in the reporting currency", nullable=False, minimum=0),
        Column(
            "amount_net_of_tax_reporting",
            AMOUNT,
            "amount_reporting x subtotal / total of its invoice; all of it where the invoice is unknown",
            nullable=False,
            minimum=0,
        ),
        Column("method", "string", "How it was paid", values=("card", "ach", "wire", "paypal")),
        Column("status", "string", "Outcome", nullable=False, values=("succeeded", "failed", "refunded")),
        Column("attempt", "int", "1 for the first attempt on an invoice, 2 for its first retry, and so on"),
        Column("failure_reason", "string", "Why a failed attempt failed"),
        Column("is_succeeded", "boolean", "Brought money in", nullable=False),
        Column("is_recovered", "boolean", "Succeeded after an earlier attempt had failed", nullable=False),
    ),
    checks=(
        Check("tax_is_part_of_the_amount", "amount_net_of_tax_reporting <= amount_reporting"),
        Check("recovered_succeeded", "is_succeeded OR NOT is_recovered"),
        Check("failure_has_a_reason", "status = 'failed' OR failure_reason IS NULL", severity="warn", action="mark"),
        Check("payment_month_is_that_of_the_attempt", "payment_month = trunc(attempted_at, 'month')"),
    ),
    audits=(
        Received("received_is_accounted_for", "bronze.payments", known_from="attempted_at"),
        Reconciliation(
            "no_more_collected_than_billed",
            "sum(IF(status = 'refunded', -amount, amount))",
            (Part("silver.invoices", "sum(total)"),),
            by=("invoice_id",),
            where="status <> 'failed' AND invoice_id IS NOT NULL",
            comparison="<=",
            tolerance=0.01,
            severity="warn",
            action="mark",
        ),
        Reconciliation(
            "no_more_refunded_than_collected",
            "sum(amount)",
            (Part("silver.payments", "sum(amount)", where="is_succeeded"),),
            by=("invoice_id",),
            where="status = 'refunded' AND invoice_id IS NOT NULL",
            comparison="<=",
            severity="warn",
            action="mark",
        ),
        ParentCheck(
            "attempted_after_issue",
            "silver.invoices",
            "attempted_at >= invoices.issued_at",
            severity="warn",
            action="mark",
        ),
        ParentCheck(
            "paid_by_who_was_billed",
            "silver.invoices",
            "customer_id = invoices.customer_id AND currency = invoices.currency",
            severity="warn",
            action="mark",
        ),
        Sequence(
            "attempts_count_up",
            "attempt = coalesce(previous.attempt, 0) + 1",
            order=("attempted_at", "payment_id"),
            within=("invoice_id",),
            where="status <> 'refunded' AND invoice_id IS NOT NULL AND attempt IS NOT NULL",
            severity="warn",
            action="mark",
        ),
        Freshness("recent", "attempted_at", days=31),
        Volume("usual_volume", least=0.9, most=2.0),
    ),
)


def transform(
    payments: DataFrame, invoices: DataFrame, exchange_rates: DataFrame, as_of: date, reporting_currency: str
) -> DataFrame:
    rates = kept(exchange_rates, received_rates)
    sound = kept(with_rate_known(payments, rates, reporting_currency), convertible(received))
    made = sound.withColumn("_attempted_date", F.to_date("attempted_at")).filter(
        F.col("_attempted_date") <= F.lit(as_of)
    )
    converted = to_reporting(
        made,
        rates,
        day="_attempted_date",
        amounts={"amount": "amount_reporting"},
        reporting_currency=reporting_currency,
    )
    net_of_tax = F.try_divide(F.col("amount_reporting") * F.col("subtotal"), F.col("total")).cast(AMOUNT)
    is_succeeded = F.col("status") == "succeeded"
    billed = converted.join(invoices.select("invoice_id", "subtotal", "total"), on="invoice_id", how="left")
    judged = billed.withColumns(
        {
            "payment_month": F.trunc("attempted_at", "month"),
            "amount_net_of_tax_reporting": F.coalesce(net_of_tax, "amount_reporting"),
            "is_succeeded": is_succeeded,
            "is_recovered": is_succeeded & F.coalesce(F.col("attempt") > 1, F.lit(False)),
        }
    )
    return table.select(judged)


if __name__ == "__main__":
    from lakehouse.submit import submit

    submit(table)
