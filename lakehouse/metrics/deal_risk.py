"""Flags that an open opportunity may be lost or late, with the evidence of each."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta

from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql.window import Window

from lakehouse.metrics.breakdown import ALL, with_totals
from lakehouse.metrics.churn_risk import Flag
from lakehouse.metrics.moments import days_between
from lakehouse.pipeline_settings import DealRisk

FLAGS = ("stalled", "inactive", "pushed", "single_contact", "overdue")


def deal_flags(thresholds: DealRisk) -> Mapping[str, Flag]:
    """Return the flags, by name in the order of ``FLAGS``, over a row with the evidence of gold.deal_risk.

    A flag is null where what it rests on is.
    """
    is_active_known = F.col("activities").isNotNull()
    quiet_days = F.when(is_active_known, F.coalesce("days_since_last_activity", "age_days"))
    flags = (
        Flag(
            F.col("days_in_stage") > F.col("stalled_after_days"),
            F.format_string("%.0f days in %s, usual are up to %.0f", "days_in_stage", "stage", "stalled_after_days"),
        ),
        Flag(quiet_days >= thresholds.no_activity_days, F.format_string("no activity for %d days", quiet_days)),
        Flag(
            F.col("close_date_pushes") >= thresholds.pushes,
            F.format_string("close date moved out %d times", "close_date_pushes"),
        ),
        Flag(F.col("contacts") == 1, F.lit("one contact only")),
        Flag(F.col("days_overdue") > 0, F.format_string("days past its close date: %d", "days_overdue")),
    )
    return dict(zip(FLAGS, flags, strict=True))


def lasting_visits(visits: DataFrame, as_of: date, quantile: float, min_observations: int) -> DataFrame:
    """Return days_in_stage and stalled_after_days: one row per opportunity that is in one of the stages visited.

    ``visits`` are those of :func:`lakehouse.metrics.opportunities.visits_of_deals`; days run to the end of ``as_of``.
    stalled_after_days is the quantile of the days of the visits to the stage by deals of the size that have ended; of
    those of every size where the size has fewer than ``min_observations``, null where the stage has fewer too.
    """
    measured = (
        with_totals(visits, ("deal_size",))
        .groupBy("stage", "deal_size")
        .agg(F.count("days_in_stage").alias("_ended"), F.percentile("days_in_stage", quantile).alias("_days"))
    )
    enough = F.when(F.col("_ended") >= min_observations, F.col("_days"))
    of_stage = F.max(F.when(F.col("deal_size") == ALL, enough)).over(Window.partitionBy("stage"))
    usual = measured.select("stage", "deal_size", F.coalesce(enough, of_stage).alias("stalled_after_days"))
    end = F.lit(as_of + timedelta(days=1)).cast("timestamp")
    days = days_between(F.col("entered_at"), end)
    lasting = visits.filter(F.col("left_at").isNull())
    return lasting.join(F.broadcast(usual), how="left", on=["stage", "deal_size"]).select(
        "opportunity_id", days.alias("days_in_stage"), "stalled_after_days"
    )


def activity_of(activities: DataFrame, as_of: date) -> DataFrame:
    """Return activities, activities_30d, contacts and days_since_last_activity: one row per opportunity with any.

    ``activities`` reach no further than ``as_of``, the last of the 30 days.
    """
    days_ago = F.date_diff(F.lit(as_of), F.to_date("occurred_at"))
    return activities.groupBy("opportunity_id").agg(
        F.count("*").alias("activities"),
        F.count_if(days_ago < 30).alias("activities_30d"),
        F.size(F.collect_set("contact_id")).alias("contacts"),
        F.min(days_ago).alias("days_since_last_activity"),
    )
