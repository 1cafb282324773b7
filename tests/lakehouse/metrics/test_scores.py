"""Scores: ranks among peers, and sentiment that fades."""

from __future__ import annotations

import pytest
from pyspark.sql import functions as F

from lakehouse.metrics.ratios import safe_ratio
from lakehouse.metrics.scores import peer_scores, sentiment_sums, tenure_band

SCHEMA = "customer_id string, plan string, band int, use double, trend double"


def scores(spark, records, min_peers):
    scored = peer_scores(
        spark.createDataFrame(records, SCHEMA),
        inputs=["use", "trend"],
        narrow=["plan", "band"],
        wide=["plan"],
        min_peers=min_peers,
    )
    return {row.customer_id: row.usage_score for row in scored.collect()}


def test_bands_hold_their_upper_end(spark):
    tenures = spark.createDataFrame([(0,), (3,), (4,), (12,), (13,)], "tenure int")
    bands = tenures.select(tenure_band(F.col("tenure"), [3, 12]).alias("band")).collect()
    assert [row.band for row in bands] == [0, 0, 1, 1, 2]


def test_the_score_is_the_mean_rank_with_ties_shared_and_missing_inputs_left_out(spark):
    ranked = scores(
        spark,
        [
            ("a", "Starter", 0, 10.0, 1.0),
            ("b", "Starter", 0, 20.0, 2.0),
            ("c", "Starter", 0, 20.0, None),
            ("d", "Starter", 0, 30.0, None),
            ("e", "Business", 0, None, None),
        ],
        min_peers=4,
    )
    # use: 1/8, 1/2, 1/2, 7/8 of four; trend: 1/4, 3/4 of the two who have one.
    assert ranked == {"a": 0.1875, "b": 0.625, "c": 0.5, "d": 0.875, "e": None}


def test_a_band_with_too_few_peers_is_ranked_among_the_whole_plan(spark):
    ranked = scores(
        spark,
        [
            ("young", "Starter", 0, 25.0, None),
            ("old 1", "Starter", 2, 10.0, None),
            ("old 2", "Starter", 2, 20.0, None),
            ("old 3", "Starter", 2, 30.0, None),
        ],
        min_peers=3,
    )
    # Third of the plan's four; the other three keep to themselves: 1/6, 3/6, 5/6.
    assert ranked == pytest.approx({"young": 0.625, "old 1": 1 / 6, "old 2": 0.5, "old 3": 5 / 6})


def test_sentiment_halves_every_half_life_and_ends_with_the_window(spark, settings):
    tickets = spark.createDataFrame(
        [
            ("fades", 1.0, 0),
            ("fades", -1.0, 60),
            ("old", 1.0, 180),
            ("later", 1.0, -1),
            ("silent", None, 0),
        ],
        "customer_id string, sentiment double, age_days int",
    )
    score = safe_ratio(*sentiment_sums(F.col("sentiment"), F.col("age_days"), settings.sentiment))
    found = {row.customer_id: row.score for row in tickets.groupBy("customer_id").agg(score.alias("score")).collect()}
    # (1 × 1 + 0.5 × 0) ÷ 1.5.
    assert found == {"fades": pytest.approx(2 / 3), "old": None, "later": None, "silent": None}
