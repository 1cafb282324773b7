"""Health: points between anchors, missing parts left out, bands that hold their lower end."""

from __future__ import annotations

from datetime import date

import pytest
from pyspark.sql import functions as F

from lakehouse.customer_settings import Anchors
from lakehouse.metrics.health import COMPONENTS, health_band, points, with_health, with_health_change


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
    half = {"usage_trend": 0.5, "active_user_share": 0.6, "mrr_trend": 0.9, "feature_breadth": 1.0, "nps_score": 3.0}
    records = [tuple(half.get(name) for name in names), tuple(None for _ in names)]
    frame = spark.createDataFrame(records, ", ".join(f"{name} double" for name in names))
    some, none = with_health(frame, settings.health).collect()
    # Usage (50 + 100) ÷ 2, revenue 50, engagement (100 + 0) ÷ 2; nothing about support.
    assert (some.health_usage, some.health_support) == (pytest.approx(75), None)
    assert (some.health_revenue, some.health_engagement) == (pytest.approx(50), pytest.approx(50))
    # (0.30 × 75 + 0.25 × 50 + 0.25 × 50) ÷ 0.80.
    assert some.health_score == pytest.approx(59.375)
    assert (some.health_band, some.health_missing) == ("watch", "support")
    assert [some.weight_usage, some.weight_support, some.weight_revenue] == pytest.approx([0.375, 0, 0.3125])
    assert (none.health_score, none.health_band) == (None, None)
    assert none.health_missing == "usage,support,revenue,engagement"


def test_a_band_begins_at_its_lower_end(spark, settings):
    scores = spark.createDataFrame([(70.0,), (69.9,), (50.0,), (30.0,), (29.9,), (None,)], "score double")
    bands = scores.select(health_band(F.col("score"), settings.health.bands).alias("band")).collect()
    assert [row.band for row in bands] == ["healthy", "watch", "watch", "at_risk", "critical", None]


WEIGHTS, WITHOUT_SUPPORT = (0.30, 0.20, 0.25, 0.25), (0.375, 0.0, 0.3125, 0.3125)


def scored(month, health_score, components, weights):
    return ("ann", date(2026, month, 1), health_score, *components, *weights)


@pytest.fixture(scope="module")
def changes(spark):
    names = ", ".join(f"{part}_{component} double" for part in ("health", "weight") for component in COMPONENTS)
    months = spark.createDataFrame(
        [
            # 24 + 10 + 15 + 10, then 18 + 12 + 15 + 10.
            scored(1, 59.0, (80.0, 50.0, 60.0, 40.0), WEIGHTS),
            scored(2, 55.0, (60.0, 60.0, 60.0, 40.0), WEIGHTS),
            # 22.5 + 18.75 + 12.5 without support.
            scored(3, 53.75, (60.0, None, 60.0, 40.0), WITHOUT_SUPPORT),
            scored(4, 53.75, (60.0, None, 60.0, 40.0), WITHOUT_SUPPORT),
            scored(6, 59.0, (80.0, 50.0, 60.0, 40.0), WEIGHTS),
        ],
        f"customer_id string, month date, health_score double, {names}",
    )
    return {row.month.month: row for row in with_health_change(months).collect()}


def contributions(row):
    return [getattr(row, f"contribution_{component}") for component in COMPONENTS]


def test_with_the_same_components_each_contributes_its_weight_times_its_change(changes):
    february = changes[2]
    assert (february.previous_health_score, february.health_change) == (59, -4)
    # 0.30 × −20 and 0.20 × 10.
    assert contributions(february) == pytest.approx([-6, 2, 0, 0])
    assert february.main_driver == "usage"


def test_a_component_that_goes_contributes_what_it_held_the_score_up_by(changes):
    march = changes[3]
    # Change of weight × distance from the mean score, (55 + 53.75) ÷ 2 = 54.375:
    # 0.075 × 5.625, −0.2 × 5.625, 0.0625 × 5.625 and 0.0625 × −14.375.
    assert contributions(march) == pytest.approx([0.421875, -1.125, 0.3515625, -0.8984375])
    assert march.health_change == pytest.approx(sum(contributions(march))) == -1.25
    assert march.main_driver == "support"


def test_without_a_change_nothing_drove_it(changes):
    assert (changes[4].health_change, changes[4].main_driver) == (0, None)
    # Neither month knows of support.
    assert contributions(changes[4]) == [0, None, 0, 0]


def test_a_change_is_from_the_month_before_or_unknown(changes):
    for month in (1, 6):
        row = changes[month]
        assert (row.previous_health_score, row.health_change, row.main_driver) == (None, None, None)
        assert contributions(row) == [None] * 4
