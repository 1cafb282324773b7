"""Which terms count as recurring revenue under a policy: on which days, and with which monthly amount.

The policies' switches are described in ``conf/metrics.yml``. An item counts on a day when start_date <= day < end_date.
"""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.window import Window

from lakehouse.metrics.money import with_monthly_amounts
from lakehouse.policies import Policy

_FAR_AHEAD = "DATE'9999-12-31'"


def bears_revenue(policy: Policy) -> Column:
    """Tell whether terms count: recurring, with a price, in a status that counts, for a day at least.

    Of terms with monthly amounts; unknown statuses do not count.
    """
    has_status = F.coalesce(F.col("status").isin(*policy.statuses), F.lit(False))
    has_price = (_counted_amount(policy) > 0) | F.lit(policy.counts_free_plans)
    return F.col("is_recurring") & has_status & has_price & _lasts()


def ends_on(policy: Policy) -> Column:
    """Return the first day on which terms do not count any more: ``end_date``, or that of ``canceled_at`` if earlier.

    The latter where the policy dates churn at cancellation; null while they are open.
    """
    if policy.churn_dated == "cancellation":
        return F.least("end_date", F.to_date("canceled_at"))
    return F.col("end_date")


def counted_terms(subscriptions: DataFrame, policy: Policy) -> DataFrame:
    """Return the terms that count under the policy, of silver.subscriptions: one row per subscription item.

    ``monthly_amount``, ``start_date`` and ``end_date`` are those that count. ``rated_on`` is the day whose rate the item
    keeps, the first that counts of its subscription; null where each month takes its own.
    """
    priced = with_monthly_amounts(subscriptions, weeks_per_year=policy.weeks_per_year)
    counted = priced.filter(bears_revenue(policy)).withColumn("monthly_amount", _counted_amount(policy))
    counted = counted.withColumn("end_date", ends_on(policy)).filter(_lasts())
    if policy.late_renewal_days:
        counted = _with_late_renewals(counted, policy.late_renewal_days)
    if policy.converted_at == "month_end":
        return counted.withColumn("rated_on", F.lit(None).cast("date"))
    subscription = F.coalesce("subscription_id", "subscription_item_id")
    return counted.withColumn("rated_on", F.min("start_date").over(Window.partitionBy("customer_id", subscription)))


def _counted_amount(policy: Policy) -> Column:
    if policy.counts_finite_discounts:
        return F.col("monthly_amount")
    is_finite = F.col("discount_duration").isin("once", "repeating")
    return F.when(is_finite, F.col("monthly_list_amount")).otherwise(F.col("monthly_amount"))


def _lasts() -> Column:
    return F.coalesce(F.col("end_date") > F.col("start_date"), F.lit(True))


def _with_late_renewals(terms: DataFrame, days: int) -> DataFrame:
    """Let what a customer held last run on to its return, if it returned after at most so many days without any terms."""
    in_order = Window.partitionBy("customer_id").orderBy("start_date", "subscription_item_id")
    so_far = in_order.rowsBetween(Window.unboundedPreceding, Window.currentRow)
    ahead = in_order.rowsBetween(Window.currentRow, Window.unboundedFollowing)
    held_until = F.max(F.coalesce("end_date", F.expr(_FAR_AHEAD))).over(so_far)
    next_start = F.lead("start_date").over(in_order)
    gap = F.when(next_start > held_until, F.struct(held_until.alias("from"), next_start.alias("to")))
    next_gap = F.first("_gap", ignorenulls=True).over(ahead)
    is_bridged = (F.col("end_date") == F.col("_next_gap.from")) & (
        F.date_diff("_next_gap.to", "_next_gap.from") <= days
    )
    return (
        terms.withColumn("_gap", gap)
        .withColumn("_next_gap", next_gap)
        .withColumn("end_date", F.when(is_bridged, F.col("_next_gap.to")).otherwise(F.col("end_date")))
        .drop("_gap", "_next_gap")
    )
