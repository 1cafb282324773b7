"""How each quarter's pipeline came to be won, lost or left: one row per quarter, opportunity type, segment and rep.

The pipeline of a quarter is what is open and expected to close by its end, overdue deals among it; so a quarter opens
with what is expected in it by then, not with what the one before was left with. What is closed belongs to the quarter
in which it closes. What is left is measured by itself, and the steps lead to it to the cent.
"""

from __future__ import annotations

from datetime import date
from functools import reduce

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lakehouse.metrics.breakdown import UNKNOWN
from lakehouse.metrics.pipeline import FLOWS, is_expected, of_opportunities, with_flows
from lakehouse.metrics.ratios import safe_ratio
from lakehouse.metrics.sales import open_at_quarter_ends, quarter_end
from lakehouse.rules import Constant, Part, Reconciliation
from lakehouse.table import MONEY, Check, Column, Table

GROUP = ("quarter", "opportunity_type", "segment", "rep_id")
AMOUNTS = ("opening_arr", *FLOWS, "closing_arr", "new_pipeline_arr")
COUNTS = ("new_opportunities", "won_opportunities", "lost_opportunities", "pushes", "pushed_days")

table = Table(
    name="gold.pipeline_waterfall",
    description=__doc__,
    grain="quarter × opportunity type × segment × rep",
    key=GROUP,
    inputs={"states": "silver.opportunity_states", "opportunities": "silver.opportunities"},
    settings=("as_of", "reporting_currency"),
    columns=(
        Column("quarter", "date", "First day of the calendar quarter", nullable=False),
        Column("opportunity_type", "string", "What kind of business it is", nullable=False),
        Column("segment", "string", "Segment of the account", nullable=False),
        Column("rep_id", "string", "Owner at the time of each step", nullable=False),
        Column("currency", "string", "Reporting currency, ISO 4217", nullable=False),
        Column("opening_arr", MONEY, "Open on the eve and expected by the quarter's end", False, minimum=0),
        Column("created_arr", MONEY, "Opened in the quarter and expected in it, or closed in it", False, minimum=0),
        Column("reopened_arr", MONEY, "Closed before and opened again", nullable=False, minimum=0),
        Column("pulled_in_arr", MONEY, "Expected later before, now in the quarter or closed in it", False, minimum=0),
        Column("increased_arr", MONEY, "Amounts that were raised", nullable=False, minimum=0),
        Column("decreased_arr", MONEY, "Amounts that were lowered", nullable=False, minimum=0),
        Column("transferred_arr", MONEY, "Came from another rep less went to another; adds up to 0", nullable=False),
        Column("pushed_out_arr", MONEY, "Now expected after the quarter", nullable=False, minimum=0),
        Column("won_arr", MONEY, "Won", nullable=False, minimum=0),
        Column("lost_arr", MONEY, "Lost", nullable=False, minimum=0),
        Column("closing_arr", MONEY, "Left open at the quarter's end, or on the as-of day", nullable=False, minimum=0),
        Column("new_pipeline_arr", MONEY, "Opened in the quarter, whenever it is expected", False, minimum=0),
        Column("new_opportunities", "bigint", "Opportunities opened in the quarter", nullable=False, minimum=0),
        Column("won_opportunities", "bigint", "Opportunities won", nullable=False, minimum=0),
        Column("lost_opportunities", "bigint", "Opportunities lost", nullable=False, minimum=0),
        Column("pushes", "bigint", "Times that a close date was moved out", nullable=False, minimum=0),
        Column("pushed_days", "bigint", "Days by which they were moved, in all", nullable=False, minimum=0),
        Column("slipped_out_share", "double", "pushed_out_arr ÷ all that was in the quarter's pipeline", minimum=0),
        Column("is_complete", "boolean", "The quarter is over on the as-of day", nullable=False),
    ),
    checks=(
        Check(
            "waterfall_closes",
            "opening_arr + created_arr + reopened_arr + pulled_in_arr + increased_arr - decreased_arr + transferred_arr"
            " - pushed_out_arr - won_arr - lost_arr = closing_arr",
        ),
        Check("no_days_without_a_push", "(pushes = 0) = (pushed_days = 0)"),
    ),
    audits=(
        Constant("transfers_add_up_to_nothing", "sum(transferred_arr)", by=("quarter", "opportunity_type", "segment")),
        Reconciliation("no_transfer_is_left_over", "sum(transferred_arr)", ()),
        Reconciliation(
            "closing_is_the_pipeline_of_the_day",
            "sum(closing_arr)",
            (
                Part(
                    "gold.pipeline_daily",
                    "sum(open_arr)",
                    where="(date = last_day(quarter + INTERVAL 2 MONTH) OR date = :as_of)"
                    " AND expected_close_month <= strftime(quarter + INTERVAL 2 MONTH, '%Y-%m')",
                ),
            ),
            by=("quarter", "rep_id"),
        ),
        Reconciliation(
            "won_is_what_the_history_won",
            "sum(won_arr)",
            (
                Part(
                    "silver.opportunity_states",
                    "sum(arr_reporting)",
                    where="stage = 'closed_won' AND stage IS DISTINCT FROM previous_stage",
                ),
            ),
        ),
    ),
)


