"""How much of what closes is won: one row per period, opportunity type, dimension and value.

A period is the calendar quarter in which deals closed, or the last four that are complete. Open deals have no say: they
are neither won nor lost yet. ``all`` stands for every type; the rep is the one who owned the deal when it closed.
"""

from __future__ import annotations

from datetime import date

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lakehouse.metrics.breakdown import ALL, UNKNOWN, by_dimension, with_totals
from lakehouse.metrics.ratios import safe_ratio, wilson_interval
from lakehouse.metrics.sales import closed_deals, quarter_end
from lakehouse.rules import Part, Reconciliation
from lakehouse.table import MONEY, Check, Column, Table
from lakehouse.vocabulary import OPPORTUNITY_TYPES

QUARTER, LAST_4_QUARTERS = "quarter", "last_4_quarters"

DIMENSIONS = {
    "all": (),
    "segment": ("segment",),
    "region": ("region",),
    "lead_source": ("lead_source",),
    "deal_size": ("deal_size",),
    "rep": ("closing_rep_id",),
}

GROUP = ("period_grain", "period_start", "opportunity_type", "dimension", "dimension_value")

table = Table(
    name="gold.win_rates",
    description=__doc__,
    grain="period × opportunity type × dimension × value",
    key=GROUP,
    inputs={"opportunities": "silver.opportunities", "states": "silver.opportunity_states"},
    settings=("as_of", "min_observations", "reporting_currency"),
    columns=(
        Column("period_grain", "string", "What the period is", nullable=False, values=(QUARTER, LAST_4_QUARTERS)),
        Column("period_start", "date", "First day of the period", nullable=False),
        Column("is_complete", "boolean", "The period is over on the as-of day", nullable=False),
        Column("opportunity_type", "string", "Kind of business, or all", False, (ALL, UNKNOWN, *OPPORTUNITY_TYPES)),
        Column("dimension", "string", "What deals are grouped by", nullable=False, values=tuple(DIMENSIONS)),
        Column("dimension_value", "string", "Value; unknown where it is missing", nullable=False),
        Column("currency", "string", "Reporting currency, ISO 4217", nullable=False),
        Column("wins", "bigint", "Deals won", nullable=False, minimum=0),
        Column("losses", "bigint", "Deals lost", nullable=False, minimum=0),
        Column("is_small", "boolean", "Fewer deals closed than min_observations", nullable=False),
        Column("win_rate", "double", "wins ÷ (wins + losses)", nullable=False, minimum=0, maximum=1),
        Column("win_rate_low", "double", "Lower 95 % bound (Wilson)", nullable=False, minimum=0, maximum=1),
        Column("win_rate_high", "double", "Upper 95 % bound (Wilson)", nullable=False, minimum=0, maximum=1),
        Column("won_arr", MONEY, "ARR of the deals won", nullable=False, minimum=0),
        Column("lost_arr", MONEY, "ARR of the deals lost", nullable=False, minimum=0),
        Column("win_rate_by_arr", "double", "won_arr ÷ (won_arr + lost_arr)", minimum=0, maximum=1),
        Column("win_rate_by_arr_low", "double", "Lower 95 % bound (Wilson, of the effective number of deals)",
               minimum=0, maximum=1),
        Column("win_rate_by_arr_high", "double", "Upper 95 % bound", minimum=0, maximum=1),
        Column("median_cycle_days", "double", "Median days from opening to winning; null without a win", minimum=0),
        Column("p90_cycle_days", "double", "Days that nine tenths of the wins did not exceed", minimum=0),
    ),
    checks=(
        Check("somebody_decided", "wins + losses > 0"),
        Check("rate_within_its_bounds", "win_rate BETWEEN win_rate_low AND win_rate_high"),
        Check("rate_by_arr_where_there_is_arr", "(win_rate_by_arr IS NULL) = (won_arr + lost_arr = 0)"),
        Check("rate_by_arr_within_its_bounds",
              "win_rate_by_arr IS NULL OR win_rate_by_arr BETWEEN win_rate_by_arr_low AND win_rate_by_arr_high"),
        Check("nothing_won_without_a_win", "wins > 0 OR won_arr = 0"),
        Check("quantiles_ascend", "median_cycle_days IS NULL OR median_cycle_days <= p90_cycle_days"),
    ),
    audits=(
        Reconciliation(
            "every_dimension_has_every_closed_deal",
            f"sum(IF(dimension = 'all', {len(DIMENSIONS) - 1}, -1) * (wins + losses))",
            (),
            by=("period_grain", "period_start", "opportunity_type"),
        ),
        Reconciliation(
            "every_closed_deal_is_counted",
            "sum(wins + losses)",
            (Part("silver.opportunities", "count(closed_date)", where="NOT is_open",
                  by=("date_trunc('quarter', closed_date)",)),),
            by=("period_start",),
            where="period_grain = 'quarter' AND dimension = 'all' AND opportunity_type = 'all'",
        ),
        Reconciliation(
            "won_arr_is_that_of_the_deals",
            "sum(won_arr)",
            (Part("silver.opportunities", "sum(arr_reporting)", where="is_won AND closed_date IS NOT NULL",
                  by=("date_trunc('quarter', closed_date)",)),),
            by=("period_start",),
            where="period_grain = 'quarter' AND dimension = 'all' AND opportunity_type = 'all'",
        ),
    ),
)  # fmt: skip


