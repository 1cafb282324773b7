"""Health: points between anchors, missing parts left out, bands that hold their lower end."""

from __future__ import annotations

import pytest
from pyspark.sql import functions as F

from lakehouse.metrics.health import health_band, points, with_health
from lakehouse.settings import Anchors


def test_points_run_straight_between_the_anchors_in_either_direction(spark):
    values = spark.createDataFrame([(0.4,), (0.8,), (1.5,), (None,)], "value double")
    rising = points(F.col("value"), Anchors(worst=0.5, best=1.1))
    falling = points(F.col("value"), Anchors(worst=1.0, best=0.0))
    found = values.select(rising.alias("rising"), falling.alias("falling")).collect()
    assert [row.rising for row in found] == [0, pytest.approx(50), 100, None]
    assert [row.falling for row in found] == [pytest.approx(60), pytest.approx(20), 0, None]


def test_missing_inputs_and_components_are_left_out_and_the_weights_renormalised(spark, settings):
    names = [
        name
        for component in ("usage", "support", "revenue", "engagement")
        for name, _ in getattr(settings.health.anchors, component)
    ]
    half = {"usage_trend": 0.8, "active_user_share": 0.6, "mrr_trend": 0.9, "feature_breadth": 1.0, "nps_score": 3.0}
    records = [tuple(half.get(name) for name in names), tuple(None for _ in names)]
    frame = spark.createDataFrame(records, ", ".join(f"{name} double" for name in names))
    some, none = with_health(frame, settings.health).collect()
    # Usage (50 + 100) ÷ 2, revenue 50, engagement (100 + 0) ÷ 2; nothing about support.
    assert (some.health_usage, some.health_support) == (pytest.approx(75), None)
    assert (some.health_revenue, some.health_engagement) == (pytest.approx(50), pytest.approx(50))
    # (0.30 × 75 + 0.25 × 50 + 0.25 × 50) ÷ 0.80.
    assert some.health_score == pytest.approx(59.375)
    assert (some.health_band, some.health_missing) == ("watch", "support")
    assert (none.health_score, none.health_band) == (None, None)
    assert none.health_missing == "usage,support,revenue,engagement"


def test_a_band_begins_at_its_lower_end(spark, settings):
    scores = spark.createDataFrame([(70.0,), (69.9,), (50.0,), (30.0,), (29.9,), (None,)], "score double")
    bands = scores.select(health_band(F.col("score"), settings.health.bands).alias("band")).collect()
    assert [row.band for row in bands] == ["healthy", "watch", "watch", "at_risk", "critical", None]
