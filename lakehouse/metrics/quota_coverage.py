"""What there is to sell, is sold and is open in each week of a quarter."""

from __future__ import annotations

from datetime import date

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lakehouse.metrics.sales import quarter_end

WEEKS = 14
"""The most weeks that a quarter can have begun: thirteen and a day or two."""


def quota_won_and_open(
    weeks: DataFrame, quotas: DataFrame, won: DataFrame, opportunities: DataFrame, pipeline_daily: DataFrame
) -> DataFrame:
    """One row per week and quota, win so far, or group of the pipeline then: rep_id and an amount.

    ``weeks`` are those of :func:`weeks_of_quotas`, ``won`` the rows of :func:`lakehouse.metrics.pipeline.wins`; amounts
    are quota_arr, won_arr, open_arr and weighted_arr, each null in the rows of the others.
    """
    new_business = F.broadcast(opportunities.filter("opportunity_type = 'new_business'"))
    won_arr = won.join(new_business, "opportunity_id", "left_semi").select(
        "rep_id", F.col("valid_from_date").alias("won_date"), F.col("arr_reporting").alias("won_arr")
    )
    is_won_so_far = (F.col("won_date") >= F.col("quarter")) & (F.col("won_date") <= F.col("date"))
    last_month = F.date_format(F.add_months("week.quarter", 2), "yyyy-MM")
    is_open_then = (F.col("day.date") == F.col("week.date")) & (F.col("day.expected_close_month") <= last_month)
    open_then = (
        pipeline_daily.filter("opportunity_type = 'new_business'")
        .alias("day")
        .join(F.broadcast(weeks.alias("week")), on=is_open_then, how="inner")
        .select("week.*", "day.rep_id", "day.open_arr", "day.weighted_arr")
    )
    return (
        weeks.join(quotas.drop("currency"), on="quarter", how="inner")
        .unionByName(weeks.join(won_arr, on=is_won_so_far, how="inner").drop("won_date"), allowMissingColumns=True)
        .unionByName(open_then, allowMissingColumns=True)
    )


def weeks_of_quotas(quotas: DataFrame, as_of: date) -> DataFrame:
    """One row per quarter with quotas and week that has begun: quarter, week_of_quarter, date."""
    week = F.explode(F.sequence(F.lit(1), F.lit(WEEKS))).alias("week_of_quarter")
    eve = F.date_add("quarter", 7 * (F.col("week_of_quarter") - 1) - 1)
    return (
        quotas.select("quarter").distinct().select("quarter", week).withColumn("date", eve)
        .filter((F.col("date") <= F.lit(as_of)) & (F.col("date") < quarter_end(F.col("quarter"))))
    )  # fmt: skip
