"""Which open deals need a look, and why: one row per opportunity that is open on the as-of day.

A deal is stalled when it is longer in its stage than nine tenths (the configured share) of the completed visits of its
stage and size were; of its stage alone where those are fewer than min_observations. A flag is null where its evidence is
missing: without any activities nobody can be said to be inactive.
"""

from __future__ import annotations

from datetime import date

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lakehouse.metrics.deal_risk import FLAGS, activity_of, deal_flags, lasting_visits
from lakehouse.metrics.opportunities import visits_of_deals
from lakehouse.metrics.stages import OPEN_STAGES
from lakehouse.pipeline_settings import Pipeline
from lakehouse.rules import Part, Reconciliation
from lakehouse.table import MONEY, Check, Column, Table
from lakehouse.vocabulary import OPPORTUNITY_TYPES, SEGMENTS

table = Table(
    name="gold.deal_risk",
    description=__doc__,
    grain="open opportunity",
    key=("opportunity_id",),
    inputs={
        "opportunities": "silver.opportunities",
        "visits": "silver.opportunity_stages",
        "activities": "silver.activities",
    },
    settings=("as_of", "min_observations", "pipeline", "reporting_currency"),
    foreign_keys={"opportunity_id": "silver.opportunities"},
    columns=(
        Column("opportunity_id", "string", "Open opportunity", nullable=False),
        Column("as_of_date", "date", "Day at whose end it is looked at", nullable=False),
        Column("account_id", "string", "Account that would buy", nullable=False),
        Column("owner_rep_id", "string", "Rep who owns it"),
        Column("opportunity_type", "string", "What kind of business it is", values=OPPORTUNITY_TYPES),
        Column("segment", "string", "Segment of the account; null where it is unknown", values=SEGMENTS),
        Column("region", "string", "Sales region of the account"),
        Column("stage", "string", "Stage", nullable=False, values=OPEN_STAGES),
        Column("deal_size", "string", "Band of arr", nullable=False),
        Column("currency", "string", "Reporting currency, ISO 4217", nullable=False),
        Column("arr", MONEY, "ARR that it would add, or for a renewal keep", nullable=False, minimum=0),
        Column("arr_at_risk", MONEY, "arr where a flag is raised, else 0", nullable=False, minimum=0),
        Column("reasons", "int", "Number of raised flags", nullable=False, minimum=0, maximum=len(FLAGS)),
        Column("evidence", "string", "Why each flag is raised, in words; empty without one", nullable=False),
        *(Column(f"flag_{name}", "boolean", f"{name.replace('_', ' ').capitalize()}") for name in FLAGS),
        Column("created_date", "date", "Day on which it was opened", nullable=False),
        Column("age_days", "int", "Days since then", nullable=False, minimum=0),
        Column("days_in_stage", "double", "Days since it entered the stage; null without a history", minimum=0),
        Column("stalled_after_days", "double", "Days in stage beyond which it is stalled; null without", minimum=0),
        Column("close_date_pushes", "bigint", "How often its close date was moved out", False, minimum=0),
        Column("expected_close_date", "date", "Day on which the rep expects to close"),
        Column("days_overdue", "int", "Days since that day, 0 while it is not over; null without one", minimum=0),
        Column("activities", "bigint", "Activities so far; null without any source", minimum=0),
        Column("activities_30d", "bigint", "Those of the 30 days to the as-of day", minimum=0),
        Column("contacts", "bigint", "Different people in them", minimum=0),
        Column("days_since_last_activity", "int", "Days since the last one; null without one", minimum=0),
    ),
    checks=(
        Check("at_risk_is_all_or_nothing", "arr_at_risk = IF(reasons > 0, arr, 0)"),
        Check("reasons_with_evidence", "(reasons > 0) = (evidence <> '')"),
        Check("recent_are_part_of_all", "activities_30d IS NULL OR activities_30d <= activities"),
        Check("no_more_contacts_than_activities", "contacts IS NULL OR contacts <= activities"),
        Check("a_day_since_some_activity", "(coalesce(activities, 0) = 0) = (days_since_last_activity IS NULL)"),
        Check("age_counts_from_the_opening", "age_days = datediff(as_of_date, created_date)"),
        Check("overdue_is_after_the_day", "days_overdue IS NULL OR (days_overdue > 0) = (expected_close_date < as_of_date)"),
    ),
    audits=(
        Reconciliation(
            "every_open_deal_is_judged",
            "sum(arr)",
            (Part("silver.opportunities", "sum(arr_reporting)", where="is_open"),),
            by=("opportunity_id",),
        ),
        Reconciliation(
            "pushes_are_those_of_the_visits",
            "sum(close_date_pushes)",
            (Part("silver.opportunity_stages", "sum(close_date_pushes)"),),
            by=("opportunity_id",),
            own_groups=True,
        ),
    ),
)  # fmt: skip


