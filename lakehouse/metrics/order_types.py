"""Which kind of order last set what a customer pays for."""

from __future__ import annotations

from datetime import date

from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql.window import Window

from lakehouse.metrics.allocation import shared_by_weight
from lakehouse.metrics.currency import with_rates

ORDER_TYPES = ("new", "expansion", "renewal")

# The changes that somebody orders; every other one, a contraction, a price, a pause, leaves the order as it was.
ORDERED_BY = {
    "new": ("initial", "conversion", "reactivation"),
    "expansion": ("seat_expansion", "plan_upgrade", "add_on"),
    "renewal": ("renewal",),
}

CUSTOMER_MONTH = ("customer_id", "month")


def arr_by_order_type(
    customer_months: DataFrame, terms: DataFrame, rates: DataFrame, *, as_of: date, reporting_currency: str
) -> DataFrame:
    """Share each customer's ARR at a month's close over its order types: one row per customer, month and order type.

    ``part`` is a decimal(18,2), by what the ``terms`` that count (:func:`lakehouse.metrics.terms.counted_terms`) are worth
    at the close; the parts of a customer and month add up to ``arr`` of ``customer_months``. ``rates`` is the clean
    bronze.exchange_rates.
    """
    held = _held_at_close(with_order_type(terms), customer_months, as_of)
    rated = with_rates(held, rates, rates_on={"_rated_on": "_rate"}, reporting_currency=reporting_currency)
    worth = F.round(F.sum(F.col("monthly_amount") * F.col("_rate")) * 1_000_000).cast("decimal(18,0)")
    return shared_by_weight(
        rated.groupBy(*CUSTOMER_MONTH, "arr", "order_type").agg(worth.alias("worth")),
        total="arr",
        weight="worth",
        within=CUSTOMER_MONTH,
        order=("order_type",),
        share="part",
    ).select(*CUSTOMER_MONTH, "order_type", "part")


def churned_by_order_type(customer_months: DataFrame, parts: DataFrame) -> DataFrame:
    """Return ``churned_arr``, what customers who churned paid before, by month and order type.

    ``parts`` are those of :func:`arr_by_order_type`.
    """
    before = parts.select("customer_id", F.add_months("month", 1).alias("month"), "order_type", "part")
    churned = customer_months.filter(F.col("churned_mrr") > 0).select(*CUSTOMER_MONTH, "churned_mrr")
    # Who came and went inside the month had no close before: it was new.
    return (
        churned.join(before, on=list(CUSTOMER_MONTH), how="left")
        .groupBy("month", F.coalesce("order_type", F.lit("new")).alias("order_type"))
        .agg(F.sum(F.coalesce("part", 12 * F.col("churned_mrr"))).alias("churned_arr"))
    )


def with_order_type(terms: DataFrame) -> DataFrame:
    """Add ``order_type``: that of the newest order up to each row of ``terms`` for the same plan or add-on.

    ``terms`` are rows of silver.subscriptions. Without any order, as where the source tells no change types, it is new.
    """
    ordered = F.coalesce(
        *(F.when(F.col("change_type").isin(*changes), name) for name, changes in ORDERED_BY.items()),
    )
    subscription = F.coalesce("subscription_id", "subscription_item_id")
    up_to_here = (
        Window.partitionBy("customer_id", subscription, "item_type", "add_on_id")
        .orderBy("start_date", "subscription_item_id")
        .rowsBetween(Window.unboundedPreceding, Window.currentRow)
    )
    newest = F.last(ordered, ignorenulls=True).over(up_to_here)
    return terms.withColumn("order_type", F.coalesce(newest, F.lit("new")))


def _held_at_close(terms: DataFrame, customer_months: DataFrame, as_of: date) -> DataFrame:
    """One row per item and month at whose close it is held, with the customer's arr and the day that rates it."""
    closes = customer_months.filter(F.col("arr") > 0).select(
        *CUSTOMER_MONTH, "arr", F.least(F.last_day("month"), F.lit(as_of)).alias("_closed_on")
    )
    is_held = (F.col("start_date") <= F.col("_closed_on")) & F.coalesce(
        F.col("end_date") > F.col("_closed_on"), F.lit(True)
    )
    held = terms.join(closes, on="customer_id", how="inner").filter(is_held)
    return held.withColumn("_rated_on", F.coalesce("rated_on", "_closed_on"))
