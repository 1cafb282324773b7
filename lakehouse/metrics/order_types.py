"""Which kind of order last set what a customer pays for."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql.window import Window

ORDER_TYPES = ("new", "expansion", "renewal")

# The changes that somebody orders; every other one, a contraction, a price, a pause, leaves the order as it was.
ORDERED_BY = {
    "new": ("initial", "conversion", "reactivation"),
    "expansion": ("seat_expansion", "plan_upgrade", "add_on"),
    "renewal": ("renewal",),
}


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
