"""The health score: one function for every table that has it."""

from __future__ import annotations

from collections.abc import Iterable

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from lakehouse.settings import Anchors, Health, HealthAnchors, HealthBands

COMPONENTS = tuple(HealthAnchors.model_fields)
BANDS = (*HealthBands.model_fields, "critical")


def points(value: Column, anchors: Anchors) -> Column:
    """Return 0–100 points on the straight line from ``worst`` (0) to ``best`` (100), no more beyond them; null for null.

    Example: worst 0.5, best 1.1: 0.8 gives 50.
    """
    along = (value - F.lit(anchors.worst)) / F.lit(anchors.best - anchors.worst)
    return F.when(value.isNotNull(), F.lit(100.0) * F.greatest(F.lit(0.0), F.least(F.lit(1.0), along)))


def mean_of_present(weighted: Iterable[tuple[Column, float]]) -> Column:
    """Return the weighted mean of the values that are not null, null when all are.

    Example: (80, 0.3), (null, 0.2), (40, 0.5) give (24 + 20) ÷ 0.8 = 55.
    """
    terms = [(value, F.lit(float(weight))) for value, weight in weighted]
    total = sum((F.coalesce(value * weight, F.lit(0.0)) for value, weight in terms), F.lit(0.0))
    weights = sum((F.when(value.isNotNull(), weight).otherwise(0.0) for value, weight in terms), F.lit(0.0))
    return F.try_divide(total, weights)


def with_health(frame: DataFrame, parameters: Health) -> DataFrame:
    """Add the health score, 0–100, to a frame with one column per input that ``parameters.anchors`` names.

    Adds ``health_usage``, ``health_support``, ``health_revenue`` and ``health_engagement`` (mean points of the inputs
    present, null without any), ``health_score`` (their mean by weight over the components present), ``health_band``
    and ``health_missing`` (names of the components left out, separated by commas; empty when none is).
    """
    components = {
        f"health_{component}": mean_of_present(
            (points(F.col(name), anchors), 1.0) for name, anchors in getattr(parameters.anchors, component)
        )
        for component in COMPONENTS
    }
    score = mean_of_present((F.col(f"health_{name}"), getattr(parameters.weights, name)) for name in COMPONENTS)
    missing = (F.when(F.isnull(f"health_{name}"), F.lit(name)) for name in COMPONENTS)
    return frame.withColumns(components).withColumns(
        {
            # Rounded before the band is read from it, so that a published 70 is never a watch.
            "health_score": F.round(score, 9),
            "health_band": health_band(F.round(score, 9), parameters.bands),
            "health_missing": F.concat_ws(",", *missing),
        }
    )


def health_band(score: Column, bands: HealthBands) -> Column:
    """Return the band of a score of 0–100 points: healthy, watch, at_risk or critical; null for null."""
    return (
        F.when(score >= bands.healthy, "healthy")
        .when(score >= bands.watch, "watch")
        .when(score >= bands.at_risk, "at_risk")
        .when(score.isNotNull(), "critical")
    )
