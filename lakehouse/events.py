"""Product events: what is counted of them, and how each counts once at a cost that large tables can bear."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lakehouse.cleaning import kept, sound
from lakehouse.table import Table

# The columns that count events of one type.
COUNTED_TYPES = {
    "logins": "login",
    "onboarding_steps": "onboarding_step",
    "dashboards_created": "dashboard_created",
    "dashboards_viewed": "dashboard_viewed",
    "data_sources_connected": "data_source_connected",
    "reports_generated": "report_generated",
    "comments_added": "comment_added",
    "dashboards_shared": "dashboard_shared",
    "advanced_analytics_runs": "advanced_analytics_run",
    "api_calls": "api_call",
}

# Points of an action type in the north-star metric, and the counts that show it.
ACTION_POINTS: dict[str, tuple[int, tuple[str, ...]]] = {
    "points_dashboard_created": (10, ("dashboards_created",)),
    "points_data_source_connected": (15, ("data_sources_connected",)),
    "points_report_generated": (8, ("reports_generated",)),
    "points_collaboration": (12, ("comments_added", "dashboards_shared")),
    "points_advanced_analytics": (20, ("advanced_analytics_runs",)),
    "points_api": (5, ("api_calls",)),
}


def with_hash(events: DataFrame, table: Table) -> DataFrame:
    """Return the events with ``event_hash``, the 64-bit hash of their key."""
    return events.withColumn("event_hash", F.xxhash64(*table.key))


def once(events: DataFrame, repeated: DataFrame, table: Table) -> DataFrame:
    """Return the same rows as :func:`lakehouse.cleaning.kept`, for a large table in which few keys repeat.

    Ranking every event within its key would sort whole events; here only those are ranked whose hash is among the
    ``repeated`` ones (silver.repeated_events).
    """
    hashed, suspects = with_hash(events, table), F.broadcast(repeated.select("event_hash"))
    unique = sound(hashed.join(suspects, on="event_hash", how="left_anti"), table)
    chosen = kept(hashed.join(suspects, on="event_hash", how="left_semi"), table)
    return unique.unionByName(chosen).drop("event_hash")
