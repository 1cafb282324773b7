"""Service levels of support: hours to the first answer and to resolution against targets by priority.

Hours are calendar hours. Source: "Customer intelligence" in the metric definitions.
"""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from lakehouse.metrics.ratios import safe_ratio
from lakehouse.settings import SlaTargets

MICROSECONDS_PER_HOUR = 3_600_000_000


def hours_between(start: Column, end: Column) -> Column:
    """Return the hours from ``start`` to ``end``, 0 if the end comes first; null where one of them is missing.

    Example: 09:00 to 10:30 is 1.5.
    """
    microseconds = F.unix_micros(end) - F.unix_micros(start)
    return F.when(microseconds < 0, 0.0).otherwise(microseconds / MICROSECONDS_PER_HOUR)


def resolution_speed(sla_ratio: Column, is_resolved: Column) -> Column:
    """Return fast up to half of the target, on_time up to all of it, late beyond; open while not resolved."""
    return (
        F.when(~is_resolved, "open")
        .when(sla_ratio <= 0.5, "fast")
        .when(sla_ratio <= 1, "on_time")
        .when(sla_ratio > 1, "late")
    )


def with_service_levels(tickets: DataFrame, targets: SlaTargets, until: Column) -> DataFrame:
    """Add hours, targets, breaches, ratio and speed to tickets with opened_at, first_responded_at and resolved_at.

    What is not done yet has waited up to the moment ``until``. A ticket without a known priority has no target, and
    whether it missed one is null. A ticket resolved without a recorded answer was answered by its resolution.
    """
    opened_at, responded_at, resolved_at = F.col("opened_at"), F.col("first_responded_at"), F.col("resolved_at")
    measured = tickets.withColumns(
        {
            "is_resolved": resolved_at.isNotNull(),
            "first_response_hours": hours_between(opened_at, responded_at),
            "resolution_hours": hours_between(opened_at, resolved_at),
            "first_response_target_hours": _target_hours(targets, "first_response_hours"),
            "resolution_target_hours": _target_hours(targets, "resolution_hours"),
        }
    )
    judged = with_breaches(measured, until).withColumn(
        "sla_ratio", safe_ratio(F.col("resolution_hours"), F.col("resolution_target_hours"))
    )
    return judged.withColumn("resolution_speed", resolution_speed(F.col("sla_ratio"), F.col("is_resolved")))


def with_breaches(tickets: DataFrame, until: Column) -> DataFrame:
    """Add is_first_response_breached, is_resolution_breached and is_breached, either of them, as of ``until``.

    To tickets with opened_at, first_responded_at, resolved_at and both targets; null without a target.
    """
    opened_at, responded_at, resolved_at = F.col("opened_at"), F.col("first_responded_at"), F.col("resolved_at")
    waited_hours = hours_between(opened_at, F.coalesce(responded_at, resolved_at, until))
    open_hours = hours_between(opened_at, F.coalesce(resolved_at, until))
    return tickets.withColumns(
        {
            "is_first_response_breached": waited_hours > F.col("first_response_target_hours"),
            "is_resolution_breached": open_hours > F.col("resolution_target_hours"),
        }
    ).withColumn("is_breached", F.col("is_first_response_breached") | F.col("is_resolution_breached"))


def _target_hours(targets: SlaTargets, target: str) -> Column:
    return F.coalesce(
        *(F.when(F.col("priority") == name, levels[target]) for name, levels in targets.model_dump().items())
    )
