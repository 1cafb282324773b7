"""Commitments that end, and the orders that renew them."""

from __future__ import annotations

from datetime import date

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.window import Window

from lakehouse.metrics.currency import to_reporting, with_first_rate_at_least
from lakehouse.settings import Renewals
from lakehouse.types import MONEY

TERM = ("account_id", "renewal_date")
STATUSES = ("renewed", "lost", "pending")
TIMINGS = ("early", "on_time", "late")


def outcomes(
    orders: DataFrame,
    customers: DataFrame,
    rates: DataFrame,
    *,
    as_of: date,
    renewals: Renewals,
    reporting_currency: str,
) -> DataFrame:
    """Return what became of each commitment: one row per account and day on which one ends.

    ``status`` is one of STATUSES, ``timing`` of TIMINGS (null unless renewed); with ``segment`` and the columns of
    :func:`amounts_of_terms`. ``orders`` and ``customers`` are the silver tables.
    """
    terms = terms_that_end(orders)
    renewing = renewing_orders(orders, terms)
    amounts = amounts_of_terms(orders, renewing, rates, as_of=as_of, reporting_currency=reporting_currency)
    standing = customers.groupBy("account_id").agg(F.sum("mrr").alias("_mrr"), F.max("churn_date").alias("_left_on"))
    return (
        terms.join(amounts, on=list(TERM), how="inner")
        .join(standing, on="account_id", how="left")
        .withColumns(
            {
                "status": outcome(as_of, renewals.grace_days),
                "timing": timing(F.col("ordered_date"), F.col("renewal_date"), renewals.early_days),
            }
        )
    )


def terms_that_end(orders: DataFrame) -> DataFrame:
    """Return the commitments of silver.billing_orders: one row per account and day on which its commitment ends.

    What was ordered up to the same end, expansions too, is up for renewal together. ``segment`` is that of the newest
    order, ``_signed_at`` the moment of the first.
    """
    newest = F.struct("ordered_at", "order_id")
    return (
        orders.filter(F.col("renewal_date").isNotNull())
        .groupBy(*TERM)
        .agg(F.max_by("segment", newest).alias("segment"), F.min("ordered_at").alias("_signed_at"))
    )


def renewing_orders(orders: DataFrame, terms: DataFrame) -> DataFrame:
    """Return the orders of type renewal, each with the ``renewal_date`` of the commitment that it renews.

    It is the one of the account, signed before the order, whose end lies nearest to the order's start; of two as near
    the earlier. An order that follows on none is left out. ``terms`` are those of :func:`terms_that_end`.
    """
    renewals = orders.filter(F.col("order_type") == "renewal").select(
        "order_id", "account_id", "ordered_at", "ordered_date", "start_date", "arr", "currency"
    )
    apart = F.struct(F.abs(F.date_diff("start_date", "renewal_date")), "renewal_date")
    return (
        renewals.join(terms.select(*TERM, "_signed_at"), on="account_id", how="inner")
        .filter(F.col("_signed_at") < F.col("ordered_at"))
        .groupBy(*renewals.columns)
        .agg(F.min_by("renewal_date", apart).alias("renewal_date"))
    )


def timing(ordered_date: Column, renewal_date: Column, early_days: int) -> Column:
    """Return early, on_time or late: more than ``early_days`` before the commitment ends, up to its end, or after it.

    A renewal that is signed on the day of the end, the first one without commitment, is on time. Null without an order.
    """
    days_before = F.date_diff(renewal_date, ordered_date)
    return F.when(days_before > early_days, "early").when(days_before >= 0, "on_time").when(days_before < 0, "late")


def amounts_of_terms(
    orders: DataFrame, renewing: DataFrame, rates: DataFrame, *, as_of: date, reporting_currency: str
) -> DataFrame:
    """Return what each commitment is worth before and after its end: one row per account and end.

    ``arr_before``, ``arr_after`` (null unless renewed) are decimal(18,2) at the rate of the day of the end, ahead of it
    of the as-of day, of the product line that was ordered first; ``ordered_date`` is that of the first renewal. ``renewing`` are the rows of :func:`renewing_orders`,
    ``rates`` the clean bronze.exchange_rates.
    """
    committed = orders.filter(F.col("renewal_date").isNotNull())
    first_line = F.min_by("product_line", F.struct("ordered_at", "order_id")).over(Window.partitionBy(*TERM))
    # A renewal orders its product line anew; add-ons of another one run on beside it.
    before = (
        committed.withColumn("_line", first_line)
        .filter(F.col("product_line").eqNullSafe(F.col("_line")))
        .select(*TERM, "currency", F.col("arr").alias("_before"))
    )
    after = renewing.select(*TERM, "currency", F.col("arr").alias("_after"), "ordered_date")
    dated = before.unionByName(after, allowMissingColumns=True).withColumn(
        "_end_date", F.least("renewal_date", F.lit(as_of))
    )
    rated = to_reporting(
        with_first_rate_at_least(dated, rates, day="_end_date", rated_on="_rated_on"),
        rates,
        day="_rated_on",
        amounts={"_before": "_before", "_after": "_after"},
        reporting_currency=reporting_currency,
    )
    return rated.groupBy(*TERM).agg(
        F.sum("_before").cast(MONEY).alias("arr_before"),
        F.sum("_after").cast(MONEY).alias("arr_after"),
        F.min("ordered_date").alias("ordered_date"),
    )


def outcome(as_of: date, grace_days: int) -> Column:
    """Return renewed, lost or pending, from ``ordered_date``, ``_signed_at`` and the account's ``_mrr`` and ``_left_on``.

    Lost is who has ceased to pay since the signature, or has not renewed ``grace_days`` after the end.
    """
    is_over = F.date_diff(F.lit(as_of), F.col("renewal_date")) > grace_days
    # Who left before the signature has signed to come back.
    has_left = F.coalesce((F.col("_mrr") == 0) & (F.col("_left_on") > F.to_date("_signed_at")), F.lit(False))
    return F.when(F.col("ordered_date").isNotNull(), "renewed").when(is_over | has_left, "lost").otherwise("pending")