def transform(
    opportunities: DataFrame, states: DataFrame, as_of: date, min_observations: int, reporting_currency: str
) -> DataFrame:
    kind = F.coalesce("opportunity_type", F.lit(UNKNOWN))
    deals = closed_deals(opportunities, states).filter(F.col("quarter").isNotNull())
    by_type = with_totals(deals.withColumn("opportunity_type", kind), ("opportunity_type",))
    is_won, arr = F.col("is_won"), F.col("arr_reporting")
    measured = (
        by_dimension(_by_period(by_type, as_of), DIMENSIONS)
        .groupBy(*GROUP)
        .agg(
            F.count_if(is_won).alias("wins"),
            F.count_if(~is_won).alias("losses"),
            F.sum(F.when(is_won, arr).otherwise(0)).cast(MONEY).alias("won_arr"),
            F.sum(F.when(is_won, 0).otherwise(arr)).cast(MONEY).alias("lost_arr"),
            # As many deals of one size would tell as much as these of different sizes do (Kish 1965).
            safe_ratio(F.pow(F.sum(arr).cast("double"), 2), F.sum(arr * arr)).alias("effective_deals"),
            F.median(F.when(is_won, F.col("cycle_days"))).alias("median_cycle_days"),
            F.percentile(F.when(is_won, F.col("cycle_days")), 0.9).alias("p90_cycle_days"),
        )
    )
    closed = F.col("wins") + F.col("losses")
    by_arr = safe_ratio(F.col("won_arr"), F.col("won_arr") + F.col("lost_arr"))
    low, high = wilson_interval(F.col("wins"), closed)
    by_arr_low, by_arr_high = wilson_interval(by_arr * F.col("effective_deals"), F.col("effective_deals"))
    months = F.when(F.col("period_grain") == QUARTER, 0).otherwise(9)
    return table.select(
        measured.withColumns(
            {
                "is_complete": quarter_end(F.add_months("period_start", months)) <= F.lit(as_of),
                "currency": F.lit(reporting_currency),
                "is_small": closed < min_observations,
                "win_rate": safe_ratio(F.col("wins"), closed),
                "win_rate_low": low,
                "win_rate_high": high,
                "win_rate_by_arr": by_arr,
                "win_rate_by_arr_low": by_arr_low,
                "win_rate_by_arr_high": by_arr_high,
            }
        )
    )


def _by_period(deals: DataFrame, as_of: date) -> DataFrame:
    """Repeat each deal for every period that its quarter belongs to, adding period_grain and period_start."""
    end = F.trunc(F.date_add(F.lit(as_of), 1), "quarter")
    start = F.add_months(end, -12)
    is_recent = (F.col("quarter") >= start) & (F.col("quarter") < end)
    own = F.struct(F.lit(QUARTER).alias("period_grain"), F.col("quarter").alias("period_start"))
    recent = F.struct(F.lit(LAST_4_QUARTERS).alias("period_grain"), start.alias("period_start"))
    return deals.select("*", F.inline(F.array_compact(F.array(own, F.when(is_recent, recent)))))


if __name__ == "__main__":
    from lakehouse.submit import submit

    submit(table)
