"""Ratios without a denominator are null; Wilson's interval holds the share it is about."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pyspark.sql import functions as F

from lakehouse.metrics.ratios import safe_ratio, wilson_interval


def intervals(spark, pairs):
    low, high = wilson_interval(F.col("successes"), F.col("trials"))
    frame = spark.createDataFrame(pairs, "successes bigint, trials bigint")
    return [(row.low, row.high) for row in frame.select(low.alias("low"), high.alias("high")).collect()]


def test_a_ratio_is_null_where_there_is_nothing_to_divide_by(spark):
    pairs = spark.createDataFrame([(3, 4), (3, 0), (None, 4), (3, None)], "a bigint, b bigint")
    assert [row.ratio for row in pairs.select(safe_ratio(F.col("a"), F.col("b")).alias("ratio")).collect()] == [
        0.75,
        None,
        None,
        None,
    ]


def test_wilsons_interval_of_one_in_ten_and_of_none(spark):
    one_in_ten, none_in_ten, no_trials = intervals(spark, [(1, 10), (0, 10), (0, 0)])
    # Centre (1 + 1.9207) / 13.8415 = 0.21101, half width 1.96 × sqrt(0.1 × 0.9 × 10 + 0.96036) / 13.8415 = 0.19314.
    assert one_in_ten == pytest.approx((0.01787, 0.40415), abs=1e-5)
    # z² / (n + z²) = 3.8415 / 13.8415.
    assert none_in_ten == pytest.approx((0.0, 0.27753), abs=1e-5)
    assert no_trials == (None, None)


COUNTS = st.integers(1, 10**6).flatmap(lambda trials: st.tuples(st.integers(0, trials), st.just(trials)))


@hypothesis_settings(max_examples=3, deadline=None, database=None)
@given(pairs=st.lists(COUNTS, min_size=50, max_size=50))
def test_the_interval_holds_the_share_and_stays_within_0_and_1(spark, pairs):
    for (successes, trials), (low, high) in zip(pairs, intervals(spark, pairs), strict=True):
        assert 0 <= low <= successes / trials + 1e-12
        assert successes / trials - 1e-12 <= high <= 1
