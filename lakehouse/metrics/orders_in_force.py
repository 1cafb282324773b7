"""Which orders are in force at the close of a month, and why what they come to is not what the customer pays."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.window import Window

from lakehouse.metrics.currency import with_rates
from lakehouse.metrics.order_types import ORDERED_BY
from lakehouse.table import MONEY

# Why an order that was signed is not in force, and why what is in force is not what the ledger has.
ORDER_REASONS = ("without_customer", "not_started", "superseded")
ADD_ON_REASONS = ("running_on", "cancelled_add_on")
CUSTOMER_REASONS = ("ended", "self_service", "rounding", "changed_without_order", "unexplained")

CUSTOMER_MONTH = ("customer_id", "month")

_CLOSE_CENTS = 0.06  # the ledger rounds MRR to the cent, so that ARR is up to 12 × half a cent off
_ORDER_CENTS = 0.02  # an order is in whole cents of its currency and rounded again


def orders_at_close(orders: DataFrame, closes: DataFrame, rates: DataFrame, reporting_currency: str) -> DataFrame:
    """Return the orders signed by each close: one row per order and month, with what they come to at the close's rate.

    ``closes`` has ``month`` and ``closed_on``, ``rates`` is the clean bronze.exchange_rates. ``state`` is one of
    ORDER_REASONS, or in_force; before the currency's first rate an order keeps its own.
    """
    signed = _with_successor(orders).join(F.broadcast(closes), on=F.col("ordered_date") <= F.col("closed_on"))
    rated = with_rates(signed, rates, rates_on={"closed_on": "_rate"}, reporting_currency=reporting_currency)
    state = (
        F.when(F.col("customer_id").isNull(), "without_customer")
        .when(F.col("start_date") > F.col("closed_on"), "not_started")
        .when(F.col("superseded_on") <= F.col("closed_on"), "superseded")
        .otherwise("in_force")
    )
    arr_at_close = F.coalesce((F.col("arr") * F.col("_rate")).cast(MONEY), "arr_reporting")
    return rated.withColumns({"state": state, "arr_at_close": arr_at_close})


def add_ons_apart(orders: DataFrame, subscriptions: DataFrame, rates: DataFrame, reporting_currency: str) -> DataFrame:
    """Return the ARR of add-ons that live longer or shorter than the order that sold them: a row per customer and month.

    ``running_on``: still held though their order is superseded, since a renewal orders the plan anew and not what was
    sold beside it. ``cancelled_add_on``, below 0: over though their order is in force. ``orders`` are those of
    :func:`orders_at_close`.
    """
    sold = orders.filter(F.col("state").isin("superseded", "in_force"))
    by_add_on = Window.partitionBy("customer_id", "subscription_id", "add_on_id").orderBy(
        "start_date", "subscription_item_id"
    )
    add_ons = (
        subscriptions.filter(F.col("bears_revenue") & (F.col("item_type") == "add_on"))
        .withColumn("is_last", F.lead("start_date").over(by_add_on).isNull())
        .select("customer_id", "opportunity_id", "start_date", "end_date", "monthly_amount", "currency", "is_last")
    )
    closes = sold.select(*CUSTOMER_MONTH, "closed_on", "opportunity_id", "state").distinct()
    begun = add_ons.join(closes, on=["customer_id", "opportunity_id"], how="inner").filter(
        F.col("start_date") <= F.col("closed_on")
    )
    rated = with_rates(begun, rates, rates_on={"closed_on": "_rate"}, reporting_currency=reporting_currency)
    yearly = (12 * F.col("monthly_amount") * F.col("_rate")).cast(MONEY)
    is_over = F.coalesce(F.col("end_date") <= F.col("closed_on"), F.lit(False))
    is_superseded = F.col("state") == "superseded"
    return rated.groupBy(*CUSTOMER_MONTH).agg(
        F.sum(F.when(is_superseded & ~is_over, yearly)).alias("running_on"),
        F.sum(F.when(~is_superseded & is_over & F.col("is_last"), -yearly)).alias("cancelled_add_on"),
    )


def by_customer(
    orders: DataFrame, add_ons: DataFrame, customer_months: DataFrame, subscriptions: DataFrame
) -> DataFrame:
    """Return why a customer's ``arr`` is not what its orders ``in_force`` come to: one row per customer and month.

    ``orders`` are those of :func:`orders_at_close`, ``add_ons`` those of :func:`add_ons_apart`, which count with them,
    the others silver tables. Beside the orders signed with their sums ``ordered_arr`` and ``exchange_rate`` it has a sum
    for each of ORDER_REASONS and ADD_ON_REASONS, and as ``reason`` one of CUSTOMER_REASONS: without any order the whole ARR is self-service's; without ARR the orders have ended, were cut off
    or pause; contractions, prices, discounts and the like change terms without an order, and so do terms that no
    opportunity sold. Orders without a customer have a row of their own.
    """
    states = ("in_force", *ORDER_REASONS)
    ordered = orders.groupBy(*CUSTOMER_MONTH).agg(
        F.count("*").alias("orders"),
        F.sum("arr_reporting").alias("ordered_arr"),
        F.sum(F.col("arr_at_close") - F.col("arr_reporting")).alias("exchange_rate"),
        *(F.sum(F.when(F.col("state") == state, F.col("arr_at_close"))).alias(state) for state in states),
    )
    amounts = ["orders", "ordered_arr", "exchange_rate", *states, *ADD_ON_REASONS, "arr"]
    return (
        ordered.join(add_ons, on=list(CUSTOMER_MONTH), how="left")
        .join(customer_months.select(*CUSTOMER_MONTH, "arr"), on=list(CUSTOMER_MONTH), how="full")
        .fillna(0, subset=amounts)
        .withColumn("in_force", F.col("in_force") + F.col("running_on") + F.col("cancelled_add_on"))
        .join(_changed_without_order(subscriptions), on="customer_id", how="left")
        .withColumn("reason", _reason())
    )


def _changed_without_order(subscriptions: DataFrame) -> DataFrame:
    """Return ``changed_on``, the first day of terms with revenue that nobody ordered: one row per customer with any."""
    ordered = [change for changes in ORDERED_BY.values() for change in changes]
    is_ordered = F.col("opportunity_id").isNotNull() & F.coalesce(F.col("change_type").isin(*ordered), F.lit(False))
    return (
        subscriptions.filter(F.col("bears_revenue") & ~is_ordered)
        .groupBy("customer_id")
        .agg(F.min("start_date").alias("changed_on"))
    )


def _reason() -> Column:
    """Return which of CUSTOMER_REASONS makes ``arr`` of the ledger differ from ``in_force``, of ``orders`` signed."""
    is_close = F.abs(F.col("arr") - F.col("in_force")) <= _CLOSE_CENTS + _ORDER_CENTS * F.col("orders")
    return (
        F.when(F.col("orders") == 0, "self_service")
        .when(F.col("arr") == 0, "ended")
        .when(is_close, "rounding")
        .when(F.col("changed_on") <= F.last_day("month"), "changed_without_order")
        .otherwise("unexplained")
    )


def _with_successor(orders: DataFrame) -> DataFrame:
    """Add ``superseded_on``: when the next new or renewal order of the product line begins and is signed."""
    starts_later = (
        Window.partitionBy("account_id", "customer_id", "product_line")
        .orderBy(F.unix_date("start_date"))
        .rangeBetween(1, Window.unboundedFollowing)
    )
    begins = F.when(F.col("order_type").isin("new", "renewal"), F.struct("start_date", "ordered_date"))
    successor = F.min(begins).over(starts_later)
    return orders.withColumn("_successor", successor).withColumn(
        "superseded_on", F.greatest("_successor.start_date", "_successor.ordered_date")
    )
