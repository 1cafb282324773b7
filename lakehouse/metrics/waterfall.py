"""The waterfall of recurring revenue by dimension: at which value a customer's month opens, moves and closes.

A customer whose value changed from one close to the next opens the month at the old value; its opening MRR is then
transferred to the new one, where its movement is booked. Who churns is not transferred: what is lost is lost where it
was.
"""

from __future__ import annotations

from collections.abc import Sequence

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.window import Window

from lakehouse.table import MONEY

MOVEMENTS = ("new_mrr", "reactivation_mrr", "expansion_mrr", "contraction_mrr", "churned_mrr", "fx_mrr")
AMOUNTS = (
    "opening_mrr",
    "transfer_mrr",
    *MOVEMENTS,
    "closing_mrr",
    "passing_mrr",
    "notice_mrr",
    "year_ago_mrr",
    "kept_mrr",
    "retained_mrr",
)
COUNTS = (
    "customers_opening",
    "customers_transferred",
    "customers_new",
    "customers_reactivated",
    "customers_churned",
    "customers_closing",
    "customers_passing",
    "customers_year_ago",
)


def waterfall_entries(ledger: DataFrame, traits: Sequence[str]) -> DataFrame:
    """Return what silver.customer_months adds to the waterfall: up to three rows per customer and month.

    One at the ``traits`` of the close before, with which the month opens; one where its movement is booked; and one in
    the month twelve months later, at the traits of this close, with what is then left of its MRR at this close's rates.
    Each has all ``AMOUNTS`` (in the reporting currency) and ``COUNTS`` (of customers), so that sums of them over any
    group are that group's waterfall. ``passing`` is who came and went inside the month; of ``year_ago_mrr`` A and
    what is left B, ``kept_mrr`` is min(A, B) and ``retained_mrr`` B.
    """
    month_number = 12 * F.year("month") + F.month("month")
    by_month = Window.partitionBy("customer_id").orderBy(month_number)
    own, opening, closing = F.struct(*traits), F.col("opening_mrr"), F.col("closing_mrr")
    in_a_year = F.max("closing_mrr_at_year_ago_rates").over(by_month.rangeBetween(12, 12))
    opens, churns = opening > 0, F.col("movement") == "churn"
    left = F.coalesce("_in_a_year", F.lit(0))

    def entry(month: Column, values: Column, **measures: Column) -> Column:
        typed = dict.fromkeys(AMOUNTS, MONEY) | dict.fromkeys(COUNTS, "bigint")
        return F.struct(
            month.alias("month"),
            *(values.getField(name).alias(name) for name in traits),
            *(measures.get(name, F.lit(0)).cast(kind).alias(name) for name, kind in typed.items()),
        )

    opened = entry(
        F.col("month"),
        F.col("_before"),
        opening_mrr=opening,
        transfer_mrr=-opening,
        customers_opening=F.lit(1),
        customers_transferred=F.lit(-1),
    )
    booked = entry(
        F.col("month"),
        F.when(opens & churns, F.col("_before")).otherwise(F.col("_own")),
        transfer_mrr=opening,
        closing_mrr=closing,
        passing_mrr=F.when(opens, 0).otherwise(F.col("churned_mrr")),
        notice_mrr=F.col("notice_mrr"),
        customers_transferred=opens,
        customers_new=F.col("new_mrr") > 0,
        customers_reactivated=F.col("reactivation_mrr") > 0,
        customers_churned=churns,
        customers_closing=closing > 0,
        customers_passing=churns & ~opens,
        **{name: F.col(name) for name in MOVEMENTS},
    )
    year_later = entry(
        F.add_months("month", 12),
        F.col("_own"),
        year_ago_mrr=closing,
        kept_mrr=F.least(closing, left),
        retained_mrr=left,
        customers_year_ago=F.lit(1),
    )
    entries = F.array_compact(F.array(F.when(opens, opened), booked, F.when(closing > 0, year_later)))
    placed = ledger.withColumns({"_own": own, "_in_a_year": in_a_year}).withColumn(
        "_before", F.lag("_own").over(by_month)
    )
    return placed.select(F.inline(entries))
