"""What was sold and what is open, by rep and quarter."""

from __future__ import annotations

from datetime import date

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from lakehouse.metrics.breakdown import UNKNOWN
from lakehouse.metrics.stages import OPEN_STAGES, is_open


def closed_deals(opportunities: DataFrame, states: DataFrame) -> DataFrame:
    """Return the opportunities that are won or lost, with the quarter and the rep who owned them when they closed.

    ``quarter`` is the first day of the calendar quarter of closed_date, null where that is; ``closing_rep_id`` the rep
    of the change that closed them, as silver.opportunity_states has it, else the owner, else ``unknown``.
    """
    is_closing = ~is_open(F.col("stage")) & is_open(F.coalesce("previous_stage", F.lit(OPEN_STAGES[0])))
    closers = (
        states.filter(is_closing)
        .groupBy("opportunity_id")
        .agg(F.max_by("rep_id", "change_number").alias("_closing_rep_id"))
    )
    closed = opportunities.filter(~F.col("is_open")).join(closers, how="left", on="opportunity_id")
    closing_rep_id = F.coalesce("_closing_rep_id", "owner_rep_id", F.lit(UNKNOWN))
    return closed.withColumns({"quarter": F.trunc("closed_date", "quarter"), "closing_rep_id": closing_rep_id})


def quarter_end(quarter: Column) -> Column:
    """Return the last day of the calendar quarter that begins on ``quarter``."""
    return F.date_sub(F.add_months(quarter, 3), 1)


def open_at_quarter_ends(states: DataFrame, as_of: date) -> DataFrame:
    """Return the open states as they stood at each quarter's end, at ``as_of`` in the one that is not over.

    ``states`` are silver.opportunity_states; one row per state and ``quarter`` (its first day) whose end it saw.
    """
    until = F.coalesce("valid_to_date", F.lit(as_of))
    first, last = (F.trunc(day, "quarter") for day in (F.col("valid_from_date"), until))
    by_quarter = F.explode(F.sequence(first, last, F.expr("INTERVAL 3 MONTHS"))).alias("quarter")
    looked_at = F.least(quarter_end(F.col("quarter")), F.lit(as_of))
    is_held = F.coalesce(F.col("valid_to_date") > looked_at, F.lit(True))
    return states.filter("is_open").select("*", by_quarter).filter((F.col("valid_from_date") <= looked_at) & is_held)


def results_of_reps(closed: DataFrame) -> DataFrame:
    """Return what each of :func:`closed_deals` with a quarter adds to its ``rep_id`` and quarter: one row per deal.

    wins and losses are 0 or 1; won_arr, won_new_arr (of new business) and won_cycle_days null where there is none.
    """
    is_won, arr = F.col("is_won"), F.col("arr_reporting")
    is_new = F.coalesce(F.col("opportunity_type") == "new_business", F.lit(False))
    return closed.filter(F.col("quarter").isNotNull()).select(
        F.col("closing_rep_id").alias("rep_id"),
        "quarter",
        is_won.cast("int").alias("wins"),
        (~is_won).cast("int").alias("losses"),
        F.when(is_won, arr).alias("won_arr"),
        F.when(is_won & is_new, arr).alias("won_new_arr"),
        F.when(is_won, F.col("cycle_days")).alias("won_cycle_days"),
    )
