"""What each customer cost to win, and when it had earned that back: one row per customer who ever had MRR."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql.window import Window

from lakehouse.metrics.acquisition import SALES_POOL, cost_bearers
from lakehouse.metrics.allocation import shared_by_weight
from lakehouse.rules import Part, Reconciliation
from lakehouse.settings import UnitEconomics
from lakehouse.table import MONEY, Check, Column, Table

table = Table(
    name="gold.customer_acquisition_costs",
    description=__doc__,
    grain="customer who ever had MRR",
    key=("customer_id",),
    inputs={
        "customers": "silver.customers",
        "acquisition_costs": "gold.acquisition_costs",
        "customer_margins": "gold.customer_margins",
    },
    settings=("unit_economics",),
    foreign_keys={"customer_id": "silver.customers"},
    columns=(
        Column("customer_id", "string", "Customer", nullable=False),
        Column("spend_month", "date", "Month whose spend it bears: its first with MRR, less the lag", nullable=False),
        Column("marketing_cost", MONEY, "Part of its channel's programmes and of the marketing department", minimum=0),
        Column("sales_cost", MONEY, "Part of the sales department", minimum=0),
        Column("cac", MONEY, "Cost of winning it: the sum of both", minimum=0),
        Column(
            "cac_status",
            "string",
            "ok, won before_spend was recorded, or no_data about any spend",
            nullable=False,
            values=("ok", "before_spend", "no_data"),
        ),
        Column("payback_month", "date", "First month by whose end gross profit reached the cost; null while not"),
        Column("observed_payback_months", "int", "The same as a number of months with the first as 1", minimum=1),
    ),
    checks=(
        Check("cac_is_sum_of_parts", "cac <=> marketing_cost + sales_cost"),
        Check("cac_exactly_when_ok", "(cac_status = 'ok') = (cac IS NOT NULL)"),
    ),
    audits=(
        Reconciliation(
            "everyone_who_ever_had_mrr",
            "count(*)",
            (Part("silver.customers", "count(*)", where="cohort_month IS NOT NULL"),),
        ),
        Reconciliation(
            "cac_and_unallocated_are_the_spend",
            "sum(cac)",
            (Part("gold.acquisition_costs", "sum(total_spend) - sum(unallocated)"),),
        ),
        Reconciliation(
            "cac_is_what_was_allocated",
            "sum(cac)",
            (Part("gold.acquisition_costs", "sum(allocated)", by=("month",)),),
            by=("spend_month",),
        ),
    ),
)


def transform(
    customers: DataFrame, acquisition_costs: DataFrame, customer_margins: DataFrame, unit_economics: UnitEconomics
) -> DataFrame:
    # A year's value is 12 × the first MRR; shares do not change by the factor.
    first_mrr = F.coalesce("new_mrr", F.lit(0)) * 100 if unit_economics.cac_spread == "first_year_value" else F.lit(1)
    first_months = customer_margins.filter(F.col("new_mrr") > 0).select("customer_id", "new_mrr")
    bearers = (
        cost_bearers(customers, unit_economics.cac_lag_months)
        .join(acquisition_costs.select("pool", "month", "allocated"), how="inner", on=["pool", "month"])
        .join(first_months, how="left", on="customer_id")
        .withColumn("weight", first_mrr.cast("bigint"))
    )
    shares = shared_by_weight(
        bearers, total="allocated", weight="weight", within=["pool", "month"], order=["customer_id"], share="cost"
    )
    is_sales = F.col("pool") == SALES_POOL
    costs = shares.groupBy("customer_id").agg(
        F.sum(F.when(is_sales, F.col("cost"))).alias("sales_cost"),
        F.sum(F.when(~is_sales, F.col("cost"))).alias("marketing_cost"),
    )
    spend_month = F.add_months("cohort_month", -unit_economics.cac_lag_months)
    has_spend = F.col("spend_month") >= F.col("first_month")
    cac_status = F.when(F.isnull("first_month"), "no_data").when(has_spend, "ok").otherwise("before_spend")
    won = (
        customers.filter(F.col("cohort_month").isNotNull())
        .select("customer_id", "cohort_month", spend_month.alias("spend_month"))
        .crossJoin(acquisition_costs.agg(F.min("month").alias("first_month")))
        .join(costs, how="left", on="customer_id")
        .withColumns({name: F.when(has_spend, F.coalesce(name, F.lit(0))) for name in ("marketing_cost", "sales_cost")})
        .withColumns({"cac": F.col("marketing_cost") + F.col("sales_cost"), "cac_status": cac_status})
    )
    months_to_payback = F.months_between("payback_month", "cohort_month") + 1
    return table.select(
        won.join(_payback_months(won, customer_margins), how="left", on="customer_id").withColumn(
            "observed_payback_months", months_to_payback
        )
    )


def _payback_months(won: DataFrame, customer_margins: DataFrame) -> DataFrame:
    """One row per customer who earned its cost back: customer_id, payback_month."""
    in_order = Window.partitionBy("customer_id").orderBy("month")
    earned = customer_margins.select(
        "customer_id", "month", F.sum("gross_profit").over(in_order).alias("gross_profit_to_date")
    )
    has_paid_back = F.col("gross_profit_to_date") >= F.col("cac")
    return (
        earned.join(won.select("customer_id", "cac"), how="inner", on="customer_id")
        .filter(has_paid_back)
        .groupBy("customer_id")
        .agg(F.min("month").alias("payback_month"))
    )


if __name__ == "__main__":
    from lakehouse.submit import submit

    submit(table)
