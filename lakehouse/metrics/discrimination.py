"""How well a score tells who is lost from who stays: the area under the ROC curve (AUC), with its interval.

A score is higher for who should stay. Its AUC is the share of pairs of a lost and a staying observation in which the
lost one scores lower, ties counting half: 0.5 for a score that knows nothing, 1 for one that errs never.

Observations of one customer resemble each other, so the variance takes customers as the units: Obuchowski, N. A.
(1997), Nonparametric analysis of clustered ROC curve data, Biometrics 53. With one observation of each it is that of
DeLong et al. (1988), and so is the comparison of two scores of the same observations. The interval is symmetric on the
logit scale, so that its bounds are AUCs themselves: Pepe, M. S. (2003), The Statistical Evaluation of Medical Tests for
Classification and Prediction, section 5.2; for a difference, from −1 to 1, that is Fisher's z.
"""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.window import Window

from lakehouse.metrics.ratios import Z_95, safe_ratio

# What names a score: who is scored, or by what.
SCORE = ["dimension", "dimension_value"]


def by_customer(observations: DataFrame) -> DataFrame:
    """Return the placements of each score's observations, summed by customer: one row per score and customer.

    ``observations`` has dimension, dimension_value, score, customer_id and is_lost. The placement of a lost one is the share of the
    staying ones that score higher, of a staying one the share of the lost ones that score lower; ties count half.
    ``lost`` and ``stayed`` are the numbers of observations, ``lost_placement`` and ``stayed_placement`` the sums.
    """
    whole = Window.partitionBy(SCORE)
    up_to_here, tied = whole.orderBy("score"), Window.partitionBy(*SCORE, "score")
    is_lost = F.col("is_lost")
    lost, stayed = is_lost.cast("int"), (~is_lost).cast("int")
    lost_below = F.sum(lost).over(up_to_here) - F.sum(lost).over(tied) / 2
    stayed_above = F.sum(stayed).over(whole) - F.sum(stayed).over(up_to_here) + F.sum(stayed).over(tied) / 2
    placed = observations.withColumns(
        {
            "lost_placement": F.when(is_lost, safe_ratio(stayed_above, F.sum(stayed).over(whole))),
            "stayed_placement": F.when(~is_lost, safe_ratio(lost_below, F.sum(lost).over(whole))),
        }
    )
    return placed.groupBy(*SCORE, "customer_id").agg(
        F.sum(lost).alias("lost"),
        F.sum(stayed).alias("stayed"),
        F.coalesce(F.sum("lost_placement"), F.lit(0.0)).alias("lost_placement"),
        F.coalesce(F.sum("stayed_placement"), F.lit(0.0)).alias("stayed_placement"),
    )


def difference(customers: DataFrame, score: str, baseline: str) -> DataFrame:
    """Return the sums of ``score`` less those of ``baseline``, one row per customer, as :func:`by_customer` names them.

    Both are dimension values in ``customers``, of the same observations; the rows bear the name of the baseline.
    """
    name = F.col("dimension_value")
    sign = F.when(name == score, 1).otherwise(-1)
    return (
        customers.filter(name.isin(score, baseline))
        .groupBy("dimension", "customer_id")
        .agg(
            *(F.max(count).alias(count) for count in ("lost", "stayed")),
            *(F.sum(sign * F.col(sums)).alias(sums) for sums in ("lost_placement", "stayed_placement")),
        )
        .withColumn("dimension_value", F.lit(baseline))
    )


def auc(customers: DataFrame, *, lowest: int = 0) -> DataFrame:
    """Return the AUC, or the difference of two, and its 95 % interval: one row per score.

    Of rows of :func:`by_customer`, or of :func:`difference` with -1 as ``lowest`` possible value: ``value``, null unless
    somebody was lost and somebody stayed, ``value_low`` and ``value_high``, and the numbers ``lost`` and ``stayed``.
    Without an interval are values from a single customer of either kind, whose variance nobody knows, and those at the
    ends of the scale, from which nothing was seen to vary.
    """
    whole = Window.partitionBy(SCORE)
    mean = safe_ratio(F.sum("lost_placement").over(whole), F.sum("lost").over(whole))
    off = customers.withColumn("_mean", mean).withColumns(
        {
            "_lost_off": F.col("lost_placement") - F.col("lost") * F.col("_mean"),
            "_stayed_off": F.col("stayed_placement") - F.col("stayed") * F.col("_mean"),
        }
    )
    lost_off, stayed_off = F.col("_lost_off"), F.col("_stayed_off")
    lost, stayed = F.sum("lost"), F.sum("stayed")
    variance = (
        _spread(F.sum(lost_off * lost_off), F.count_if(F.col("lost") > 0), lost * lost)
        + _spread(F.sum(stayed_off * stayed_off), F.count_if(F.col("stayed") > 0), stayed * stayed)
        + _spread(2 * F.sum(lost_off * stayed_off), F.count("*"), lost * stayed)
    )
    found = off.groupBy(SCORE).agg(
        F.when(stayed > 0, F.max("_mean")).alias("value"),
        lost.alias("lost"),
        stayed.alias("stayed"),
        variance.alias("_variance"),
    )
    low, high = _logit_interval(F.col("value"), F.col("_variance"), lowest)
    return found.withColumns({"value_low": low, "value_high": high}).drop("_variance")


def _logit_interval(value: Column, variance: Column, lowest: int) -> tuple[Column, Column]:
    """Bounds of a value between ``lowest`` and 1; null at both ends."""
    span = 1 - lowest
    share = (value - F.lit(lowest)) / F.lit(span)
    # Differences of sums may end a little below zero; F.greatest would make a missing variance zero.
    error = F.sqrt(F.when(variance < 0, 0.0).otherwise(variance)) / F.lit(span)
    half_width = F.lit(Z_95) * F.try_divide(error, share * (F.lit(1.0) - share))
    # share ÷ (share + (1 − share) · e^±half_width) is the inverse of the logit, without leaving 0 to 1.
    low, high = (share / (share + (F.lit(1.0) - share) * F.exp(sign * half_width)) for sign in (1, -1))
    return F.lit(lowest) + F.lit(span) * low, F.lit(lowest) + F.lit(span) * high


def _spread(products: Column, customers: Column, pairs: Column) -> Column:
    """Products of deviations per pair, unbiased by the number of customers; null with one customer or no pair."""
    return F.try_divide(products, pairs) * F.try_divide(customers, customers - 1)
