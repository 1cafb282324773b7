"""What each rep sold, has open and did, against the quota: one row per rep and quarter.

A deal counts for the rep who owned it when it was won or lost, in the quarter in which that was. A quarter that is not
over has what there is on the as-of day, and its whole quota. Reps without a quota, deal or activity in a quarter have no
row for it; what nobody owns is under ``unknown``.
"""

from __future__ import annotations

from datetime import date

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lakehouse.metrics.breakdown import UNKNOWN
from lakehouse.metrics.ratios import safe_ratio, wilson_interval
from lakehouse.metrics.sales import closed_deals, open_at_quarter_ends, quarter_end, results_of_reps
from lakehouse.pipeline_settings import Pipeline
from lakehouse.rules import Part, Reconciliation
from lakehouse.table import MONEY, Check, Column, Table
from lakehouse.vocabulary import REP_ROLES

GROUP = ("rep_id", "quarter")
COUNTS = ("wins", "losses", "open_deals", "activities")
AMOUNTS = ("won_new_arr", "won_arr", "pipeline_arr")

table = Table(
    name="gold.rep_performance",
    description=__doc__,
    grain="rep × quarter",
    key=GROUP,
    inputs={
        "sales_reps": "silver.sales_reps",
        "quotas": "silver.quotas",
        "opportunities": "silver.opportunities",
        "states": "silver.opportunity_states",
        "activities": "silver.activities",
    },
    settings=("as_of", "min_observations", "pipeline", "reporting_currency"),
    foreign_keys={"rep_id": "silver.sales_reps"},
    may_be_orphans=("rep_id",),
    columns=(
        Column("rep_id", "string", "Rep", nullable=False),
        Column("quarter", "date", "First day of the calendar quarter", nullable=False),
        Column("is_complete", "boolean", "The quarter is over on the as-of day", nullable=False),
        Column("role", "string", "BDR, AE or CSM; null for a rep who is not known", values=REP_ROLES),
        Column("team", "string", "Team of the rep"),
        Column("region", "string", "Sales region that the rep covers first"),
        Column("tenure_months", "int", "Full months from being hired to the quarter's first day", minimum=0),
        Column("is_ramped", "boolean", "Hired at least pipeline.ramp_months before it"),
        Column("is_employed", "boolean", "Still at work after the quarter's last day, or the as-of day"),
        Column("currency", "string", "Reporting currency, ISO 4217", nullable=False),
        Column("quota_arr", MONEY, "New ARR that the rep was to win; null without a quota", minimum=0),
        Column("won_new_arr", MONEY, "ARR of new business won", nullable=False, minimum=0),
        Column("attainment", "double", "won_new_arr ÷ quota_arr", minimum=0),
        Column("won_arr", MONEY, "ARR won, expansions and renewals too", nullable=False, minimum=0),
        Column("wins", "bigint", "Deals won", nullable=False, minimum=0),
        Column("losses", "bigint", "Deals lost", nullable=False, minimum=0),
        Column("win_rate", "double", "wins ÷ (wins + losses)", minimum=0, maximum=1),
        Column("win_rate_low", "double", "Lower 95 % bound (Wilson)", minimum=0, maximum=1),
        Column("win_rate_high", "double", "Upper 95 % bound (Wilson)", minimum=0, maximum=1),
        Column("is_small", "boolean", "Fewer deals closed than min_observations", nullable=False),
        Column("median_cycle_days", "double", "Median days from opening to winning; null without a win", minimum=0),
        Column("open_deals", "bigint", "Deals open at the end of the quarter, or of the as-of day", False, minimum=0),
        Column("pipeline_arr", MONEY, "ARR of them, as it was then", nullable=False, minimum=0),
        Column("activities", "bigint", "Activities of the rep", nullable=False, minimum=0),
    ),
    checks=(
        Check("new_business_is_part_of_what_was_won", "won_new_arr <= won_arr"),
        Check("rate_where_a_deal_closed", "(win_rate IS NULL) = (wins + losses = 0)"),
        Check("rate_within_its_bounds", "win_rate IS NULL OR win_rate BETWEEN win_rate_low AND win_rate_high"),
        Check("cycle_where_a_deal_was_won", "(median_cycle_days IS NULL) = (wins = 0)", severity="warn", action="mark"),
        Check("nothing_won_without_a_win", "wins > 0 OR won_arr = 0"),
        Check("attained_against_a_quota", "attainment IS NULL OR quota_arr > 0"),
        Check("quarter_is_its_first_day", "quarter = trunc(quarter, 'quarter')"),
    ),
    audits=(
        Reconciliation(
            "every_won_deal_is_somebodys",
            "sum(won_arr)",
            (Part("silver.opportunities", "sum(arr_reporting)", where="is_won AND closed_date IS NOT NULL",
                  by=("date_trunc('quarter', closed_date)",)),),
            by=("quarter",),
        ),
        Reconciliation(
            "every_closed_deal_is_somebodys",
            "sum(wins + losses)",
            (Part("silver.opportunities", "count(closed_date)", where="NOT is_open",
                  by=("date_trunc('quarter', closed_date)",)),),
            by=("quarter",),
        ),
        Reconciliation(
            "quotas_are_those_set",
            "sum(quota_arr)",
            (Part("silver.quotas", "sum(quota_arr)", where="quarter <= :as_of"),),
            by=("rep_id", "quarter"),
        ),
        Reconciliation(
            "pipeline_is_what_is_open",
            "sum(pipeline_arr)",
            (Part("silver.opportunity_states", "sum(arr_reporting)", where="valid_to_at IS NULL AND is_open"),),
            where="quarter = date_trunc('quarter', :as_of)",
        ),
    ),
)  # fmt: skip


