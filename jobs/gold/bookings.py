"""What was ordered, beside the same period of the year before and what the won opportunities showed: one row per period, order type, dimension and value.

Bookings come from orders, by the day of the signature and at its rate. A group without any order in a period has no row.
arr = opportunity_arr + rate_difference + amount_difference + unmatched_arr, each order in one of them.
"""

from __future__ import annotations

from datetime import date

from pyspark.sql import Column as SparkColumn
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lakehouse.metrics.breakdown import ALL, by_dimension, with_totals
from lakehouse.metrics.order_types import ORDER_TYPES
from lakehouse.metrics.ratios import safe_ratio
from lakehouse.rules import Part, Reconciliation
from lakehouse.table import MONEY, Check, Column, Table

DIMENSIONS = {
    "all": (),
    "segment": ("segment",),
    "region": ("region",),
    "product_line": ("product_line",),
    "rep": ("owner_rep_id",),
}
PERIODS = ("month", "quarter")
GROUP = ("period_grain", "period_start", "order_type", "dimension", "dimension_value")

table = Table(
    name="gold.bookings",
    description=__doc__,
    grain="period × order type × dimension × value",
    key=GROUP,
    inputs={"orders": "silver.billing_orders"},
    settings=("as_of", "reporting_currency"),
    columns=(
        Column("period_grain", "string", "Length of the period", nullable=False, values=PERIODS),
        Column("period_start", "date", "First day of the month or calendar quarter", nullable=False),
        Column("order_type", "string", "What kind of business it is", nullable=False, values=(*ORDER_TYPES, "unknown",
               ALL)),
        Column("dimension", "string", "What orders are grouped by", nullable=False, values=tuple(DIMENSIONS)),
        Column("dimension_value", "string", "Value of the order's opportunity; a rep by its id", nullable=False),
        Column("currency", "string", "Reporting currency, ISO 4217", nullable=False),
        Column("is_complete", "boolean", "The period is over on the as-of day", nullable=False),
        Column("orders", "bigint", "Orders signed", nullable=False, minimum=1),
        Column("tcv", MONEY, "What their commitments come to", nullable=False, minimum=0),
        Column("acv", MONEY, "The same by the year of the commitment; ARR without one", nullable=False, minimum=0),
        Column("arr", MONEY, "ARR that they began, or added; of a renewal what it keeps", nullable=False, minimum=0),
        Column("mean_acv", MONEY, "acv ÷ orders", nullable=False, minimum=0),
        Column("orders_with_term", "bigint", "Orders with a commitment", nullable=False, minimum=0),
        Column("mean_term_months", "double", "Months of commitment, mean over the orders with one", minimum=1),
        Column("arr_year_before", MONEY, "arr of the same period a year before, 0 without any order; null where the"
               " orders do not cover it", minimum=0),
        Column("arr_growth", "double", "arr ÷ arr_year_before − 1; null before the period is over"),
        Column("opportunity_arr", MONEY, "What their opportunities showed, at the rates of their opening", False,
               minimum=0),
        Column("rate_difference", MONEY, "arr less that, of orders as they were won: between the two days the rate"
               " moved", nullable=False),
        Column("amount_difference", MONEY, "arr less that, of orders that differ from what was won", nullable=False),
        Column("unmatched_arr", MONEY, "arr of orders without an opportunity", nullable=False, minimum=0),
    ),
    checks=(
        Check("every_difference_has_a_reason",
              "arr = opportunity_arr + rate_difference + amount_difference + unmatched_arr"),
        Check("term_means_orders_with_one", "(orders_with_term > 0) = (mean_term_months IS NOT NULL)"),
        Check("no_more_with_a_term_than_all", "orders_with_term <= orders"),
        Check("growth_needs_a_year_before", "arr_growth IS NULL OR (is_complete AND arr_year_before > 0)"),
    ),
    audits=(
        *(
            Reconciliation(
                f"{name}_is_that_of_the_orders",
                f"sum({name})",
                (Part("silver.billing_orders", of_orders, by=("coalesce(order_type, 'unknown')",)),),
                by=("order_type",),
                where=f"period_grain = 'month' AND order_type <> '{ALL}' AND dimension = 'all'",
            )
            for name, of_orders in (
                ("orders", "count(*)"),
                ("arr", "sum(arr_reporting)"),
                ("tcv", "sum(total_reporting)"),
                ("acv", "sum(acv_reporting)"),
            )
        ),
        Reconciliation(
            "every_dimension_adds_up_to_all",
            f"sum(IF(dimension = '{ALL}', {len(DIMENSIONS) - 1}, -1) * arr)",
            (),
            by=("period_grain", "period_start", "order_type"),
        ),
        Reconciliation(
            "all_types_are_the_sum_of_each", f"sum(IF(order_type = '{ALL}', 1, -1) * arr)", (),
            by=("period_grain", "period_start", "dimension", "dimension_value"),
        ),
        Reconciliation(
            "quarters_are_their_months", "sum(IF(period_grain = 'month', arr, -arr))", (),
            by=("order_type", "dimension", "dimension_value"),
        ),
    ),
)  # fmt: skip


