"""What customers owed, by how long it was due: one row per month, dimension, value and ageing bucket.

As it stood at each month's end: issued by then and not yet paid, voided or written off then, whatever happened later.
Amounts are with tax, in the reporting currency at the rate of each invoice's day of issue; an open credit note takes
its amount off. Each group has all five buckets. Days sales outstanding are what was open ÷ what was billed in the 90
days up to the month's end × 90.
"""

from __future__ import annotations

from datetime import date

from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql.window import Window

from lakehouse.metrics.breakdown import by_dimension
from lakehouse.metrics.ratios import safe_ratio
from lakehouse.metrics.receivables import AGEING_BUCKETS, BILLED_DAYS, OVERDUE_LONGEST, balances_at_month_ends
from lakehouse.table import MONEY, Check, Column, Table

DIMENSIONS = {"all": (), "segment": ("segment",)}

GROUP = ("month", "dimension", "dimension_value")

BUCKETS = (*AGEING_BUCKETS, OVERDUE_LONGEST)

table = Table(
    name="gold.receivables",
    description=__doc__,
    grain="month × dimension × value × ageing bucket",
    key=(*GROUP, "bucket"),
    inputs={"invoices": "silver.invoices", "customers": "silver.customers"},
    settings=("as_of", "reporting_currency"),
    columns=(
        Column("month", "date", "First day of the month at whose end it is measured", nullable=False),
        Column("dimension", "string", "What customers are grouped by", nullable=False, values=tuple(DIMENSIONS)),
        Column("dimension_value", "string", "Value of the customer today", nullable=False),
        Column("bucket", "string", "Days past due at the month's end", nullable=False, values=BUCKETS),
        Column("bucket_rank", "int", "Order of the buckets, from 1", False, minimum=1, maximum=len(BUCKETS)),
        Column("month_end", "date", "Last day of the month, or the as-of day", nullable=False),
        Column("currency", "string", "Reporting currency, ISO 4217", nullable=False),
        Column("open_amount", MONEY, "Owed, less open credit notes", nullable=False),
        Column("invoices", "bigint", "Open invoices and credit notes", nullable=False, minimum=0),
        Column("customers", "bigint", "Customers with one", nullable=False, minimum=0),
        Column("receivables", MONEY, "open_amount of all buckets of the group", nullable=False),
        Column("share_of_receivables", "double", "open_amount ÷ receivables; null where nothing is owed"),
        Column("billed_90_days", MONEY, "Billed less credited in the 90 days up to month_end, all buckets", False),
        Column("dso_days", "double", "Days sales outstanding of the group; null where nothing was billed"),
    ),
    checks=(
        Check("what_is_owed_is_owed_by_somebody", "invoices >= customers AND (invoices > 0) = (customers > 0)"),
        Check("nothing_open_owes_nothing", "invoices > 0 OR open_amount = 0"),
    ),
)


def transform(invoices: DataFrame, customers: DataFrame, as_of: date, reporting_currency: str) -> DataFrame:
    balances = balances_at_month_ends(invoices, as_of).join(
        customers.select("customer_id", "segment"), on="customer_id", how="left"
    )
    by_customer = (
        by_dimension(balances, DIMENSIONS)
        .groupBy(*GROUP, "month_end", "bucket", "customer_id")
        .agg(
            F.sum("open_amount").alias("open_amount"),
            F.sum("billed_amount").alias("billed_amount"),
            F.count_if("is_open").alias("invoices"),
        )
    )
    in_bucket = {name: F.col("bucket") == name for name in BUCKETS}
    by_group = by_customer.groupBy(*GROUP, "month_end").agg(
        F.sum("billed_amount").cast(MONEY).alias("billed_90_days"),
        F.array(
            *(
                F.struct(
                    F.lit(rank).alias("bucket_rank"),
                    F.lit(name).alias("bucket"),
                    F.sum(F.when(is_in, F.col("open_amount")).otherwise(0)).cast(MONEY).alias("open_amount"),
                    F.sum(F.when(is_in, F.col("invoices")).otherwise(0)).alias("invoices"),
                    F.count_if(is_in & (F.col("invoices") > 0)).alias("customers"),
                )
                for rank, (name, is_in) in enumerate(in_bucket.items(), start=1)
            )
        ).alias("buckets"),
    )
    group = Window.partitionBy(*GROUP)
    receivables = F.sum("open_amount").over(group)
    aged = by_group.select("*", F.inline("buckets")).withColumns(
        {
            "currency": F.lit(reporting_currency),
            "receivables": receivables,
            "share_of_receivables": safe_ratio(F.col("open_amount"), receivables),
            "dso_days": safe_ratio(receivables, F.col("billed_90_days")) * BILLED_DAYS,
        }
    )
    return table.select(aged)


if __name__ == "__main__":
    from lakehouse.submit import submit

    submit(table)
