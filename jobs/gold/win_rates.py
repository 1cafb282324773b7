"""How many of the opportunities that were closed were won, and how long they took: one row per quarter, opportunity type, dimension and value.

By the quarter in which they were closed; the dimensions are those of the opportunity. The quarter of the as-of day may
still be running.
"""

from __future__ import annotations

from datetime import date

from pyspark.sql import Column as SparkColumn
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lakehouse.metrics.breakdown import ALL, by_dimension, with_totals
from lakehouse.metrics.ratios import safe_ratio, wilson_interval
from lakehouse.rules import Constant, Part, Reconciliation
from lakehouse.table import MONEY, Check, Column, Table
from lakehouse.vocabulary import OPPORTUNITY_TYPES

DIMENSIONS = {
    "all": (),
    "segment": ("segment",),
    "region": ("region",),
    "lead_source": ("lead_source",),
    "deal_size": ("deal_size",),
}
GROUP = ("quarter", "opportunity_type", "dimension", "dimension_value")

table = Table(
    name="gold.win_rates",
    description=__doc__,
    grain="quarter × opportunity type × dimension × value",
    key=GROUP,
    inputs={"opportunities": "silver.opportunities"},
    settings=("as_of", "min_observations", "reporting_currency"),
    columns=(
        Column("quarter", "date", "First day of the calendar quarter of the close", nullable=False),
        Column("opportunity_type", "string", "What kind of business it is", nullable=False,
               values=(*OPPORTUNITY_TYPES, "unknown", ALL)),
        Column("dimension", "string", "What opportunities are grouped by", nullable=False, values=tuple(DIMENSIONS)),
        Column("dimension_value", "string", "Value of the opportunity", nullable=False),
        Column("currency", "string", "Reporting currency, ISO 4217", nullable=False),
        Column("is_complete", "boolean", "The quarter is over on the as-of day", nullable=False),
        Column("won", "bigint", "Opportunities won", nullable=False, minimum=0),
        Column("lost", "bigint", "Opportunities lost", nullable=False, minimum=0),
        Column("is_small", "boolean", "Fewer closed than min_observations", nullable=False),
        Column("win_rate", "double", "won ÷ (won + lost)", nullable=False, minimum=0, maximum=1),
        Column("win_rate_low", "double", "Lower end of its 95 % interval", nullable=False, minimum=0, maximum=1),
        Column("win_rate_high", "double", "Upper end of its 95 % interval", nullable=False, minimum=0, maximum=1),
        Column("won_arr", MONEY, "ARR of those won, at the rate of their opening", nullable=False, minimum=0),
        Column("lost_arr", MONEY, "ARR of those lost, at the rate of their opening", nullable=False, minimum=0),
        Column("arr_win_rate", "double", "won_arr ÷ (won_arr + lost_arr)", minimum=0, maximum=1),
        Column("median_won_cycle_days", "double", "Days from opening to the win, median; null without one", minimum=0),
        Column("p90_won_cycle_days", "double", "Days in which nine of ten wins were won", minimum=0),
        Column("median_lost_cycle_days", "double", "Days from opening to the loss, median", minimum=0),
    ),
    checks=(
        Check("something_was_closed", "won + lost > 0"),
        Check("rate_lies_in_its_interval", "win_rate BETWEEN win_rate_low - 1e-9 AND win_rate_high + 1e-9"),
        Check("most_take_no_less_than_half", "p90_won_cycle_days IS NULL OR p90_won_cycle_days >= median_won_cycle_days"),
        Check("cycle_of_who_was_won", "won > 0 OR median_won_cycle_days IS NULL"),
        Check("money_of_who_was_won", "won > 0 OR won_arr = 0"),
    ),
    audits=(
        *(
            Reconciliation(
                f"{name}_are_the_opportunities",
                f"sum({name})",
                (Part("silver.opportunities", "count(*)", where=f"is_{name} AND closed_date IS NOT NULL",
                      by=("date(trunc(closed_date, 'quarter'))",)),),
                by=("quarter",),
                where=f"opportunity_type = '{ALL}' AND dimension = 'all'",
            )
            for name in ("won", "lost")
        ),
        Constant("closed_add_up_in_each_dimension", "sum(won + lost)", by=("dimension",),
                 within=("quarter", "opportunity_type")),
    ),
)  # fmt: skip


def transform(opportunities: DataFrame, as_of: date, min_observations: int, reporting_currency: str) -> DataFrame:
    closed = opportunities.filter(~F.col("is_open") & F.col("closed_date").isNotNull()).withColumns(
        {
            "quarter": F.trunc("closed_date", "quarter"),
            "opportunity_type": F.coalesce("opportunity_type", F.lit("unknown")),
        }
    )
    counted = (
        with_totals(by_dimension(closed, DIMENSIONS), ("opportunity_type",))
        .groupBy(*GROUP)
        .agg(
            F.count_if("is_won").alias("won"),
            F.count_if("is_lost").alias("lost"),
            _arr_of("is_won").alias("won_arr"),
            _arr_of("is_lost").alias("lost_arr"),
            _cycle("is_won", 0.5).alias("median_won_cycle_days"),
            _cycle("is_won", 0.9).alias("p90_won_cycle_days"),
            _cycle("is_lost", 0.5).alias("median_lost_cycle_days"),
        )
    )
    won, trials = F.col("won"), F.col("won") + F.col("lost")
    low, high = wilson_interval(won, trials)
    return table.select(
        counted.withColumns(
            {
                "currency": F.lit(reporting_currency),
                "is_complete": F.last_day(F.add_months("quarter", 2)) <= F.lit(as_of),
                "is_small": trials < min_observations,
                "win_rate": safe_ratio(won, trials),
                "win_rate_low": low,
                "win_rate_high": high,
                "arr_win_rate": safe_ratio(F.col("won_arr"), F.col("won_arr") + F.col("lost_arr")),
            }
        )
    )


def _arr_of(is_counted: str) -> SparkColumn:
    return F.coalesce(F.sum(F.when(F.col(is_counted), F.col("arr_reporting"))), F.lit(0))


def _cycle(is_counted: str, part: float) -> SparkColumn:
    return F.percentile(F.when(F.col(is_counted), F.col("cycle_days")), F.lit(part))


if __name__ == "__main__":
    from lakehouse.submit import submit

    submit(table)