def transform(
    *,
    sales_reps: DataFrame,
    quotas: DataFrame,
    opportunities: DataFrame,
    states: DataFrame,
    activities: DataFrame,
    as_of: date,
    min_observations: int,
    pipeline: Pipeline,
    reporting_currency: str,
) -> DataFrame:
    sums = _sums(quotas, opportunities, states, activities, as_of)
    closed = F.col("wins") + F.col("losses")
    low, high = wilson_interval(F.col("wins"), closed)
    tenure_months = F.greatest(F.floor(F.months_between("quarter", "hired_date")), F.lit(0))
    last_day = F.least(quarter_end(F.col("quarter")), F.lit(as_of))
    is_gone = F.coalesce(F.col("left_date") <= last_day, F.lit(False))
    is_known = F.col("hired_date").isNotNull()
    return table.select(
        sums.join(F.broadcast(sales_reps), how="left", on="rep_id").withColumns(
            {
                "is_complete": quarter_end(F.col("quarter")) <= F.lit(as_of),
                "tenure_months": F.when(is_known, tenure_months),
                "is_ramped": F.months_between("quarter", "hired_date") >= pipeline.ramp_months,
                "is_employed": F.when(is_known, ~is_gone),
                "currency": F.lit(reporting_currency),
                "attainment": safe_ratio(F.col("won_new_arr"), F.col("quota_arr")),
                "win_rate": safe_ratio(F.col("wins"), closed),
                "win_rate_low": low,
                "win_rate_high": high,
                "is_small": closed < min_observations,
            }
        )
    )


def _sums(
    quotas: DataFrame, opportunities: DataFrame, states: DataFrame, activities: DataFrame, as_of: date
) -> DataFrame:
    """One row per rep and quarter: quota_arr, median_cycle_days, and the sums of ``COUNTS`` and ``AMOUNTS``."""
    own_rep_id = F.coalesce("rep_id", F.lit(UNKNOWN)).alias("rep_id")
    parts = (
        quotas.filter(F.col("quarter") <= F.lit(as_of)).select(*GROUP, "quota_arr"),
        results_of_reps(closed_deals(opportunities, states)),
        open_at_quarter_ends(states, as_of).select(
            own_rep_id, "quarter", F.lit(1).alias("open_deals"), F.col("arr_reporting").alias("pipeline_arr")
        ),
        activities.groupBy(own_rep_id, F.trunc("occurred_at", "quarter").alias("quarter")).agg(
            F.count("*").alias("activities")
        ),
    )
    first, *others = parts
    for other in others:
        first = first.unionByName(other, allowMissingColumns=True)
    return first.groupBy(*GROUP).agg(
        F.sum("quota_arr").alias("quota_arr"),
        F.median("won_cycle_days").alias("median_cycle_days"),
        *(F.coalesce(F.sum(name), F.lit(0)).alias(name) for name in (*COUNTS, *AMOUNTS)),
    )


if __name__ == "__main__":
    from lakehouse.submit import submit

    submit(table)
