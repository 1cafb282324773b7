"""How payments go, in the reporting currency and with tax: one row per month, method and status."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql.window import Window

from lakehouse.metrics.ratios import safe_ratio
from lakehouse.rules import Part, Reconciliation
from lakehouse.table import AMOUNT, MONEY, Check, Column, Table

GRAIN = ("payment_month", "method", "status")

table = Table(
    name="gold.payment_summary",
    description=__doc__,
    grain="month × method × status",
    key=GRAIN,
    inputs={"payments": "silver.payments"},
    settings=("reporting_currency",),
    columns=(
        Column("payment_month", "date", "First day of the month of the attempts", nullable=False),
        Column(
            "method",
            "string",
            "How it was paid",
            nullable=False,
            values=("card", "ach", "wire", "paypal", "unknown"),
        ),
        Column("status", "string", "Outcome", nullable=False, values=("succeeded", "failed", "refunded")),
        Column("attempts", "bigint", "Attempts; refunds where they were refunded", nullable=False, minimum=1),
        Column("customers", "bigint", "Customers with one", nullable=False, minimum=1),
        Column("recovered_attempts", "bigint", "Those that succeeded after a failure", nullable=False, minimum=0),
        Column("amount", MONEY, "Sum of the amounts", nullable=False, minimum=0),
        Column("net_cash", MONEY, "What it brought: succeeded +, refunded −, failed 0", nullable=False),
        Column("currency", "string", "Reporting currency, ISO 4217", nullable=False),
        Column("share_of_attempts", "double", "Share of the month's rows", nullable=False, minimum=0, maximum=1),
        Column("share_of_amount", "double", "Share of the month's amounts", minimum=0, maximum=1),
    ),
    checks=(
        Check("no_more_customers_than_attempts", "customers <= attempts"),
        Check("failure_brings_nothing", "status <> 'failed' OR net_cash = 0"),
    ),
    audits=(
        Reconciliation(
            "attempts_are_those_of_the_payments",
            "sum(attempts)",
            (Part("silver.payments", "count(*)"),),
            by=("payment_month", "status"),
        ),
        Reconciliation(
            "amounts_are_those_of_the_payments",
            "sum(amount)",
            (Part("silver.payments", "sum(amount_reporting)"),),
            by=("payment_month", "status"),
            tolerance=0.05,
        ),
        Reconciliation(
            "net_cash_is_that_of_the_payments",
            "sum(net_cash)",
            (
                Part(
                    "silver.payments",
                    "sum(CASE status WHEN 'succeeded' THEN amount_reporting WHEN 'refunded' THEN -amount_reporting END)",
                ),
            ),
            by=("payment_month",),
            tolerance=0.1,
        ),
        Reconciliation("shares_add_up_to_one", "sum(share_of_attempts) - 1", (), by=("payment_month",), tolerance=1e-6),
    ),
)


def transform(payments: DataFrame, reporting_currency: str) -> DataFrame:
    amount, status = F.col("amount"), F.col("status")
    by_customer = (
        payments.withColumn("method", F.coalesce("method", F.lit("unknown")))
        .groupBy(*GRAIN, "customer_id")
        .agg(
            F.count("*").alias("attempts"),
            F.count_if("is_recovered").alias("recovered_attempts"),
            F.sum("amount_reporting").cast(AMOUNT).alias("amount"),
        )
    )
    summed = by_customer.groupBy(*GRAIN).agg(
        F.sum("attempts").alias("attempts"),
        F.sum("recovered_attempts").alias("recovered_attempts"),
        F.sum("amount").cast(AMOUNT).alias("amount"),
        F.count("*").alias("customers"),
    )
    month = Window.partitionBy("payment_month")
    described = summed.withColumns(
        {
            "net_cash": F.when(status == "succeeded", amount).when(status == "refunded", -amount).otherwise(0),
            "currency": F.lit(reporting_currency),
            "share_of_attempts": safe_ratio(F.col("attempts"), F.sum("attempts").over(month)),
            "share_of_amount": safe_ratio(amount, F.sum("amount").over(month)),
        }
    )
    return table.select(described)


if __name__ == "__main__":
    from lakehouse.submit import submit

    submit(table)
