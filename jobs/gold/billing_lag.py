"""Days from the close of an opportunity to its order, the first invoice and the first cash: one row per month and segment.

Of the orders signed in the month. Each step counts the orders that have taken it by the as-of day; those of the last
months, of which the slow ones have not, show it too short. A void invoice bills nothing.
"""

from __future__ import annotations

from datetime import date

from pyspark.sql import Column as SparkColumn
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lakehouse.metrics.breakdown import ALL, UNKNOWN, with_totals
from lakehouse.rules import Part, Reconciliation
from lakehouse.table import Check, Column, Table
from lakehouse.vocabulary import SEGMENTS

STEPS = {
    "close_to_order": "the close of the opportunity to the order",
    "order_to_invoice": "the order to its first invoice",
    "invoice_to_cash": "the first invoice to the first payment of it",
    "close_to_cash": "the close of the opportunity to the first payment of the first invoice",
}

table = Table(
    name="gold.billing_lag",
    description=__doc__,
    grain="month × segment",
    key=("month", "segment"),
    inputs={"orders": "silver.billing_orders", "invoices": "silver.invoices", "payments": "silver.payments"},
    settings=("as_of", "min_observations"),
    columns=(
        Column("month", "date", "First day of the month in which the orders were signed", nullable=False),
        Column("segment", "string", "Segment of the account, or all", False, values=(*SEGMENTS, UNKNOWN, ALL)),
        Column("is_complete", "boolean", "The month is over on the as-of day", nullable=False),
        Column("orders", "bigint", "Orders signed", nullable=False, minimum=1),
        *(
            column
            for step, what in STEPS.items()
            for column in (
                Column(f"orders_{step}", "bigint", f"Orders with both ends: {what}", nullable=False, minimum=0),
                Column(f"median_days_{step}", "double", f"Days from {what}, exact median, interpolated"),
                Column(f"p90_days_{step}", "double", "Exact 90th percentile, interpolated"),
            )
        ),
        Column("is_small", "boolean", "orders_close_to_cash below min_observations", nullable=False),
    ),
    checks=(
        *(
            check
            for step in STEPS
            for check in (
                Check(f"{step}_of_some_orders", f"(orders_{step} > 0) = (median_days_{step} IS NOT NULL)"),
                Check(f"{step}_ascends", f"coalesce(median_days_{step} <= p90_days_{step}, true)"),
            )
        ),
        *(
            Check(f"{step}_of_no_more_than_all", f"orders_{step} <= orders")
            for step in STEPS
            if step != "invoice_to_cash"
        ),
        Check("cash_comes_after_an_invoice", "orders_invoice_to_cash <= orders_order_to_invoice"),
    ),
    audits=(
        Reconciliation(
            "every_order_is_counted",
            "sum(orders)",
            (Part("silver.billing_orders", "count(*)", by=("date_trunc('month', ordered_date)",)),),
            by=("month",),
            where=f"segment = '{ALL}'",
        ),
        Reconciliation("segments_add_up", f"sum(IF(segment = '{ALL}', 1, -1) * orders)", (), by=("month",)),
    ),
)


def transform(
    orders: DataFrame, invoices: DataFrame, payments: DataFrame, as_of: date, min_observations: int
) -> DataFrame:
    followed = (
        orders.join(_first_invoices(invoices), on="order_id", how="left")
        .join(_first_payments(payments), on="invoice_id", how="left")
        .withColumns(
            {
                "month": F.trunc("ordered_date", "month"),
                "segment": F.coalesce("segment", F.lit(UNKNOWN)),
                "close_to_order": F.col("order_lag_days"),
                "order_to_invoice": F.date_diff("_invoiced_on", "ordered_date"),
                "invoice_to_cash": F.date_diff("_paid_on", "_invoiced_on"),
                "close_to_cash": F.date_diff("_paid_on", F.to_date("closed_at")),
            }
        )
    )
    measured = (
        with_totals(followed, ("segment",))
        .groupBy("month", "segment")
        .agg(F.count("*").alias("orders"), *(column for step in STEPS for column in _days(step)))
    )
    return table.select(
        measured.withColumns(
            {
                "is_complete": F.last_day("month") <= F.lit(as_of),
                "is_small": F.col("orders_close_to_cash") < min_observations,
            }
        )
    )


def _first_invoices(invoices: DataFrame) -> DataFrame:
    """One row per order: its first invoice and the day of issue."""
    is_bill = (F.col("invoice_type") == "invoice") & ~F.col("status").eqNullSafe("void")
    first = F.min(F.struct("issued_at", "invoice_id"))
    return (
        invoices.filter(is_bill & F.col("order_id").isNotNull())
        .groupBy("order_id")
        .agg(first.alias("_first"))
        .select("order_id", "_first.invoice_id", F.to_date("_first.issued_at").alias("_invoiced_on"))
    )


def _first_payments(payments: DataFrame) -> DataFrame:
    """One row per invoice that was paid: the day of its first payment."""
    paid = payments.filter(F.col("is_succeeded") & F.col("invoice_id").isNotNull())
    return paid.groupBy("invoice_id").agg(F.to_date(F.min("attempted_at")).alias("_paid_on"))


def _days(step: str) -> tuple[SparkColumn, SparkColumn, SparkColumn]:
    return (
        F.count(step).alias(f"orders_{step}"),
        F.percentile(step, 0.5).alias(f"median_days_{step}"),
        F.percentile(step, 0.9).alias(f"p90_days_{step}"),
    )


if __name__ == "__main__":
    from lakehouse.submit import submit

    submit(table)
