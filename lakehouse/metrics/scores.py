"""Scores from 0 to 1: use against peers, and sentiment of support tickets."""

from __future__ import annotations

from collections.abc import Sequence

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.window import Window

from lakehouse.settings import Sentiment, UsageScore

# What use is compared by; more is better.
USAGE_INPUTS = ("recency", "active_days_30d", "categories_30d", "usage_trend")


def tenure_band(tenure_months: Column, upper_ends: Sequence[int]) -> Column:
    """Return the number of the tenure band: 0 up to and including the first upper end, and so on; the last is open.

    Example: with ends 3 and 12, tenures 0–3 are band 0, 4–12 band 1, from 13 band 2.
    """
    return sum(((tenure_months > end).cast("int") for end in upper_ends), F.lit(0))


def middle_rank(value: str, peers: Sequence[str]) -> Column:
    """Return the percentile rank of ``value`` among rows that share ``peers``, 0–1.

    The share of peers below plus half the share of equals (the row itself is one), so that ties share a rank and
    reversing the order mirrors it. Example: 10, 20, 20, 30 rank 0.125, 0.5, 0.5, 0.875. Null values rank nowhere.
    """
    ascending = Window.partitionBy(*peers, F.isnull(value)).orderBy(value)
    below = (F.rank().over(ascending) - 1) / F.count(F.lit(1)).over(Window.partitionBy(*peers, F.isnull(value)))
    return F.when(F.col(value).isNotNull(), (below + F.cume_dist().over(ascending)) / 2)


def peer_scores(
    customers: DataFrame, *, inputs: Sequence[str], narrow: Sequence[str], wide: Sequence[str], min_peers: int
) -> DataFrame:
    """Return ``customer_id`` and ``usage_score``, one row per row of ``customers``.

    The mean of the middle ranks of ``inputs`` (more is better) among those with the same ``narrow`` columns, or among
    those with the same ``wide`` ones where the narrow group has fewer than ``min_peers`` members. An input that is null
    is left out; a customer without any has a null score.
    """
    in_band = F.count(F.lit(1)).over(Window.partitionBy(*narrow))
    values = F.array(
        *(F.struct(F.lit(name).alias("input"), F.col(name).cast("double").alias("value")) for name in inputs)
    )
    long = customers.withColumn("_has_peers", in_band >= min_peers).select(
        "customer_id", "_has_peers", *narrow, F.inline(values)
    )
    # Both ranks, since the members of a small band are ranked among everybody of the wide group.
    rank = F.when(F.col("_has_peers"), middle_rank("value", ["input", *narrow])).otherwise(
        middle_rank("value", ["input", *wide])
    )
    return long.withColumn("_rank", rank).groupBy("customer_id").agg(F.avg("_rank").alias("usage_score"))


def usage_scores(customers: DataFrame, parameters: UsageScore) -> DataFrame:
    """Return ``customer_id`` and ``usage_score``, 0–1: the rank of use among customers of the same plan and tenure band.

    ``customers`` has one row per customer with plan_id, tenure_band and the signals of use.
    """
    return peer_scores(
        customers.withColumn("recency", -F.col("days_since_last_event")),
        inputs=USAGE_INPUTS,
        narrow=["plan_id", "tenure_band"],
        wide=["plan_id"],
        min_peers=parameters.min_peers,
    )


def sentiment_sums(sentiment: Column, age_days: Column, parameters: Sentiment) -> tuple[Column, Column]:
    """Return the sums of weight × (sentiment + 1) ÷ 2 and of the weights over the rows of a group: two aggregates.

    Their ratio is the sentiment score, 0–1. ``sentiment`` runs from −1 to 1, ``age_days`` counts back from the as-of day.
    Weights halve every ``half_life_days``; rows older than ``window_days`` or without sentiment count for nothing, and
    none at all gives null. Example: +1 today and −1 sixty days ago, halving every 60: (1 × 1 + 0.5 × 0) ÷ 1.5 = 0.667.
    """
    counts = sentiment.isNotNull() & age_days.between(0, parameters.window_days - 1)
    weight = F.when(counts, F.pow(F.lit(0.5), age_days / F.lit(float(parameters.half_life_days))))
    # Decimals sum alike in every order; doubles do not.
    exact = "decimal(28,12)"
    return F.sum((weight * (sentiment + 1) / 2).cast(exact)), F.sum(weight.cast(exact))
