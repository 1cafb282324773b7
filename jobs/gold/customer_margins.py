"""What each customer's month brought in and what serving it cost: one row per customer and month with MRR or a movement.

A month's hosting expense falls on the customers served in it by their events, its support expense by their tickets,
and equally where nobody has any.
"""

from __future__ import annotations

from pyspark.sql import Column as SparkColumn
from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql.window import Window

from jobs.bronze.exchange_rates import table as received_rates
from jobs.bronze.expenses import table as received_expenses
from lakehouse.cleaning import kept
from lakehouse.metrics.allocation import shared_by_weight
from lakehouse.metrics.presence import zero_where_received
from lakehouse.metrics.spending import spending
from lakehouse.rules import Part, Reconciliation
from lakehouse.table import MONEY, Check, Column, Table

# Each cost of serving with the department that spends it and what it is spread by.
COSTS = {"hosting_cost": ("cogs_hosting", "events"), "support_cost": ("cogs_support", "tickets")}

table = Table(
    name="gold.customer_margins",
    description=__doc__,
    grain="customer × month with MRR or a movement",
    key=("customer_id", "month"),
    inputs={
        "customer_months": "silver.customer_months",
        "usage_daily": "silver.usage_daily",
        "tickets": "silver.tickets",
        "expenses": "bronze.expenses",
        "exchange_rates": "bronze.exchange_rates",
    },
    settings=("reporting_currency",),
    foreign_keys={"customer_id": "silver.customers"},
    columns=(
        Column("customer_id", "string", "Customer", nullable=False),
        Column("month", "date", "First day of the month", nullable=False),
        Column("currency", "string", "Reporting currency of all amounts", nullable=False),
        Column("opening_mrr", MONEY, "MRR at the end of the month before", nullable=False, minimum=0),
        Column("new_mrr", MONEY, "First MRR of a customer won in the month", nullable=False, minimum=0),
        Column("closing_mrr", MONEY, "MRR at the end of the month", nullable=False, minimum=0),
        Column("revenue", MONEY, "Mean daily MRR and one-time items", nullable=False),
        Column("is_served", "boolean", "Revenue in the month, or MRR at its end", nullable=False),
        Column("events", "bigint", "Product events; null where none was received", minimum=0),
        Column("tickets", "bigint", "Support tickets opened; null where none was received", minimum=0),
        Column("hosting_cost", MONEY, "Part of the hosting expense; null in a month without any cost of serving"),
        Column("support_cost", MONEY, "Part of the support expense; null in a month without any cost of serving"),
        Column("gross_profit", MONEY, "Revenue less both costs; null when they are unknown"),
    ),
    checks=(
        Check("gross_profit_is_revenue_less_costs", "gross_profit <=> revenue - hosting_cost - support_cost"),
        Check("served_with_revenue_or_mrr", "is_served = (revenue > 0 OR closing_mrr > 0)"),
    ),
    audits=(
        Reconciliation(
            "revenue_is_the_ledgers",
            "sum(revenue)",
            (Part("silver.customer_months", "sum(revenue)"),),
            by=("customer_id",),
        ),
        Reconciliation(
            "closing_mrr_is_the_ledgers",
            "sum(closing_mrr)",
            (Part("silver.customer_months", "sum(closing_mrr)"),),
            by=("month",),
        ),
        Reconciliation(
            "events_are_those_of_the_days",
            "sum(events)",
            (Part("silver.usage_daily", "sum(events)", by=("customer_id", "usage_month")),),
            by=("customer_id", "month"),
            own_groups=True,
        ),
        Reconciliation(
            "tickets_are_those_opened",
            "sum(tickets)",
            (Part("silver.tickets", "count(*)", by=("customer_id", "opened_month")),),
            by=("customer_id", "month"),
            own_groups=True,
        ),
    ),
)


def transform(
    *,
    customer_months: DataFrame,
    usage_daily: DataFrame,
    tickets: DataFrame,
    expenses: DataFrame,
    exchange_rates: DataFrame,
    reporting_currency: str,
) -> DataFrame:
    events = usage_daily.groupBy("customer_id", F.col("usage_month").alias("month")).agg(
        F.sum("events").alias("events")
    )
    opened = tickets.groupBy("customer_id", F.col("opened_month").alias("month")).agg(F.count("*").alias("tickets"))
    spent = spending(expenses, received_expenses, kept(exchange_rates, received_rates), reporting_currency)
    served = (
        customer_months.withColumn("is_served", (F.col("revenue") > 0) | (F.col("closing_mrr") > 0))
        .join(events, how="left", on=["customer_id", "month"])
        .join(opened, how="left", on=["customer_id", "month"])
        .transform(zero_where_received, usage_daily, ["events"])
        .transform(zero_where_received, tickets, ["tickets"])
        .join(F.broadcast(_costs_of_serving(spent)), how="left", on="month")
    )
    for cost, (department, spread_by) in COSTS.items():
        served = shared_by_weight(
            served.withColumn("weight", _weight(spread_by)),
            total=department,
            weight="weight",
            within=["month"],
            order=["customer_id"],
            share=cost,
        )
    return table.select(
        served.withColumns(
            {
                "currency": F.lit(reporting_currency),
                "gross_profit": F.col("revenue") - F.col("hosting_cost") - F.col("support_cost"),
            }
        )
    )


def _costs_of_serving(spent: DataFrame) -> DataFrame:
    """One row per month with any cost of serving, one column per department; a department without a record cost 0."""
    departments = [department for department, _ in COSTS.values()]
    return (
        spent.filter(F.col("department").isin(departments))
        .groupBy("month")
        .agg(
            *(
                F.coalesce(F.sum(F.when(F.col("department") == department, F.col("spend"))), F.lit(0))
                .cast(MONEY)
                .alias(department)
                for department in departments
            )
        )
    )


def _weight(spread_by: str) -> SparkColumn:
    amount = F.when(F.col("is_served"), F.col(spread_by)).otherwise(0)
    is_any = F.sum(amount).over(Window.partitionBy("month")) > 0
    return F.when(is_any, amount).otherwise(F.col("is_served").cast("bigint"))


if __name__ == "__main__":
    from lakehouse.submit import submit

    submit(table)
