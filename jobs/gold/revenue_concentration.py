"""How much of the recurring revenue hangs on how few customers: one row per month, dimension and value.

Of the customers with MRR at the month's close, by their dimensions then; the last month is the company now. The rep is
the one who looks after the account on the as-of day, in every month. The largest 5 % of 30 customers are 2, since a part
of a customer counts as one. Which of several equal customers is among the largest changes no share.
"""

from __future__ import annotations

from pyspark.sql import Column as SparkColumn
from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql.window import Window

from lakehouse.metrics.breakdown import by_dimension
from lakehouse.metrics.concentration import gini, herfindahl_index, largest_percent
from lakehouse.metrics.ratios import safe_ratio
from lakehouse.table import MONEY, Check, Column, Table

DIMENSIONS = {
    "all": (),
    "segment": ("segment",),
    "region": ("region",),
    "company_size": ("company_size",),
    "rep": ("owner_rep_id",),
}

GROUP = ("month", "dimension", "dimension_value")

PERCENTS = (1, 5, 10, 20)

table = Table(
    name="gold.revenue_concentration",
    description=__doc__,
    grain="month × dimension × value",
    key=GROUP,
    inputs={"customer_months": "silver.customer_months", "accounts": "silver.accounts"},
    settings=("min_observations", "reporting_currency"),
    columns=(
        Column("month", "date", "First day of the month at whose close it is measured", nullable=False),
        Column("dimension", "string", "What customers are grouped by", nullable=False, values=tuple(DIMENSIONS)),
        Column("dimension_value", "string", "Value at the month's close; unknown where it is missing", nullable=False),
        Column("currency", "string", "Reporting currency, ISO 4217", nullable=False),
        Column("customers", "bigint", "Customers with MRR", nullable=False, minimum=1),
        Column("is_small", "boolean", "Fewer customers than min_observations", nullable=False),
        Column("mrr", MONEY, "Their MRR", nullable=False, minimum=0),
        Column("share_of_mrr", "double", "mrr ÷ that of all groups of the dimension", False, minimum=0, maximum=1),
        Column("largest_customer_id", "string", "Customer with the most MRR; of equals the first id", nullable=False),
        Column("top_1_customer_share", "double", "Share of the largest customer in mrr", False, minimum=0, maximum=1),
        Column("top_10_customers_share", "double", "Share of the ten largest customers", False, minimum=0, maximum=1),
        *(
            Column(f"top_{percent}_percent_share", "double", f"Share of the largest {percent} % of customers", False,
                   minimum=0, maximum=1)
            for percent in PERCENTS
        ),
        Column("gini", "double", "0: all pay the same; near 1: one pays all", nullable=False, minimum=0, maximum=1),
        Column("hhi", "double", "Herfindahl–Hirschman index, Σ share²; 1 ÷ customers when all pay the same", False,
               minimum=0, maximum=1),
    ),
    checks=(
        Check(
            "more_customers_have_no_smaller_share",
            "top_1_customer_share <= top_1_percent_share AND top_1_percent_share <= top_5_percent_share"
            " AND top_5_percent_share <= top_10_percent_share AND top_10_percent_share <= top_20_percent_share"
            " AND top_1_customer_share <= top_10_customers_share",
        ),
        Check("index_between_its_ends", "hhi * customers >= 1 - 1e-6 AND hhi <= top_1_customer_share + 1e-6"),
        Check("ten_customers_have_all_of_themselves", "customers > 10 OR top_10_customers_share = 1"),
    ),
)  # fmt: skip


def transform(
    customer_months: DataFrame, accounts: DataFrame, min_observations: int, reporting_currency: str
) -> DataFrame:
    owners = accounts.select("account_id", "owner_rep_id")
    group = Window.partitionBy(*GROUP)
    largest_first = group.orderBy(F.desc("closing_mrr"), "customer_id")
    paying = customer_months.filter("is_active").join(owners, how="left", on="account_id")
    ranked = by_dimension(paying, DIMENSIONS).withColumns(
        {"rank": F.row_number().over(largest_first), "peers": F.count("*").over(group)}
    )
    rank, mrr = F.col("rank"), F.col("closing_mrr")
    measured = ranked.groupBy(*GROUP).agg(
        F.count("*").alias("customers"),
        F.sum(mrr).cast(MONEY).alias("mrr"),
        F.min(F.when(rank == 1, F.col("customer_id"))).alias("largest_customer_id"),
        _share_of(rank == 1).alias("top_1_customer_share"),
        _share_of(rank <= 10).alias("top_10_customers_share"),
        *(
            _share_of(rank <= largest_percent(F.col("peers"), percent)).alias(f"top_{percent}_percent_share")
            for percent in PERCENTS
        ),
        gini(mrr, rank).alias("gini"),
        herfindahl_index(mrr).alias("hhi"),
    )
    of_the_dimension = Window.partitionBy("month", "dimension")
    return table.select(
        measured.withColumns(
            {
                "currency": F.lit(reporting_currency),
                "is_small": F.col("customers") < min_observations,
                "share_of_mrr": safe_ratio(F.col("mrr"), F.sum("mrr").over(of_the_dimension)),
            }
        )
    )


def _share_of(is_counted: SparkColumn) -> SparkColumn:
    return safe_ratio(F.sum(F.when(is_counted, F.col("closing_mrr"))), F.sum("closing_mrr"))


if __name__ == "__main__":
    from lakehouse.submit import submit

    submit(table)