def transform(orders: DataFrame, as_of: date, reporting_currency: str) -> DataFrame:
    typed = orders.withColumn("order_type", F.coalesce("order_type", F.lit("unknown")))
    booked = (
        with_totals(by_dimension(typed, DIMENSIONS), ("order_type",))
        .withColumn("period_grain", F.explode(F.array(*map(F.lit, PERIODS))))
        .withColumn("period_start", F.expr("trunc(ordered_date, period_grain)"))
        .groupBy(*GROUP)
        .agg(
            F.count("*").alias("orders"),
            F.sum("total_reporting").alias("tcv"),
            F.sum("acv_reporting").alias("acv"),
            F.sum("arr_reporting").alias("arr"),
            F.count("term_months").alias("orders_with_term"),
            F.avg("term_months").alias("mean_term_months"),
            _total(F.col("opportunity_arr_reporting")).alias("opportunity_arr"),
            _total(F.when(F.col("is_arr_as_won"), _difference())).alias("rate_difference"),
            _total(F.when(~F.col("is_arr_as_won"), _difference())).alias("amount_difference"),
            _total(F.when(F.col("is_arr_as_won").isNull(), F.col("arr_reporting"))).alias("unmatched_arr"),
        )
    )
    months = F.when(F.col("period_grain") == "quarter", 2).otherwise(0)
    compared = _beside_the_year_before(booked).withColumns(
        {
            "currency": F.lit(reporting_currency),
            "is_complete": F.last_day(F.add_months("period_start", months)) <= F.lit(as_of),
            "mean_acv": F.col("acv") / F.col("orders"),
        }
    )
    growth = safe_ratio(F.col("arr") - F.col("arr_year_before"), F.col("arr_year_before"))
    return table.select(compared.withColumn("arr_growth", F.when(F.col("is_complete"), growth)))


def _beside_the_year_before(booked: DataFrame) -> DataFrame:
    of_a_year_before = booked.select(
        *(name for name in GROUP if name != "period_start"),
        F.add_months("period_start", 12).alias("period_start"),
        F.col("arr").alias("_arr_before"),
    )
    first = booked.groupBy("period_grain").agg(F.min("period_start").alias("_first"))
    # The first period with orders may itself have been covered in part only.
    is_covered = F.add_months("period_start", -12) > F.col("_first")
    return (
        booked.join(of_a_year_before, on=list(GROUP), how="left")
        .join(F.broadcast(first), on="period_grain", how="left")
        .withColumn("arr_year_before", F.when(is_covered, F.coalesce("_arr_before", F.lit(0))))
    )


def _difference() -> SparkColumn:
    return F.col("arr_reporting") - F.col("opportunity_arr_reporting")


def _total(amount: SparkColumn) -> SparkColumn:
    return F.coalesce(F.sum(amount), F.lit(0))


if __name__ == "__main__":
    from lakehouse.submit import submit

    submit(table)
