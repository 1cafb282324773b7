"""The health score: one function for every table that has it."""

from __future__ import annotations

from collections.abc import Iterable

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.window import Window

from lakehouse.customer_settings import Anchors, Health, HealthAnchors, HealthBands, HealthWeights

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
    present, null without any), ``health_score`` (their mean by weight over the components present), ``health_band``,
    ``health_missing`` (names of the components left out, separated by commas; empty when none is) and ``weight_usage``
    and so on: the weights as applied, which sum to 1, 0 for a component left out; null when all are.
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
            **_applied_weights(parameters.weights),
        }
    )


def with_health_change(months: DataFrame) -> DataFrame:
    """Add what changed since the month before to rows of :func:`with_health`, one per customer and month.

    Adds ``previous_health_score`` (null unless the month before has one), ``health_change``, in points,
    ``contribution_usage`` and so on, and ``main_driver``: the component that did most for the change in its direction,
    null without a change.
    """
    parts = [f"{part}_{component}" for part in ("health", "weight") for component in COMPONENTS]
    in_order = Window.partitionBy("customer_id").orderBy("month")
    last = F.lag(F.struct("month", "health_score", *parts)).over(in_order)
    both = months.withColumn("_last", last).withColumn(
        "_before", F.when(F.col("_last.month") == F.add_months("month", -1), F.col("_last"))
    )
    changed = both.withColumns(
        {
            "previous_health_score": F.col("_before.health_score"),
            "health_change": F.round(F.col("health_score") - F.col("_before.health_score"), 9),
            **{f"contribution_{component}": _contribution(component) for component in COMPONENTS},
        }
    )
    direction = F.signum("health_change")
    drivers = F.greatest(
        *(F.struct(F.col(f"contribution_{name}") * direction, F.lit(name).alias("name")) for name in COMPONENTS)
    )
    return changed.withColumn("main_driver", F.when(F.col("health_change") != 0, drivers["name"])).drop(
        "_last", "_before"
    )


def _applied_weights(weights: HealthWeights) -> dict[str, Column]:
    present = {
        name: F.when(F.col(f"health_{name}").isNotNull(), F.lit(float(weight))).otherwise(0.0)
        for name, weight in weights
    }
    total = sum(present.values(), F.lit(0.0))
    return {f"weight_{name}": F.try_divide(weight, total) for name, weight in present.items()}


def _contribution(component: str) -> Column:
    """Return the points that a component gave to the change of the score; those of all sum to the change exactly.

    Weight × change of the component while its weight stays. Weights move when a component comes or goes; then also
    change of weight × distance of the component from the score: what comes in above the score lifts it. Both products
    take the mean of the two months, and a component that one of them lacks is taken not to have changed.
    """
    value, value_before = F.col(f"health_{component}"), F.col(f"_before.health_{component}")
    now, before = F.coalesce(value, value_before), F.coalesce(value_before, value)
    weight, weight_before = F.col(f"weight_{component}"), F.col(f"_before.weight_{component}")
    score = (F.col("health_score") + F.col("_before.health_score")) / 2
    of_value = (weight + weight_before) / 2 * (now - before)
    return of_value + (weight - weight_before) * ((now + before) / 2 - score)


def health_band(score: Column, bands: HealthBands) -> Column:
    """Return the band of a score of 0–100 points: healthy, watch, at_risk or critical; null for null."""
    return (
        F.when(score >= bands.healthy, "healthy")
        .when(score >= bands.watch, "watch")
        .when(score >= bands.at_risk, "at_risk")
        .when(score.isNotNull(), "critical")
    )
