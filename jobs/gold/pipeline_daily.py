"""The open pipeline as it stood at the close of each day: one row per day and group of opportunities.

Rebuilt from the stage history: a day shows what was known on it, whatever came later. Groups are the kind of business,
stage, segment, rep, expected month of closing and age.
"""

from __future__ import annotations

from datetime import date

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lakehouse.metrics.bands import band
from lakehouse.metrics.breakdown import UNKNOWN
from lakehouse.metrics.pipeline import of_opportunities
from lakehouse.metrics.stages import OPEN_STAGES
from lakehouse.pipeline_settings import Pipeline
from lakehouse.rules import Part, Reconciliation
from lakehouse.table import MONEY, Check, Column, Table

GROUP = ("date", "opportunity_type", "stage", "segment", "rep_id", "expected_close_month", "age_band")

table = Table(
    name="gold.pipeline_daily",
    description=__doc__,
    grain="day × opportunity type × stage × segment × rep × expected month × age",
    key=GROUP,
    inputs={"states": "silver.opportunity_states", "opportunities": "silver.opportunities"},
    settings=("as_of", "reporting_currency", "pipeline"),
    columns=(
        Column("date", "date", "Day at whose close it is measured", nullable=False),
        Column("quarter", "date", "First day of the calendar quarter of the day", nullable=False),
        Column("opportunity_type", "string", "What kind of business it is", nullable=False),
        Column("stage", "string", "Open stage", nullable=False, values=OPEN_STAGES),
        Column("segment", "string", "Segment of the account", nullable=False),
        Column("rep_id", "string", "Owner then", nullable=False),
        Column("expected_close_month", "string", "Month in which the owner expected to close, as 2026-03", False),
        Column("age_band", "string", "Band of the days since it was opened", nullable=False),
        Column("currency", "string", "Reporting currency, ISO 4217", nullable=False),
        Column("opportunities", "bigint", "Open opportunities", nullable=False, minimum=1),
        Column("open_arr", MONEY, "Their ARR as it was put then", nullable=False, minimum=0),
        Column("weighted_arr", MONEY, "Σ ARR × the rep's probability then", nullable=False, minimum=0),
    ),
    checks=(
        Check("weighted_is_no_more_than_all", "weighted_arr <= open_arr + 0.01"),
        Check("quarter_is_that_of_the_day", "quarter = trunc(date, 'quarter')"),
    ),
    audits=(
        Reconciliation(
            "the_last_day_is_the_open_pipeline",
            "sum(open_arr)",
            (Part("silver.opportunity_states", "sum(arr_reporting)", where="is_open AND valid_to_at IS NULL"),),
            where="date = :as_of",
        ),
    ),
)


def transform(
    states: DataFrame, opportunities: DataFrame, as_of: date, reporting_currency: str, pipeline: Pipeline
) -> DataFrame:
    last_date = F.coalesce(F.date_sub("valid_to_date", 1), F.lit(as_of))
    held = of_opportunities(states.filter("is_open"), opportunities).filter(last_date >= F.col("valid_from_date"))
    daily = held.withColumn("date", F.explode(F.sequence("valid_from_date", last_date)))
    weighted = F.col("arr_reporting") * F.coalesce("rep_probability", F.lit(0.0)).cast("decimal(9,6)")
    grouped = daily.withColumns(
        {
            "expected_close_month": F.coalesce(F.date_format("expected_close_date", "yyyy-MM"), F.lit(UNKNOWN)),
            "age_band": band(F.date_diff("date", "opened_date"), pipeline.age_bands_days),
        }
    ).groupBy(*GROUP)
    return table.select(
        grouped.agg(
            F.count("*").alias("opportunities"),
            F.sum("arr_reporting").alias("open_arr"),
            F.sum(weighted).alias("weighted_arr"),
        ).withColumns({"quarter": F.trunc("date", "quarter"), "currency": F.lit(reporting_currency)})
    )


if __name__ == "__main__":
    from lakehouse.submit import submit

    submit(table)
