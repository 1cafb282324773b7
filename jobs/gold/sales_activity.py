"""How much sales works on its deals and how steadily: one row per opportunity type, outcome and segment.

An open week is seven days of a deal's time from opening to closing, to the end of the as-of day while it is open; a deal
that was opened again lasts from its first opening to its last close. Only activities in that time count, others with a
deal stand apart. Gaps are those between consecutive activities of a deal, and of a deal with one contact; deals without
an activity have no first one, so that its median is of the others. ``all`` stands for every type, outcome or segment.
"""

from __future__ import annotations

from datetime import date

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lakehouse.metrics.breakdown import ALL, UNKNOWN, with_totals
from lakehouse.metrics.ratios import safe_ratio
from lakehouse.metrics.sales_activity import BY, MICROSECONDS_PER_WEEK, OUTCOMES, activity_steps, timed_deals
from lakehouse.rules import Part, Reconciliation
from lakehouse.table import Check, Column, Table
from lakehouse.vocabulary import ACTIVITY_TYPES, OPPORTUNITY_TYPES, SEGMENTS

OF_TYPE = {f"{activity_type}s": activity_type for activity_type in ACTIVITY_TYPES}
COUNTS = ("activities", *OF_TYPE, "deals_with_activity", "contacts", "contact_activities", "activities_outside")
RATIOS = {
    "activities_per_deal": ("activities", "deals"),
    "activities_per_deal_week": ("activities", "open_weeks"),
    "contacts_per_deal": ("contacts", "deals"),
    "activities_per_contact": ("contact_activities", "contacts"),
}
# Each duration with its count of observations and the quantiles that are given of it.
DURATIONS = {
    "days_between_activities": ("activity_gaps", {"median": 0.5, "p90": 0.9}),
    "days_between_contact_activities": ("contact_gaps", {"median": 0.5}),
    "days_to_first_activity": ("first_activities", {"median": 0.5}),
}

table = Table(
    name="gold.sales_activity",
    description=__doc__,
    grain="opportunity type × outcome × segment",
    key=BY,
    inputs={"opportunities": "silver.opportunities", "activities": "silver.activities"},
    settings=("as_of", "min_observations"),
    columns=(
        Column("opportunity_type", "string", "Kind of business, or all", False, (ALL, UNKNOWN, *OPPORTUNITY_TYPES)),
        Column("outcome", "string", "What became of the deal by the as-of day, or all", False, (ALL, *OUTCOMES)),
        Column("segment", "string", "Segment of the account, or all", False, (ALL, UNKNOWN, *SEGMENTS)),
        Column("deals", "bigint", "Deals; without those that closed at an unknown moment", False, minimum=1),
        Column("open_weeks", "double", "Weeks that they were open, together", nullable=False, minimum=0),
        Column("activity_status", "string", "no_data: nobody recorded any activity, so that its counts are null", False,
               values=("ok", "no_data")),
        Column("deals_with_activity", "bigint", "Deals with an activity while they were open", minimum=0),
        Column("activities", "bigint", "Activities while the deals were open", minimum=0),
        *(Column(name, "bigint", f"Those that are a {kind}", minimum=0) for name, kind in OF_TYPE.items()),
        Column("activities_outside", "bigint", "Activities before a deal was opened or after it closed", minimum=0),
        Column("contacts", "bigint", "People in the activities, each once per deal", minimum=0),
        Column("contact_activities", "bigint", "Activities with a known person", minimum=0),
        *(
            Column(name, "double", f"{above} ÷ {below}; null without {below}", minimum=0)
            for name, (above, below) in RATIOS.items()
        ),
        *(
            column
            for name, (count, quantiles) in DURATIONS.items()
            for column in (
                Column(count, "bigint", f"Number of {name}", minimum=0),
                *(Column(f"{quantile}_{name}", "double", f"{quantile} of {name}, interpolated", minimum=0)
                  for quantile in quantiles),
                Column(f"{name}_status", "string", f"Why it is null: too_few {count} for min_observations, or no_data",
                       False, values=("ok", "too_few", "no_data")),
            )
        ),
    ),
    checks=(
        Check("counts_where_activity_is_known", "(activity_status = 'ok') = (activities IS NOT NULL)"),
        Check("no_more_of_the_types_than_all", f"activities IS NULL OR {' + '.join(OF_TYPE)} <= activities"),
        Check("an_activity_is_the_first_or_after_a_gap", "activities <=> deals_with_activity + activity_gaps"),
        Check("a_contact_is_new_or_after_a_gap", "contact_activities <=> contacts + contact_gaps"),
        Check("no_more_with_a_person_than_all", "activities IS NULL OR contact_activities <= activities"),
        Check("no_more_with_activity_than_deals", "activities IS NULL OR deals_with_activity <= deals"),
        Check("each_such_deal_has_a_first_activity", "deals_with_activity <=> first_activities"),
        *(Check(f"{name}_or_status", f"({name}_status = 'ok') = (median_{name} IS NOT NULL)") for name in DURATIONS),
        Check("quantiles_ascend",
              "median_days_between_activities IS NULL OR median_days_between_activities <= p90_days_between_activities"),
    ),
    audits=(
        Reconciliation(
            "every_deal_is_counted",
            "sum(deals)",
            (Part("silver.opportunities", "count(*)", where="is_open OR closed_at IS NOT NULL"),),
            where="opportunity_type = 'all' AND outcome = 'all' AND segment = 'all'",
        ),
        Reconciliation(
            "outcomes_have_every_activity",
            "sum(IF(outcome = 'all', 1, -1) * (activities + activities_outside))",
            (),
            by=("opportunity_type", "segment"),
        ),
        Reconciliation(
            "open_deals_have_the_activities_of_their_risk",
            "sum(activities + activities_outside)",
            (Part("gold.deal_risk", "sum(activities)"),),
            where="opportunity_type = 'all' AND outcome = 'open' AND segment = 'all'",
        ),
    ),
)  # fmt: skip


