"""How the pipeline of a quarter changes: what is open and expected to close by the end of the quarter."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from lakehouse.metrics.breakdown import UNKNOWN
from lakehouse.metrics.sales import quarter_end
from lakehouse.metrics.stages import LOST, WON, is_open

# Each with the sign with which it enters what is left at the end of the quarter.
FLOWS = {
    "created_arr": 1,
    "reopened_arr": 1,
    "pulled_in_arr": 1,
    "increased_arr": 1,
    "decreased_arr": -1,
    "transferred_arr": 1,
    "pushed_out_arr": -1,
    "won_arr": -1,
    "lost_arr": -1,
}


def of_opportunities(states: DataFrame, opportunities: DataFrame) -> DataFrame:
    """Add opportunity_type and segment to rows of silver.opportunity_states; ``unknown`` where they or the rep are."""
    known = opportunities.select("opportunity_id", "opportunity_type", "segment")
    names = ("opportunity_type", "segment", "rep_id")
    return states.join(F.broadcast(known), on="opportunity_id", how="left").withColumns(
        {name: F.coalesce(name, F.lit(UNKNOWN)) for name in names}
    )


def wins(states: DataFrame) -> DataFrame:
    """Return the rows of silver.opportunity_states that won an opportunity, not those that changed a won one."""
    return states.filter((F.col("stage") == WON) & ~F.col("previous_stage").eqNullSafe(F.lit(WON)))


def is_expected(quarter: str, expected_close_date: str = "expected_close_date") -> Column:
    """Return whether the close is expected by the end of the quarter that begins on ``quarter``; no date: not."""
    return F.coalesce(F.col(expected_close_date) <= quarter_end(F.col(quarter)), F.lit(False))


def with_flows(changes: DataFrame) -> DataFrame:
    """Add the ``FLOWS`` of each change within its ``quarter``, and ``opening_part``: what it found there before.

    ``changes`` are rows of silver.opportunity_states. What is closed belongs to the quarter in which it closes, even if
    it was expected later. The amount that a change finds is moved to the new owner first (``transferred_arr``, which
    the old owner's row gives back), then increased or decreased, then won, lost or pushed out.
    """
    before, after = F.col("previous_arr_reporting"), F.col("arr_reporting")
    is_new = F.isnull("previous_stage")
    was_open = F.coalesce(is_open(F.col("previous_stage")), F.lit(False))
    was_in = was_open & is_expected("quarter", "previous_expected_close_date")
    closes = ~F.col("is_open") & ~F.col("stage").eqNullSafe(F.col("previous_stage"))
    stays = closes | (F.col("is_open") & is_expected("quarter"))
    enters, changed = ~was_in & stays, was_in & stays
    gained = after - before
    return changes.withColumns(
        {
            "created_arr": F.when(enters & is_new, after),
            "reopened_arr": F.when(enters & ~is_new & ~was_open, after),
            "pulled_in_arr": F.when(enters & was_open, after),
            "increased_arr": F.when(changed & (gained > 0), gained),
            "decreased_arr": F.when(changed & (gained < 0), -gained),
            "transferred_arr": F.when(was_in & ~F.col("rep_id").eqNullSafe(F.col("previous_rep_id")), before),
            "pushed_out_arr": F.when(was_in & ~stays, before),
            "won_arr": F.when(closes & (F.col("stage") == WON), after),
            "lost_arr": F.when(closes & (F.col("stage") == LOST), after),
        }
    )