def transform(states: DataFrame, opportunities: DataFrame, as_of: date, reporting_currency: str) -> DataFrame:
    known = of_opportunities(states, opportunities).withColumn(
        "previous_rep_id", F.coalesce("previous_rep_id", F.lit(UNKNOWN))
    )
    changes = with_flows(known.withColumn("quarter", F.trunc("valid_from_date", "quarter")))
    given_back = changes.filter("transferred_arr IS NOT NULL").select(
        "quarter", "opportunity_type", "segment", F.col("previous_rep_id").alias("rep_id"),
        (-F.col("transferred_arr")).alias("transferred_arr"),
    )  # fmt: skip
    at_close = open_at_quarter_ends(known, as_of)
    following = at_close.withColumn("quarter", F.add_months("quarter", 3)).filter(F.col("quarter") <= F.lit(as_of))
    parts = (
        _steps(changes),
        given_back,
        at_close.filter(is_expected("quarter")).select(*GROUP, F.col("arr_reporting").alias("closing_arr")),
        following.filter(is_expected("quarter")).select(*GROUP, F.col("arr_reporting").alias("opening_arr")),
    )
    together = reduce(lambda one, other: one.unionByName(other, allowMissingColumns=True), parts)
    found = together.groupBy(*GROUP).agg(
        *(F.coalesce(F.sum(name), F.lit(0)).alias(name) for name in (*AMOUNTS, *COUNTS))
    )
    entered = sum((F.col(name) for name in ("created_arr", "reopened_arr", "pulled_in_arr")), F.col("opening_arr"))
    return table.select(
        found.withColumns(
            {
                "currency": F.lit(reporting_currency),
                "slipped_out_share": safe_ratio(F.col("pushed_out_arr"), entered),
                "is_complete": quarter_end(F.col("quarter")) <= F.lit(as_of),
            }
        )
    )


def _steps(changes: DataFrame) -> DataFrame:
    is_new = F.isnull("previous_stage")
    pushed_days = F.date_diff("expected_close_date", "previous_expected_close_date")
    return changes.select(
        *GROUP,
        *FLOWS,
        F.when(is_new, F.col("arr_reporting")).alias("new_pipeline_arr"),
        is_new.cast("int").alias("new_opportunities"),
        F.col("won_arr").isNotNull().cast("int").alias("won_opportunities"),
        F.col("lost_arr").isNotNull().cast("int").alias("lost_opportunities"),
        F.col("is_push").cast("int").alias("pushes"),
        F.when(F.col("is_push"), pushed_days).alias("pushed_days"),
    )


if __name__ == "__main__":
    from lakehouse.submit import submit

    submit(table)
