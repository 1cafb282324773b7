"""How long opportunities stay in a stage, and how they leave it: one row per opportunity type, deal size and stage.

Days are those of completed visits; open ones are counted apart, since they are longer in the end than they are now.
``all`` stands for every type or size; the size is that of the ARR on entering the stage.
"""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lakehouse.metrics.breakdown import ALL, UNKNOWN, with_totals
from lakehouse.metrics.opportunities import visits_of_deals
from lakehouse.metrics.ratios import safe_ratio, wilson_interval
from lakehouse.metrics.stages import LOST, OPEN_STAGES, stage_rank
from lakehouse.pipeline_settings import Pipeline
from lakehouse.rules import Part, Reconciliation
from lakehouse.table import Check, Column, Table
from lakehouse.vocabulary import OPPORTUNITY_TYPES

GROUP = ("opportunity_type", "deal_size", "stage")
QUANTILES = {"median_days": 0.5, "p75_days": 0.75, "p90_days": 0.9}

table = Table(
    name="gold.stage_dynamics",
    description=__doc__,
    grain="opportunity type × deal size × stage",
    key=GROUP,
    inputs={"visits": "silver.opportunity_stages", "opportunities": "silver.opportunities"},
    settings=("min_observations", "pipeline"),
    columns=(
        Column("opportunity_type", "string", "Kind of business, or all", False, (ALL, UNKNOWN, *OPPORTUNITY_TYPES)),
        Column("deal_size", "string", "Band of the ARR on entering, or all", nullable=False),
        Column("stage", "string", "Open stage", nullable=False, values=OPEN_STAGES),
        Column("opportunities", "bigint", "Opportunities that were in it, by their first visit", False, minimum=0),
        Column("visits", "bigint", "Visits to the stage", nullable=False, minimum=1),
        Column("completed_visits", "bigint", "Visits that have ended", nullable=False, minimum=0),
        Column("open_visits", "bigint", "Visits that last", nullable=False, minimum=0),
        Column("is_small", "boolean", "Fewer completed visits than min_observations", nullable=False),
        Column("median_days", "double", "Median days of a completed visit; null without one", minimum=0),
        Column("p75_days", "double", "Days that three quarters of them do not exceed", minimum=0),
        Column("p90_days", "double", "Days that nine tenths of them do not exceed", minimum=0),
        Column("mean_days", "double", "Mean days of a completed visit", minimum=0),
        Column("variance_days", "double", "Sample variance of the days; null with fewer than two visits", minimum=0),
        Column("advanced", "bigint", "Left for a later stage, or won", nullable=False, minimum=0),
        Column("skipped", "bigint", "Those of them that left past an open stage", nullable=False, minimum=0),
        Column("regressed", "bigint", "Left for an earlier open stage", nullable=False, minimum=0),
        Column("lost", "bigint", "Left lost", nullable=False, minimum=0),
        Column("reentries", "bigint", "Visits to a stage that the opportunity had been in before", False, minimum=0),
        Column("reopenings", "bigint", "Visits that began with a closed opportunity", nullable=False, minimum=0),
        Column("reentry_rate", "double", "reentries ÷ visits", False, minimum=0, maximum=1),
        Column("reentry_rate_low", "double", "Lower 95 % bound (Wilson)", False, minimum=0, maximum=1),
        Column("reentry_rate_high", "double", "Upper 95 % bound (Wilson)", False, minimum=0, maximum=1),
    ),
    checks=(
        Check("a_visit_has_ended_or_lasts", "visits = completed_visits + open_visits"),
        Check("who_left_advanced_regressed_or_was_lost", "completed_visits = advanced + regressed + lost"),
        Check("who_skips_advances", "skipped <= advanced"),
        Check("a_visit_is_the_first_or_a_reentry", "visits = opportunities + reentries"),
        Check("days_where_a_visit_has_ended", "(median_days IS NULL) = (completed_visits = 0)"),
        Check("quantiles_ascend", "median_days IS NULL OR median_days <= p75_days AND p75_days <= p90_days"),
        Check("variance_from_two_on", "(variance_days IS NULL) = (completed_visits < 2)"),
    ),
    audits=(
        Reconciliation(
            "every_visit_is_counted",
            "sum(visits)",
            (Part("silver.opportunity_stages", "count(*)", where="stage NOT LIKE 'closed%'"),),
            by=("stage",),
            where="opportunity_type = 'all' AND deal_size = 'all'",
        ),
        Reconciliation(
            "days_add_up_to_those_of_the_visits",
            "sum(mean_days * completed_visits)",
            (Part("silver.opportunity_stages", "sum(days_in_stage)", where="stage NOT LIKE 'closed%'"),),
            by=("stage",),
            where="opportunity_type <> 'all' AND deal_size <> 'all'",
            tolerance=0.01,
        ),
    ),
)  # fmt: skip


def transform(visits: DataFrame, opportunities: DataFrame, min_observations: int, pipeline: Pipeline) -> DataFrame:
    steps = stage_rank(F.col("next_stage")) - stage_rank(F.col("stage"))
    is_lost = F.col("next_stage") == LOST
    is_past_an_open_stage = (steps > 1) & F.col("next_stage").isin(*OPEN_STAGES)
    deals = visits_of_deals(visits, opportunities, pipeline.deal_sizes)
    measured = (
        with_totals(deals, ("opportunity_type", "deal_size"))
        .groupBy(*GROUP)
        .agg(
            F.count_if(~F.col("is_reentry")).alias("opportunities"),
            F.count("*").alias("visits"),
            F.count("left_at").alias("completed_visits"),
            F.percentile("days_in_stage", F.array(*map(F.lit, QUANTILES.values()))).alias("quantiles"),
            F.avg("days_in_stage").alias("mean_days"),
            F.var_samp("days_in_stage").alias("variance_days"),
            F.count_if((steps > 0) & ~is_lost).alias("advanced"),
            F.count_if(is_past_an_open_stage).alias("skipped"),
            F.count_if(steps < 0).alias("regressed"),
            F.count_if(is_lost).alias("lost"),
            F.count_if("is_reentry").alias("reentries"),
            F.count_if("is_reopening").alias("reopenings"),
        )
    )
    reentry = F.col("reentries"), F.col("visits")
    low, high = wilson_interval(*reentry)
    return table.select(
        measured.withColumns(
            {
                **{name: F.get("quantiles", position) for position, name in enumerate(QUANTILES)},
                "open_visits": F.col("visits") - F.col("completed_visits"),
                "is_small": F.col("completed_visits") < min_observations,
                "reentry_rate": safe_ratio(*reentry),
                "reentry_rate_low": low,
                "reentry_rate_high": high,
            }
        )
    )


if __name__ == "__main__":
    from lakehouse.submit import submit

    submit(table)
