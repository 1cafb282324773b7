"""Recurring revenue, its retention and what was ordered, on one line: one row per period and segment.

Revenue and retention are the ledger's (gold.mrr_movements), orders those of gold.bookings; nothing is computed anew. A
quarter has the ARR, customers and twelve-month rates of its last month; its monthly rates are over all of its months.
"""

from __future__ import annotations

from datetime import date

from pyspark.sql import Column as SparkColumn
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lakehouse.metrics.breakdown import ALL
from lakehouse.metrics.presence import zero_where_received
from lakehouse.metrics.ratios import safe_ratio, wilson_interval
from lakehouse.rules import Part, Reconciliation
from lakehouse.table import MONEY, Check, Column, Table

PERIODS = ("month", "quarter")
GROUP = ("period_grain", "period_start", "segment")
ORDERED = {"new": "new_arr", "expansion": "expansion_arr", "renewal": "renewal_arr"}
AT_CLOSE = ("arr", "customers_closing", "grr_12m", "nrr_12m")

table = Table(
    name="gold.executive_revenue",
    description=__doc__,
    grain="period × segment",
    key=GROUP,
    inputs={"mrr_movements": "gold.mrr_movements", "bookings": "gold.bookings"},
    settings=("as_of", "reporting_currency"),
    columns=(
        Column("period_grain", "string", "Length of the period", nullable=False, values=PERIODS),
        Column("period_start", "date", "First day of the month or calendar quarter", nullable=False),
        Column("segment", "string", "Segment at each month's close, or all", nullable=False),
        Column("currency", "string", "Reporting currency, ISO 4217", nullable=False),
        Column("is_complete", "boolean", "The period is over and the records cover it", nullable=False),
        Column("arr", MONEY, "ARR at the close", nullable=False, minimum=0),
        Column("active_customers", "bigint", "Customers with ARR at the close", nullable=False, minimum=0),
        Column("churned_arr", MONEY, "12 × MRR that ended in the period", nullable=False, minimum=0),
        Column("grr_12m", "double", "Gross retention of the twelve months to the close", minimum=0, maximum=1),
        Column("nrr_12m", "double", "Net retention of the twelve months to the close", minimum=0),
        Column("customer_months", "bigint", "Σ customers with MRR at the opening of the months", False, minimum=0),
        Column("customers_lost", "bigint", "Of them those without at the close of their month", False, minimum=0),
        Column("monthly_logo_churn_rate", "double", "customers_lost ÷ customer_months", minimum=0, maximum=1),
        Column("monthly_logo_churn_rate_low", "double", "Lower 95 % bound (Wilson)", minimum=0, maximum=1),
        Column("monthly_logo_churn_rate_high", "double", "Upper 95 % bound (Wilson)", minimum=0, maximum=1),
        Column("monthly_dollar_churn_rate", "double", "Σ (contraction + churned − passing) ÷ Σ opening", minimum=0),
        Column("orders", "bigint", "Orders signed in the period; null where none was received", minimum=0),
        *(Column(name, MONEY, f"ARR of {kind} orders signed", minimum=0) for kind, name in ORDERED.items()),
        Column("mean_acv", MONEY, "Mean annual value of the orders; null without any", minimum=0),
        Column("mean_term_months", "double", "Mean commitment of the orders with one", minimum=0),
    ),
    checks=(
        Check("lost_were_there", "customers_lost <= customer_months"),
        Check("active_means_arr", "(active_customers > 0) = (arr > 0)"),
        Check("a_mean_where_something_was_ordered", "(coalesce(orders, 0) > 0) = (mean_acv IS NOT NULL)"),
    ),
    audits=(
        Reconciliation(
            "arr_is_the_ledgers",
            "sum(arr)",
            (Part("silver.customer_months", "sum(arr)", by=("month",)),),
            by=("period_start",),
            where="period_grain = 'month' AND segment = 'all'",
        ),
        Reconciliation(
            "orders_are_those_of_the_records",
            "sum(orders)",
            (Part("silver.billing_orders", "count(*)"),),
            where="period_grain = 'quarter' AND segment = 'all'",
        ),
    ),
)


def transform(mrr_movements: DataFrame, bookings: DataFrame, as_of: date, reporting_currency: str) -> DataFrame:
    found = _retained(mrr_movements).join(_ordered(bookings), on=list(GROUP), how="full")
    later_months = F.when(F.col("period_grain") == "quarter", 2).otherwise(0)
    is_over = F.last_day(F.add_months("period_start", later_months)) <= F.lit(as_of)
    sums = ("arr", "customers_closing", "churned_mrr", "customer_months", "customers_lost")
    found = zero_where_received(found.fillna(0, subset=list(sums)), bookings, ["orders", *ORDERED.values()])
    low, high = wilson_interval(F.col("customers_lost"), F.col("customer_months"))
    return table.select(
        found.withColumns(
            {
                "currency": F.lit(reporting_currency),
                "is_complete": is_over & F.coalesce("is_covered", F.lit(False)),
                "active_customers": F.col("customers_closing"),
                "churned_arr": 12 * F.col("churned_mrr"),
                "monthly_logo_churn_rate": safe_ratio(F.col("customers_lost"), F.col("customer_months")),
                "monthly_logo_churn_rate_low": low,
                "monthly_logo_churn_rate_high": high,
                "monthly_dollar_churn_rate": safe_ratio(F.col("lost_mrr"), F.col("opening_mrr")),
            }
        )
    )


def _retained(mrr_movements: DataFrame) -> DataFrame:
    lost_mrr = F.col("contraction_mrr") + F.col("churned_mrr") - F.col("passing_mrr")
    of_segments = mrr_movements.filter(F.col("dimension").isin(ALL, "segment"))
    periods = of_segments.withColumn("period_grain", F.explode(F.array(*map(F.lit, PERIODS)))).withColumns(
        {"period_start": F.expr("trunc(month, period_grain)"), "segment": F.col("dimension_value")}
    )
    return periods.groupBy(*GROUP).agg(
        *(F.max_by(name, "month").alias(name) for name in AT_CLOSE),
        F.bool_and("is_complete").alias("is_covered"),
        F.sum("churned_mrr").alias("churned_mrr"),
        F.sum("opening_mrr").alias("opening_mrr"),
        F.sum(lost_mrr).alias("lost_mrr"),
        F.sum("customers_opening").alias("customer_months"),
        F.sum(F.col("customers_churned") - F.col("customers_passing")).alias("customers_lost"),
    )  # fmt: skip


def _ordered(bookings: DataFrame) -> DataFrame:
    of_segments = bookings.filter(F.col("dimension").isin(ALL, "segment"))
    return of_segments.groupBy("period_grain", "period_start", F.col("dimension_value").alias("segment")).agg(
        *(_of_type(kind, "arr").alias(name) for kind, name in ORDERED.items()),
        *(_of_type(ALL, name).alias(name) for name in ("orders", "mean_acv", "mean_term_months")),
    )


def _of_type(order_type: str, name: str) -> SparkColumn:
    return F.max(F.when(F.col("order_type") == order_type, F.col(name)))


if __name__ == "__main__":
    from lakehouse.submit import submit

    submit(table)
