"""What was known of an opportunity at a moment, and of the account behind it."""

from __future__ import annotations

from collections.abc import Sequence

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from lakehouse.cleaning import kept_by_day
from lakehouse.metrics.bands import band
from lakehouse.metrics.breakdown import UNKNOWN
from lakehouse.metrics.dimensions import segment
from lakehouse.metrics.stages import OPEN_STAGES, is_open
from lakehouse.settings import Segments
from lakehouse.table import Table

_STATE = ("stage", "arr", "currency", "expected_close_date", "rep_id", "rep_probability")


def as_known(opportunities: DataFrame, states: DataFrame, until: Column) -> DataFrame:
    """Leave out the opportunities opened from the moment ``until`` on; of the others what was known before it.

    ``opportunities`` are the versions of :func:`lakehouse.cleaning.kept_as_of`, ``states`` silver.opportunity_states.
    A version that came later says what it was only where the history says nothing; who is then closed later stands in
    the first stage.
    """
    latest = states.filter(F.col("valid_to_at").isNull()).select("opportunity_id", F.struct(*_STATE).alias("_state"))
    is_later = F.col("_is_later")
    closes_later = F.coalesce(F.col("closed_at") >= until, F.lit(False))
    own_stage = F.when(closes_later, OPEN_STAGES[0]).otherwise(F.col("stage"))

    def said(name: str, of_state: str) -> Column:
        return F.when(is_later, F.coalesce(f"_state.{of_state}", name)).otherwise(F.col(name))

    return (
        opportunities.filter(F.col("created_at") < until)
        .join(latest, on="opportunity_id", how="left")
        .withColumns(
            {
                **{name: said(name, name) for name in ("arr", "currency", "expected_close_date", "rep_probability")},
                "owner_rep_id": said("owner_rep_id", "rep_id"),
                "stage": F.when(is_later, F.coalesce("_state.stage", own_stage)).otherwise(F.col("stage")),
                "closed_at": F.when(~closes_later, F.col("closed_at")),
                "loss_reason": F.when(~closes_later, F.col("loss_reason")),
            }
        )
        .drop("_state")
    )


def with_account(opportunities: DataFrame, accounts: DataFrame, received: Table, segments: Segments) -> DataFrame:
    """Add the segment, industry and region that the account had on ``created_date``; null where it is unknown."""
    versions = kept_by_day(accounts, received).select(
        F.col("account_id").alias("_account_id"),
        segment(F.col("employee_count"), segments).alias("segment"),
        *("industry", "region", "_valid_from", "_valid_to"),
    )
    is_version_of_the_day = (
        (F.col("account_id") == F.col("_account_id"))
        & F.coalesce(F.col("_valid_from") <= F.col("created_date"), F.lit(True))
        & F.coalesce(F.col("_valid_to") > F.col("created_date"), F.lit(True))
    )
    return opportunities.join(versions, on=is_version_of_the_day, how="left")


def visits_of_deals(visits: DataFrame, opportunities: DataFrame, deal_sizes: Sequence[int]) -> DataFrame:
    """Return the visits to open stages with opportunity_type, and deal_size, the band of the ARR on entering.

    ``visits`` are silver.opportunity_stages. The type is ``unknown`` where the opportunity does not tell it.
    """
    types = opportunities.select("opportunity_id", "opportunity_type")
    return (
        visits.filter(is_open(F.col("stage")))
        .join(types, how="left", on="opportunity_id")
        .withColumns(
            {
                "opportunity_type": F.coalesce("opportunity_type", F.lit(UNKNOWN)),
                "deal_size": band(F.col("arr_reporting"), deal_sizes),
            }
        )
    )
