"""What was spent on winning customers and who has yet to bear it: one row per cost pool and month.

A month's pool without a customer who could bear it waits for the next month with one; what still waits at the end is
unallocated. The pools and their bearers are those of lakehouse.metrics.acquisition.
"""

from __future__ import annotations

from datetime import date

from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql.window import Window

from jobs.bronze.exchange_rates import table as received_rates
from jobs.bronze.expenses import table as received_expenses
from jobs.bronze.marketing_spend import table as received_spend
from lakehouse.cleaning import kept
from lakehouse.metrics.acquisition import cost_bearers, spend_by_pool
from lakehouse.metrics.spending import spending
from lakehouse.rules import Reconciliation, Sequence
from lakehouse.settings import UnitEconomics
from lakehouse.table import MONEY, Check, Column, Table

table = Table(
    name="gold.acquisition_costs",
    description=__doc__,
    grain="cost pool × month",
    key=("pool", "month"),
    inputs={
        "customers": "silver.customers",
        "marketing_spend": "bronze.marketing_spend",
        "expenses": "bronze.expenses",
        "exchange_rates": "bronze.exchange_rates",
    },
    settings=("as_of", "reporting_currency", "unit_economics"),
    columns=(
        Column("month", "date", "First day of the month of the spend", nullable=False),
        Column("pool", "string", "A channel; sales; or marketing, in months without a programme", nullable=False),
        Column("currency", "string", "Reporting currency of all amounts", nullable=False),
        Column("programme_spend", MONEY, "Programmes of the channel", nullable=False, minimum=0),
        Column("marketing_expense", MONEY, "Marketing department, by programme spend", nullable=False, minimum=0),
        Column("sales_expense", MONEY, "Sales department", nullable=False, minimum=0),
        Column("total_spend", MONEY, "Sum of the three", nullable=False, minimum=0),
        Column("carried_in", MONEY, "Waiting from earlier months", nullable=False, minimum=0),
        Column("customers_won", "bigint", "Customers won who bear the pool", nullable=False, minimum=0),
        Column("allocated", MONEY, "Borne by the customers of this month", nullable=False, minimum=0),
        Column("carried_out", MONEY, "Waiting for the next win", nullable=False, minimum=0),
        Column(
            "unallocated", MONEY, "Still waiting in the last month; 0 in others", nullable=False, minimum=0, ripens=True
        ),
    ),
    checks=(
        Check("total_is_sum_of_parts", "total_spend = programme_spend + marketing_expense + sales_expense"),
        Check("every_cent_is_borne_or_carried", "carried_in + total_spend = allocated + carried_out"),
        Check("borne_as_soon_as_somebody_is_won", "IF(customers_won > 0, carried_out = 0, allocated = 0)"),
    ),
    audits=(
        Sequence(
            "carries_in_what_was_carried_out",
            "carried_in = coalesce(previous.carried_out, 0)",
            order=("month",),
            within=("pool",),
        ),
        Reconciliation(
            "unallocated_is_what_was_never_borne", "sum(unallocated) - sum(total_spend) + sum(allocated)", ()
        ),
    ),
)


def transform(
    *,
    customers: DataFrame,
    marketing_spend: DataFrame,
    expenses: DataFrame,
    exchange_rates: DataFrame,
    as_of: date,
    reporting_currency: str,
    unit_economics: UnitEconomics,
) -> DataFrame:
    rates = kept(exchange_rates, received_rates)
    programmes = spending(marketing_spend, received_spend, rates, reporting_currency)
    departments = spending(expenses, received_expenses, rates, reporting_currency)
    spend = spend_by_pool(programmes, departments).filter(F.col("month") <= F.lit(as_of))

    won = cost_bearers(customers, unit_economics.cac_lag_months).groupBy("pool", "month").count()
    months = (
        _every_month(spend, as_of)
        .join(won, how="left", on=["pool", "month"])
        .fillna(0, subset=["count"])
        .withColumn("total_spend", F.col("programme_spend") + F.col("marketing_expense") + F.col("sales_expense"))
    )
    in_order = Window.partitionBy("pool").orderBy("month")
    spent = F.sum("total_spend").over(in_order)
    is_borne = F.col("count") > 0
    borne = F.coalesce(F.max(F.when(is_borne, F.col("spent"))).over(in_order), F.lit(0))
    carried = months.withColumn("spent", spent).withColumn("carried_out", F.col("spent") - borne)
    is_last_month = F.col("month") == F.trunc(F.lit(as_of), "month")
    return table.select(
        carried.withColumn("carried_in", F.lag("carried_out", 1, 0).over(in_order)).withColumns(
            {
                "currency": F.lit(reporting_currency),
                "customers_won": F.col("count"),
                "allocated": F.col("carried_in") + F.col("total_spend") - F.col("carried_out"),
                "unallocated": F.when(is_last_month, F.col("carried_out")).otherwise(0),
            }
        )
    )


def _every_month(spend: DataFrame, as_of: date) -> DataFrame:
    """One row per pool and month from its first spend to the as-of date, with zeros in the months without any."""
    next_month = F.lead("month").over(Window.partitionBy("pool").orderBy("month"))
    last_month = F.coalesce(F.add_months(next_month, -1), F.trunc(F.lit(as_of), "month"))
    filled = spend.withColumn("last_month", last_month).withColumn(
        "filled", F.explode(F.sequence("month", "last_month", F.expr("INTERVAL 1 MONTH")))
    )
    kinds = ("programme_spend", "marketing_expense", "sales_expense")
    amounts = (F.when(F.col("filled") == F.col("month"), F.col(kind)).otherwise(0).alias(kind) for kind in kinds)
    return filled.select("pool", F.col("filled").alias("month"), *amounts)


if __name__ == "__main__":
    from lakehouse.submit import submit

    submit(table)
