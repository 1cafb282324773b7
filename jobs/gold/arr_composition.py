"""Annual recurring revenue by the kind of order that last set it, and what of it churned: one row per period and order type.

A customer's ARR is the ledger's, shared over its plans and add-ons by what each is worth at the close, to the cent. A
quarter closes with its last month and churns what its months did; the last one may still be running.
"""

from __future__ import annotations

from datetime import date

from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql.window import Window

from jobs.bronze.exchange_rates import table as received_rates
from lakehouse.cleaning import kept
from lakehouse.metrics.order_types import ORDER_TYPES, arr_by_order_type, churned_by_order_type
from lakehouse.metrics.ratios import safe_ratio
from lakehouse.metrics.terms import counted_terms
from lakehouse.policies import Policy
from lakehouse.rules import Part, Reconciliation
from lakehouse.table import MONEY, Check, Column, Table

PERIODS = ("month", "quarter")

table = Table(
    name="gold.arr_composition",
    description=__doc__,
    grain="period × order type",
    key=("period_grain", "period_start", "order_type"),
    inputs={
        "customer_months": "silver.customer_months",
        "subscriptions": "silver.subscriptions",
        "exchange_rates": "bronze.exchange_rates",
    },
    settings=("as_of", "reporting_currency", "policy"),
    columns=(
        Column("period_grain", "string", "Length of the period", nullable=False, values=PERIODS),
        Column("period_start", "date", "First day of the month or calendar quarter", nullable=False),
        Column("order_type", "string", "Kind of order that last set it", nullable=False, values=ORDER_TYPES),
        Column("currency", "string", "Reporting currency, ISO 4217", nullable=False),
        Column("arr", MONEY, "ARR at the period's close, or that of its last month so far", False, minimum=0),
        Column("share_of_arr", "double", "arr ÷ that of all order types", minimum=0, maximum=1),
        Column("customers", "bigint", "Customers with any of it", nullable=False, minimum=0),
        Column(
            "churned_arr", MONEY, "ARR of customers who churned in the period, as it stood before", False, minimum=0
        ),
        Column("is_complete", "boolean", "The period is over on the as-of day", nullable=False),
    ),
    checks=(Check("customers_have_arr", "(customers > 0) = (arr > 0)"),),
    audits=(
        Reconciliation(
            "months_add_up_to_the_ledger",
            "sum(arr)",
            (Part("silver.customer_months", "sum(arr)", by=("month",)),),
            by=("period_start",),
            where="period_grain = 'month'",
        ),
        Reconciliation(
            "churn_is_the_ledgers",
            "sum(churned_arr)",
            (Part("silver.customer_months", "12 * sum(churned_mrr)", by=("month",)),),
            by=("period_start",),
            where="period_grain = 'month'",
        ),
        Reconciliation(
            "quarters_churn_what_their_months_did", "sum(IF(period_grain = 'month', churned_arr, -churned_arr))", ()
        ),
    ),
)


def transform(
    *,
    customer_months: DataFrame,
    subscriptions: DataFrame,
    exchange_rates: DataFrame,
    as_of: date,
    reporting_currency: str,
    policy: Policy,
) -> DataFrame:
    parts = arr_by_order_type(
        customer_months,
        counted_terms(subscriptions, policy),
        kept(exchange_rates, received_rates),
        as_of=as_of,
        reporting_currency=reporting_currency,
    )
    closing = parts.groupBy("month", "order_type").agg(
        F.sum("part").alias("arr"), F.count_if(F.col("part") > 0).alias("customers")
    )
    months = _of_every_month(customer_months, closing, churned_by_order_type(customer_months, parts))
    later_months = F.when(F.col("period_grain") == "quarter", 2).otherwise(0)
    return table.select(
        _by_period(months).withColumns(
            {
                "currency": F.lit(reporting_currency),
                "is_complete": F.last_day(F.add_months("period_start", later_months)) <= F.lit(as_of),
                "share_of_arr": safe_ratio(
                    F.col("arr"), F.sum("arr").over(Window.partitionBy("period_grain", "period_start"))
                ),
            }
        )
    )


def _of_every_month(customer_months: DataFrame, closing: DataFrame, churned: DataFrame) -> DataFrame:
    order_types = F.explode(F.array(*map(F.lit, ORDER_TYPES))).alias("order_type")
    return (
        customer_months.select("month")
        .distinct()
        .select("month", order_types)
        .join(closing, on=["month", "order_type"], how="left")
        .join(churned, on=["month", "order_type"], how="left")
        .fillna(0, subset=["arr", "customers", "churned_arr"])
    )


def _by_period(months: DataFrame) -> DataFrame:
    return (
        months.withColumn("period_grain", F.explode(F.array(*map(F.lit, PERIODS))))
        .withColumn("period_start", F.expr("trunc(month, period_grain)"))
        .groupBy("period_grain", "period_start", "order_type")
        .agg(
            F.max_by("arr", "month").alias("arr"),
            F.max_by("customers", "month").alias("customers"),
            F.sum("churned_arr").alias("churned_arr"),
        )
    )


if __name__ == "__main__":
    from lakehouse.submit import submit

    submit(table)
