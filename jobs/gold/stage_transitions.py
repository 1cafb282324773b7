"""Where opportunities go from a stage: one row per opportunity type, deal size, stage and stage that may follow.

Of visits that have ended and were entered at least 90 days before the as-of day: of younger ones only the quick would
count. The closed stages are absorbing, nothing leads out of them; an opportunity that is opened again begins another
way, which gold.stage_dynamics counts under ``reopenings``. ``all`` stands for every type or size.
"""

from __future__ import annotations

from datetime import date

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lakehouse.metrics.breakdown import ALL, UNKNOWN, with_totals
from lakehouse.metrics.opportunities import visits_of_deals
from lakehouse.metrics.ratios import safe_ratio, wilson_interval
from lakehouse.metrics.stages import OPEN_STAGES, stage_rank
from lakehouse.pipeline_settings import Pipeline
from lakehouse.rules import Part, Reconciliation
from lakehouse.table import Check, Column, Table
from lakehouse.vocabulary import OPPORTUNITY_TYPES, STAGES

FOLLOWED_DAYS = 90

GROUP = ("opportunity_type", "deal_size", "from_stage")

table = Table(
    name="gold.stage_transitions",
    description=__doc__,
    grain="opportunity type × deal size × stage × next stage",
    key=(*GROUP, "to_stage"),
    inputs={"visits": "silver.opportunity_stages", "opportunities": "silver.opportunities"},
    settings=("as_of", "min_observations", "pipeline"),
    columns=(
        Column("opportunity_type", "string", "Kind of business, or all", False, (ALL, UNKNOWN, *OPPORTUNITY_TYPES)),
        Column("deal_size", "string", "Band of the ARR on entering from_stage, or all", nullable=False),
        Column("from_stage", "string", "Open stage that is left", nullable=False, values=OPEN_STAGES),
        Column("to_stage", "string", "Stage that follows", nullable=False, values=STAGES),
        Column("transitions", "bigint", "Visits to from_stage that to_stage followed", nullable=False, minimum=0),
        Column("visits_left", "bigint", "Visits to from_stage that have ended", nullable=False, minimum=1),
        Column("probability", "double", "transitions ÷ visits_left", nullable=False, minimum=0, maximum=1),
        Column("probability_low", "double", "Lower 95 % bound (Wilson)", nullable=False, minimum=0, maximum=1),
        Column("probability_high", "double", "Upper 95 % bound (Wilson)", nullable=False, minimum=0, maximum=1),
        Column("is_small", "boolean", "Fewer visits than min_observations", nullable=False),
        Column("is_regression", "boolean", "Leads to an earlier stage", nullable=False),
        Column("is_skip", "boolean", "Leads forward past an open stage to another", nullable=False),
        Column("median_days", "double", "Median days in from_stage of who took this way; null for nobody", minimum=0),
    ),
    checks=(
        Check("no_more_go_than_leave", "transitions <= visits_left"),
        Check("probability_within_its_bounds", "probability BETWEEN probability_low AND probability_high"),
        Check("goes_to_another_stage", "from_stage <> to_stage"),
        Check("who_skips_goes_forward", "NOT (is_skip AND is_regression)"),
        Check("days_where_somebody_went", "(median_days IS NULL) = (transitions = 0)"),
    ),
    audits=(
        Reconciliation(
            "probabilities_add_up_to_one", "abs(sum(probability) - 1)", (), by=GROUP, tolerance=1e-6
        ),
        Reconciliation(
            "who_goes_somewhere_has_left", "sum(transitions) - max(visits_left)", (), by=GROUP
        ),
        Reconciliation(
            "every_visit_that_was_followed_is_counted",
            "sum(transitions)",
            (
                Part(
                    "silver.opportunity_stages",
                    "count(left_at)",
                    where=f"stage NOT LIKE 'closed%' AND CAST(entered_at AS DATE) <= :as_of - {FOLLOWED_DAYS}",
                ),
            ),
            where="opportunity_type = 'all' AND deal_size = 'all'",
        ),
    ),
)  # fmt: skip


def transform(
    visits: DataFrame, opportunities: DataFrame, as_of: date, min_observations: int, pipeline: Pipeline
) -> DataFrame:
    is_followed = F.to_date("entered_at") <= F.date_sub(F.lit(as_of), FOLLOWED_DAYS)
    left = visits.filter(is_followed & F.col("left_at").isNotNull())
    deals = visits_of_deals(left, opportunities, pipeline.deal_sizes).withColumnRenamed("stage", "from_stage")
    groups = with_totals(deals, ("opportunity_type", "deal_size")).groupBy(*GROUP)
    # One column per stage that may follow, so that ways which nobody took are rows too.
    ways = [
        F.struct(
            F.lit(stage).alias("to_stage"),
            F.count_if(F.col("next_stage") == stage).alias("transitions"),
            F.median(F.when(F.col("next_stage") == stage, F.col("days_in_stage"))).alias("median_days"),
        )
        for stage in STAGES
    ]
    matrix = (
        groups.agg(F.count("*").alias("visits_left"), F.array(*ways).alias("_ways"))
        .select("*", F.inline("_ways"))
        .filter(F.col("from_stage") != F.col("to_stage"))
    )
    share = F.col("transitions"), F.col("visits_left")
    low, high = wilson_interval(*share)
    steps = stage_rank(F.col("to_stage")) - stage_rank(F.col("from_stage"))
    return table.select(
        matrix.withColumns(
            {
                "probability": safe_ratio(*share),
                "probability_low": low,
                "probability_high": high,
                "is_small": F.col("visits_left") < min_observations,
                "is_regression": steps < 0,
                "is_skip": (steps > 1) & F.col("to_stage").isin(*OPEN_STAGES),
            }
        )
    )


if __name__ == "__main__":
    from lakehouse.submit import submit

    submit(table)