def transform(
    *,
    opportunities: DataFrame,
    visits: DataFrame,
    activities: DataFrame,
    as_of: date,
    min_observations: int,
    pipeline: Pipeline,
    reporting_currency: str,
) -> DataFrame:
    is_open = opportunities.filter("is_open")
    way = visits_of_deals(visits, opportunities, pipeline.deal_sizes)
    stays = lasting_visits(way, as_of, pipeline.deal_risk.stalled_quantile, min_observations)
    deals = (
        is_open.join(stays, how="left", on="opportunity_id")
        .join(
            visits.groupBy("opportunity_id").agg(F.sum("close_date_pushes").alias("close_date_pushes")),
            how="left",
            on="opportunity_id",
        )
        .join(_activity(activities, is_open, as_of), how="left", on="opportunity_id")
        .crossJoin(activities.limit(1).agg((F.count("*") > 0).alias("is_activity_known")))
    )
    counts = {
        name: F.when(F.col("is_activity_known"), F.coalesce(name, F.lit(0)))
        for name in ("activities", "activities_30d", "contacts")
    }
    days_since_close_date = F.date_diff(F.lit(as_of), "expected_close_date")
    judged = deals.withColumns(
        {
            **counts,
            "close_date_pushes": F.coalesce("close_date_pushes", F.lit(0)),
            "age_days": F.date_diff(F.lit(as_of), "created_date"),
            "days_overdue": F.when(
                F.col("expected_close_date").isNotNull(), F.greatest(days_since_close_date, F.lit(0))
            ),
        }
    )
    return table.select(
        _with_evidence(judged, pipeline).withColumns(
            {"as_of_date": F.lit(as_of), "currency": F.lit(reporting_currency), "arr": F.col("arr_reporting")}
        )
    )


def _with_evidence(deals: DataFrame, pipeline: Pipeline) -> DataFrame:
    """Add each flag, and over all of them reasons, evidence and arr_at_risk."""
    flags = deal_flags(pipeline.deal_risk)
    flagged = deals.withColumns({f"flag_{name}": flag.is_raised for name, flag in flags.items()})
    raised = (F.coalesce(F.col(f"flag_{name}"), F.lit(False)).cast("int") for name in FLAGS)
    reasons = sum(raised, F.lit(0))
    evidence = (F.when(F.col(f"flag_{name}"), flag.evidence) for name, flag in flags.items())
    return flagged.withColumns(
        {
            "arr_at_risk": F.when(reasons > 0, F.col("arr_reporting")).otherwise(0),
            "reasons": reasons,
            "evidence": F.concat_ws("; ", *evidence),
        }
    )


def _activity(activities: DataFrame, opportunities: DataFrame, as_of: date) -> DataFrame:
    """Return what :func:`activity_of` says of the activities up to the as-of day on ``opportunities``."""
    of_open = activities.join(opportunities.select("opportunity_id"), how="left_semi", on="opportunity_id")
    return activity_of(of_open, as_of)


if __name__ == "__main__":
    from lakehouse.submit import submit

    submit(table)
