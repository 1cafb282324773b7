"""The way of opportunities through their stages: one row per opportunity and visit to a stage.

Changes of amount, date, owner or probability alone make no visit. A closed stage is one too; its visit ends when the
opportunity is opened again.
"""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql.window import Window

from lakehouse.metrics.moments import days_between
from lakehouse.metrics.stages import is_open, stage_rank
from lakehouse.rules import Part, Reconciliation
from lakehouse.table import MONEY, Check, Column, Table
from lakehouse.vocabulary import STAGES

table = Table(
    name="silver.opportunity_stages",
    description=__doc__,
    grain="opportunity × visit to a stage",
    key=("opportunity_id", "visit_number"),
    inputs={"states": "silver.opportunity_states"},
    foreign_keys={"opportunity_id": "silver.opportunities"},
    may_be_orphans=("opportunity_id",),
    columns=(
        Column("opportunity_id", "string", "Opportunity", nullable=False),
        Column("visit_number", "int", "Which of the opportunity's visits it is, from 1", False, minimum=1),
        Column("stage", "string", "Stage that is visited", nullable=False, values=STAGES),
        Column("stage_visit_number", "int", "Which of the visits to this stage it is, from 1", False, minimum=1),
        Column("previous_stage", "string", "Stage before; null for the first visit", values=STAGES),
        Column("next_stage", "string", "Stage after; null while it lasts", values=STAGES),
        Column("entered_at", "timestamp", "When it was entered", nullable=False),
        Column("left_at", "timestamp", "When it was left; null while it lasts"),
        Column("days_in_stage", "double", "Days from entering to leaving; null while it lasts", minimum=0),
        Column("direction", "string", "Nearer to the end or not", nullable=False, values=("forward", "backward")),
        Column("is_reentry", "boolean", "The stage was visited before", nullable=False),
        Column("is_reopening", "boolean", "From a closed stage to an open one", nullable=False),
        Column("is_skip", "boolean", "Forward past an open stage", nullable=False),
        Column("arr_reporting", MONEY, "ARR on entering, in the reporting currency", nullable=False, minimum=0),
        Column("close_date_pushes", "int", "How often the close date was moved out in it", False, minimum=0),
    ),
    checks=(
        Check("left_after_entering", "left_at IS NULL OR left_at >= entered_at"),
        Check("days_when_left", "(left_at IS NULL) = (days_in_stage IS NULL)"),
        Check("next_when_left", "(left_at IS NULL) = (next_stage IS NULL)"),
        Check("the_first_has_nothing_before", "(visit_number = 1) = (previous_stage IS NULL)"),
        Check("a_visit_changes_the_stage", "previous_stage IS NULL OR previous_stage <> stage"),
        Check("a_second_visit_is_a_reentry", "is_reentry = (stage_visit_number > 1)"),
        Check("opened_again_is_backward", "NOT is_reopening OR direction = 'backward'"),
        Check("skipped_is_forward", "NOT is_skip OR direction = 'forward'"),
    ),
    audits=(
        Reconciliation(
            "every_push_is_in_a_visit",
            "sum(close_date_pushes)",
            (Part("silver.opportunity_states", "count_if(is_push)"),),
            by=("opportunity_id",),
        ),
        Reconciliation(
            "every_change_of_stage_is_a_visit",
            "count(*)",
            (Part("silver.opportunity_states", "count(*)", where="stage IS DISTINCT FROM previous_stage"),),
            by=("opportunity_id",),
        ),
    ),
)


def transform(states: DataFrame) -> DataFrame:
    begins = ~F.col("stage").eqNullSafe(F.col("previous_stage"))
    changes = Window.partitionBy("opportunity_id").orderBy("change_number")
    visits = (
        states.withColumn("visit_number", F.sum(begins.cast("int")).over(changes))
        .groupBy("opportunity_id", "visit_number")
        .agg(
            F.min_by(F.struct("stage", "previous_stage", "valid_from_at", "arr_reporting"), "change_number").alias(
                "_first"
            ),
            F.count_if("is_push").alias("close_date_pushes"),
        )
        .select("opportunity_id", "visit_number", "close_date_pushes", "_first.*")
    )
    one = Window.partitionBy("opportunity_id").orderBy("visit_number")
    to_stage = Window.partitionBy("opportunity_id", "stage").orderBy("visit_number")
    was_closed = ~is_open(F.col("previous_stage"))
    steps = stage_rank(F.col("stage")) - F.when(was_closed, 99).otherwise(stage_rank(F.col("previous_stage")))
    steps = F.coalesce(steps, F.lit(1))
    left_at = F.lead("valid_from_at").over(one)
    return table.select(
        visits.withColumns(
            {
                "entered_at": F.col("valid_from_at"),
                "left_at": left_at,
                "next_stage": F.lead("stage").over(one),
                "days_in_stage": days_between(F.col("valid_from_at"), left_at),
                "stage_visit_number": F.row_number().over(to_stage),
                "direction": F.when(steps > 0, "forward").otherwise("backward"),
                "is_reopening": F.coalesce(was_closed, F.lit(False)),
                "is_skip": (steps > 1) & is_open(F.col("stage")),
            }
        ).withColumn("is_reentry", F.col("stage_visit_number") > 1)
    )


if __name__ == "__main__":
    from lakehouse.submit import submit

    submit(table)
