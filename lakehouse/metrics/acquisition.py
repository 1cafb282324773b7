"""Who bears which cost of acquisition.

Costs lie in pools: one per channel (its programmes and its part of the marketing department), ``sales`` (the sales
department) and ``marketing`` (the marketing department in months without any programme).
"""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.window import Window

from lakehouse.metrics.allocation import shared_by_weight
from lakehouse.types import MONEY

# Named like the departments whose expenses they hold.
SALES_POOL = "sales"
MARKETING_POOL = "marketing"


def cost_bearers(customers: DataFrame, cac_lag_months: int) -> DataFrame:
    """Return one row per customer ever won and pool whose cost it bears: customer_id, pool, month.

    ``month`` is the month of the spend: ``cac_lag_months`` before the first one with MRR, so that a reactivation bears
    nothing. The sales pool is borne by the customers that a rep won, in a month without one by all.
    """
    is_rep_won = F.coalesce("is_rep_won", F.lit(False))
    any_rep_won = F.max(is_rep_won).over(Window.partitionBy("cohort_month"))
    won = customers.filter(F.col("cohort_month").isNotNull()).withColumn("bears_sales", is_rep_won | ~any_rep_won)
    sales_pool = F.when(F.col("bears_sales"), SALES_POOL)
    pools = F.array_compact(F.array(F.col("acquisition_channel"), F.lit(MARKETING_POOL), sales_pool))
    month = F.add_months("cohort_month", -cac_lag_months)
    return won.select("customer_id", month.alias("month"), F.explode(pools).alias("pool"))


def spend_by_pool(programmes: DataFrame, departments: DataFrame) -> DataFrame:
    """Return one row per pool and month with any spend: programme_spend, marketing_expense, sales_expense.

    ``programmes`` has one row per spend (month, channel, spend), ``departments`` per expense (month, department,
    spend). The marketing department's month is spread over the channels by their programmes, to the cent.
    """
    of_sales, of_marketing = F.col("department") == SALES_POOL, F.col("department") == MARKETING_POOL
    programme_spend = programmes.select(
        "month", F.col("channel").alias("pool"), F.col("spend").alias("programme_spend")
    )
    expenses = departments.filter(of_sales | of_marketing).select(
        "month",
        F.col("department").alias("pool"),
        F.when(of_sales, F.col("spend")).alias("sales_expense"),
        F.when(of_marketing, F.col("spend")).alias("marketing"),
    )
    spend = (
        programme_spend.unionByName(expenses, allowMissingColumns=True)
        .groupBy("month", "pool")
        .agg(*(_cents_of_sum(name) for name in ("programme_spend", "sales_expense", "marketing")))
    )
    of_month = Window.partitionBy("month")
    has_programmes = F.sum("programme_spend").over(of_month) > 0
    weight = F.when(has_programmes, F.col("programme_spend") * 100).otherwise(
        (F.col("pool") == MARKETING_POOL).cast("int")
    )
    spread = shared_by_weight(
        spend.withColumns({"marketing_total": F.sum("marketing").over(of_month), "weight": weight}),
        total="marketing_total",
        weight="weight",
        within=["month"],
        order=["pool"],
        share="marketing_expense",
    ).fillna(0, subset=["marketing_expense"])
    return spread.filter(F.col("programme_spend") + F.col("marketing_expense") + F.col("sales_expense") > 0).select(
        "month", "pool", "programme_spend", "marketing_expense", "sales_expense"
    )


def _cents_of_sum(name: str) -> Column:
    return F.coalesce(F.sum(name).cast(MONEY), F.lit(0)).cast(MONEY).alias(name)
