"""Whether a quarter's open pipeline covers what is missing from its quota: one row per quarter, week, dimension and value.

Of new business, for which quotas are set, at the close of the day before each week of the quarter. Regions and reps are
those of the AEs. The pipeline is what is open and expected to close by the quarter's end.
"""

from __future__ import annotations

from datetime import date

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lakehouse.metrics.breakdown import by_dimension
from lakehouse.metrics.pipeline import wins
from lakehouse.metrics.quota_coverage import WEEKS, quota_won_and_open, weeks_of_quotas
from lakehouse.metrics.ratios import safe_ratio
from lakehouse.pipeline_settings import Pipeline
from lakehouse.table import MONEY, Check, Column, Table

DIMENSIONS = {"all": (), "region": ("region",), "rep": ("rep_id",)}
GROUP = ("quarter", "week_of_quarter", "dimension", "dimension_value")
AMOUNTS = ("quota_arr", "won_arr", "open_arr", "weighted_arr")

table = Table(
    name="gold.pipeline_coverage",
    description=__doc__,
    grain="quarter × week × dimension × value",
    key=GROUP,
    inputs={
        "pipeline_daily": "gold.pipeline_daily",
        "states": "silver.opportunity_states",
        "opportunities": "silver.opportunities",
        "quotas": "silver.quotas",
        "sales_reps": "silver.sales_reps",
    },
    settings=("as_of", "reporting_currency", "pipeline"),
    columns=(
        Column("quarter", "date", "First day of the calendar quarter", nullable=False),
        Column("week_of_quarter", "int", "Week that begins after the day, from 1", False, minimum=1, maximum=WEEKS),
        Column("date", "date", "Day at whose close it is measured: the eve of the week", nullable=False),
        Column("dimension", "string", "What AEs are grouped by", nullable=False, values=tuple(DIMENSIONS)),
        Column("dimension_value", "string", "Value", nullable=False),
        Column("currency", "string", "Reporting currency, ISO 4217", nullable=False),
        Column("quota_arr", MONEY, "What is to be won in the quarter; null without a quota", minimum=0),
        Column("won_arr", MONEY, "Won in the quarter so far", nullable=False, minimum=0),
        Column("remaining_quota_arr", MONEY, "What is missing; 0 when more was won", minimum=0),
        Column("open_arr", MONEY, "Open and expected to close by the quarter's end", nullable=False, minimum=0),
        Column("weighted_arr", MONEY, "The same × the reps' probabilities", nullable=False, minimum=0),
        Column("coverage_ratio", "double", "open_arr ÷ remaining_quota_arr", minimum=0),
        Column("target_ratio", "double", "Coverage that is aimed at", nullable=False),
        Column("is_covered", "boolean", "At least the target, or nothing is missing; null without a quota"),
        Column(
            "coverage_status",
            "string",
            "quota_met: nothing is missing, so that there is no ratio",
            nullable=False,
            values=("ok", "quota_met", "no_quota"),
        ),
    ),
    checks=(
        Check("ratio_when_ok", "(coverage_status = 'ok') = (coverage_ratio IS NOT NULL)"),
        Check("missing_is_quota_less_won", "remaining_quota_arr <=> greatest(quota_arr - won_arr, 0 * quota_arr)"),
        Check("covered_or_not_with_a_quota", "(is_covered IS NULL) = (quota_arr IS NULL)"),
    ),
)


def transform(
    *,
    pipeline_daily: DataFrame,
    states: DataFrame,
    opportunities: DataFrame,
    quotas: DataFrame,
    sales_reps: DataFrame,
    as_of: date,
    reporting_currency: str,
    pipeline: Pipeline,
) -> DataFrame:
    parts = quota_won_and_open(weeks_of_quotas(quotas, as_of), quotas, wins(states), opportunities, pipeline_daily)
    of_reps = parts.join(F.broadcast(sales_reps.select("rep_id", "region")), on="rep_id", how="left")
    found = (
        by_dimension(of_reps, DIMENSIONS)
        .groupBy(*GROUP, "date")
        .agg(
            F.sum("quota_arr").alias("quota_arr"),
            *(F.coalesce(F.sum(name), F.lit(0)).alias(name) for name in AMOUNTS[1:]),
        )
    )
    remaining = F.greatest(F.col("quota_arr") - F.col("won_arr"), F.lit(0))
    status = F.when(F.isnull("quota_arr"), "no_quota").when(remaining == 0, "quota_met").otherwise("ok")
    ratio = F.when(remaining > 0, safe_ratio(F.col("open_arr"), remaining))
    return table.select(
        found.withColumns(
            {
                "currency": F.lit(reporting_currency),
                "remaining_quota_arr": F.when(F.col("quota_arr").isNotNull(), remaining),
                "coverage_ratio": F.when(F.col("quota_arr").isNotNull(), ratio),
                "target_ratio": F.lit(pipeline.coverage_target),
                "coverage_status": status,
                "is_covered": F.when(status == "ok", ratio >= pipeline.coverage_target).when(
                    status == "quota_met", True
                ),
            }
        )
    )


if __name__ == "__main__":
    from lakehouse.submit import submit

    submit(table)
