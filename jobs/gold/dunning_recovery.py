"""What retrying a failed payment brings: one row per method and number of the attempt.

Of the invoices whose first attempt was made at least 30 days before the end of the as-of day, so that those still being
retried do not look lost; a failed one counts as recovered at the attempt that succeeded. An invoice belongs to the
method of its first attempt, and to ``all``. Payments that name no invoice are left out.
"""

from __future__ import annotations

from datetime import date

from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql.window import Window

from lakehouse.metrics.breakdown import by_dimension
from lakehouse.metrics.ratios import safe_ratio, wilson_interval
from lakehouse.table import MONEY, Check, Column, Table

# Dunning is over by then.
FOLLOWED_DAYS = 30

DIMENSIONS = {"all": (), "method": ("method",)}

table = Table(
    name="gold.dunning_recovery",
    description=__doc__,
    grain="method × number of the attempt",
    key=("method", "attempt"),
    inputs={"payments": "silver.payments"},
    settings=("as_of", "min_observations", "reporting_currency"),
    columns=(
        Column(
            "method",
            "string",
            "Method of the first attempt",
            nullable=False,
            values=("all", "card", "ach", "wire", "paypal", "unknown"),
        ),
        Column("attempt", "int", "1 for the first attempt on an invoice, 2 for its first retry", False, minimum=1),
        Column("attempts", "bigint", "Invoices on which this attempt was made", nullable=False, minimum=1),
        Column("succeeded", "bigint", "Those of them that it collected", nullable=False, minimum=0),
        Column("success_rate", "double", "succeeded ÷ attempts", nullable=False, minimum=0, maximum=1),
        Column("success_rate_low", "double", "Lower 95 % bound (Wilson)", nullable=False, minimum=0, maximum=1),
        Column("success_rate_high", "double", "Upper 95 % bound (Wilson)", nullable=False, minimum=0, maximum=1),
        Column("amount", MONEY, "What it collected, with tax", nullable=False, minimum=0),
        Column("currency", "string", "Reporting currency, ISO 4217", nullable=False),
        Column("failed_invoices", "bigint", "Invoices of the method whose first attempt failed", False, minimum=0),
        Column("failed_amount", MONEY, "What those first attempts asked for", nullable=False, minimum=0),
        Column("recovered_invoices", "bigint", "Those recovered by this attempt or an earlier one", False, minimum=0),
        Column("recovered_amount", MONEY, "What those attempts collected", nullable=False, minimum=0),
        Column("recovery_rate", "double", "recovered_invoices ÷ failed_invoices", minimum=0, maximum=1),
        Column("recovery_rate_low", "double", "Lower 95 % bound (Wilson)", minimum=0, maximum=1),
        Column("recovery_rate_high", "double", "Upper 95 % bound (Wilson)", minimum=0, maximum=1),
        Column("recovery_rate_by_amount", "double", "recovered_amount ÷ failed_amount", minimum=0),
        Column("is_small", "boolean", "Fewer failed invoices than min_observations", nullable=False),
    ),
    checks=(
        Check("no_more_succeed_than_are_tried", "succeeded <= attempts"),
        Check("no_more_are_recovered_than_failed", "recovered_invoices <= failed_invoices"),
        Check("the_first_attempt_recovers_nothing", "attempt > 1 OR recovered_invoices = 0"),
    ),
)


def transform(payments: DataFrame, as_of: date, min_observations: int, reporting_currency: str) -> DataFrame:
    made = _followed_attempts(payments, as_of)
    is_first, is_succeeded, amount = F.col("attempt") == 1, F.col("is_succeeded"), F.col("amount_reporting")
    by_attempt = (
        by_dimension(made, DIMENSIONS)
        .groupBy(F.col("dimension_value").alias("method"), "attempt")
        .agg(
            F.count("*").alias("attempts"),
            F.count_if("is_succeeded").alias("succeeded"),
            F.sum(F.when(is_succeeded, amount).otherwise(0)).cast(MONEY).alias("amount"),
            F.sum(F.when(~is_succeeded, amount).otherwise(0)).cast(MONEY).alias("not_collected"),
        )
    )
    method = Window.partitionBy("method")
    so_far = method.orderBy("attempt")
    failed = F.col("attempts") - F.col("succeeded")
    retried = {name: F.when(is_first, 0).otherwise(F.col(name)) for name in ("succeeded", "amount")}
    followed = by_attempt.withColumns(
        {
            "failed_invoices": F.sum(F.when(is_first, failed).otherwise(0)).over(method),
            "failed_amount": F.sum(F.when(is_first, F.col("not_collected")).otherwise(0)).over(method),
            "recovered_invoices": F.sum(retried["succeeded"]).over(so_far),
            "recovered_amount": F.sum(retried["amount"]).over(so_far),
        }
    )
    success = F.col("succeeded"), F.col("attempts")
    recovery = F.col("recovered_invoices"), F.col("failed_invoices")
    success_low, success_high = wilson_interval(*success)
    recovery_low, recovery_high = wilson_interval(*recovery)
    return table.select(
        followed.withColumns(
            {
                "currency": F.lit(reporting_currency),
                "success_rate": safe_ratio(*success),
                "success_rate_low": success_low,
                "success_rate_high": success_high,
                "recovery_rate": safe_ratio(*recovery),
                "recovery_rate_low": recovery_low,
                "recovery_rate_high": recovery_high,
                "recovery_rate_by_amount": safe_ratio(F.col("recovered_amount"), F.col("failed_amount")),
                "is_small": F.col("failed_invoices") < min_observations,
            }
        )
    )


def _followed_attempts(payments: DataFrame, as_of: date) -> DataFrame:
    """One row per attempt, up to the first that succeeded, on an invoice that could be followed long enough."""
    invoice = Window.partitionBy("invoice_id").orderBy("attempted_at", "payment_id")
    first = F.first(F.struct(F.to_date("attempted_at").alias("date"), "method")).over(invoice)
    succeeded_before = F.count_if("is_succeeded").over(invoice.rowsBetween(Window.unboundedPreceding, -1))
    attempts = payments.filter(F.col("invoice_id").isNotNull() & (F.col("status") != "refunded")).withColumns(
        {"attempt": F.row_number().over(invoice), "first": first, "succeeded_before": succeeded_before}
    )
    could_be_followed = F.date_diff(F.lit(as_of), "first.date") >= FOLLOWED_DAYS
    return attempts.filter(could_be_followed & (F.coalesce("succeeded_before", F.lit(0)) == 0)).withColumn(
        "method", F.col("first.method")
    )


if __name__ == "__main__":
    from lakehouse.submit import submit

    submit(table)
