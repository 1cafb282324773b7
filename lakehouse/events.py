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


def once(events: DataFrame, table: Table) -> DataFrame:
    """Return the same rows as :func:`lakehouse.cleaning.kept`, for a large table in which few keys repeat.

    Ranking every event within its key sorts whole events; here only a 64-bit hash of the key is shuffled, and the
    events whose hash occurs more than once are ranked. Hashes that collide cost time, never an event.
    """
    hashed = events.withColumn("_hash", F.xxhash64(*table.key))
    repeated = F.broadcast(hashed.groupBy("_hash").agg(F.count("*").alias("_times")).filter(F.col("_times") > 1))
    unique = sound(hashed.join(repeated, on="_hash", how="left_anti"), table)
    chosen = kept(hashed.join(repeated, on="_hash", how="left_semi"), table)
    return unique.unionByName(chosen).drop("_hash")
