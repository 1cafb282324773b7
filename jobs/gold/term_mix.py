"""How long customers commit to what they order: one row per quarter, segment and term.

By the day of the signature; a term without any order in a quarter and segment has no row.
"""

from __future__ import annotations

from datetime import date

from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql.window import Window

from lakehouse.metrics.breakdown import ALL, UNKNOWN, with_totals
from lakehouse.metrics.ratios import safe_ratio, wilson_interval
from lakehouse.rules import Part, Reconciliation
from lakehouse.table import MONEY, Check, Column, Table
from lakehouse.vocabulary import SEGMENTS

NO_TERM = "none"

table = Table(
    name="gold.term_mix",
    description=__doc__,
    grain="quarter × segment × term",
    key=("quarter", "segment", "term"),
    inputs={"orders": "silver.billing_orders"},
    settings=("as_of", "min_observations", "reporting_currency"),
    columns=(
        Column("quarter", "date", "First day of the calendar quarter in which they were signed", nullable=False),
        Column("segment", "string", "Segment of the account, or all", False, values=(*SEGMENTS, UNKNOWN, ALL)),
        Column("term", "string", "Months of commitment, or none", False, values=("12", "24", "36", NO_TERM)),
        Column("currency", "string", "Reporting currency, ISO 4217", nullable=False),
        Column("is_complete", "boolean", "The quarter is over on the as-of day", nullable=False),
        Column("orders", "bigint", "Orders signed", nullable=False, minimum=1),
        Column("orders_of_all_terms", "bigint", "Orders of the quarter and segment", nullable=False, minimum=1),
        Column("is_small", "boolean", "orders_of_all_terms below min_observations", nullable=False),
        Column("share_of_orders", "double", "orders ÷ orders_of_all_terms", nullable=False, minimum=0, maximum=1),
        Column("share_of_orders_low", "double", "Lower end of its 95 % interval", False, minimum=0, maximum=1),
        Column("share_of_orders_high", "double", "Upper end of its 95 % interval", False, minimum=0, maximum=1),
        Column("arr", MONEY, "ARR that they began, or added; of a renewal what it keeps", nullable=False, minimum=0),
        Column("share_of_arr", "double", "arr ÷ that of all terms", minimum=0, maximum=1),
    ),
    checks=(
        Check("share_within_its_interval", "share_of_orders BETWEEN share_of_orders_low - 1e-9"
              " AND share_of_orders_high + 1e-9"),
        Check("no_more_than_of_all_terms", "orders <= orders_of_all_terms"),
    ),
    audits=(
        Reconciliation(
            "every_order_has_a_term_or_none",
            "sum(orders)",
            (Part("silver.billing_orders", "count(*)",
                  by=("date_trunc('quarter', ordered_date)", "coalesce(CAST(term_months AS VARCHAR), 'none')")),),
            by=("quarter", "term"),
            where=f"segment = '{ALL}'",
        ),
        Reconciliation("segments_add_up", f"sum(IF(segment = '{ALL}', 1, -1) * arr)", (), by=("quarter", "term")),
    ),
)  # fmt: skip


def transform(orders: DataFrame, as_of: date, min_observations: int, reporting_currency: str) -> DataFrame:
    described = orders.withColumns(
        {
            "quarter": F.trunc("ordered_date", "quarter"),
            "segment": F.coalesce("segment", F.lit(UNKNOWN)),
            "term": F.coalesce(F.col("term_months").cast("string"), F.lit(NO_TERM)),
        }
    )
    counted = (
        with_totals(described, ("segment",))
        .groupBy("quarter", "segment", "term")
        .agg(F.count("*").alias("orders"), F.sum("arr_reporting").alias("arr"))
    )
    of_all_terms = Window.partitionBy("quarter", "segment")
    all_orders = F.sum("orders").over(of_all_terms)
    shared = counted.withColumn("orders_of_all_terms", all_orders)
    low, high = wilson_interval(F.col("orders"), F.col("orders_of_all_terms"))
    return table.select(
        shared.withColumns(
            {
                "currency": F.lit(reporting_currency),
                "is_complete": F.last_day(F.add_months("quarter", 2)) <= F.lit(as_of),
                "is_small": F.col("orders_of_all_terms") < min_observations,
                "share_of_orders": safe_ratio(F.col("orders"), F.col("orders_of_all_terms")),
                "share_of_orders_low": low,
                "share_of_orders_high": high,
                "share_of_arr": safe_ratio(F.col("arr"), F.sum("arr").over(of_all_terms)),
            }
        )
    )


if __name__ == "__main__":
    from lakehouse.submit import submit

    submit(table)