def transform(opportunities: DataFrame, activities: DataFrame, as_of: date, min_observations: int) -> DataFrame:
    deals = timed_deals(opportunities, as_of)
    # An activity has an outcome of its own.
    of_deals = activities.drop("outcome").join(deals, how="inner", on="opportunity_id")
    is_inside = F.col("occurred_at").between(F.col("created_at"), F.col("until"))
    facts = (
        deals.select(*BY, "deal", "open_microseconds")
        .unionByName(activity_steps(of_deals.filter(is_inside)), allowMissingColumns=True)
        .unionByName(of_deals.filter(~is_inside).select(*BY, "activity_id"), allowMissingColumns=True)
    )
    is_any_recorded = activities.limit(1).agg((F.count("*") > 0).alias("is_any_recorded"))
    measured = (
        with_totals(facts, BY)
        .groupBy(*BY)
        .agg(
            F.count("deal").alias("deals"),
            (F.sum("open_microseconds") / MICROSECONDS_PER_WEEK).alias("open_weeks"),
            F.count("step").alias("activities"),
            *(F.count_if(F.col("step") == kind).alias(name) for name, kind in OF_TYPE.items()),
            F.count("activity_id").alias("activities_outside"),
            F.count_if("is_first").alias("deals_with_activity"),
            F.count_if("is_first_with_contact").alias("contacts"),
            F.count("contact_id").alias("contact_activities"),
            *(F.count(name).alias(count) for name, (count, _) in DURATIONS.items()),
            *(
                F.percentile(name, F.array(*map(F.lit, quantiles.values()))).alias(name)
                for name, (_, quantiles) in DURATIONS.items()
            ),
        )
        .crossJoin(is_any_recorded)
    )
    ratios = {name: safe_ratio(F.col(above), F.col(below)) for name, (above, below) in RATIOS.items()}
    return table.select(_with_statuses(measured, min_observations).withColumns(ratios))


def _with_statuses(measured: DataFrame, min_observations: int) -> DataFrame:
    """Add the statuses, and leave out what they say is missing."""
    is_known = F.col("is_any_recorded")
    counts = (*COUNTS, *(count for count, _ in DURATIONS.values()))
    statuses = {
        f"{name}_status": F.when(~is_known, "no_data").when(F.col(count) < min_observations, "too_few").otherwise("ok")
        for name, (count, _) in DURATIONS.items()
    }
    quantiles = {
        f"{quantile}_{name}": F.when(F.col(f"{name}_status") == "ok", F.get(name, position))
        for name, (_, shares) in DURATIONS.items()
        for position, quantile in enumerate(shares)
    }
    return (
        measured.withColumns({"activity_status": F.when(is_known, "ok").otherwise("no_data"), **statuses})
        .withColumns(quantiles)
        .withColumns({name: F.when(is_known, F.col(name)) for name in counts})
    )


if __name__ == "__main__":
    from lakehouse.submit import submit

    submit(table)
