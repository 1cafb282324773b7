"""The stages of an opportunity."""

from __future__ import annotations

from pyspark.sql import Column
from pyspark.sql import functions as F

from lakehouse.vocabulary import STAGES

WON, LOST = "closed_won", "closed_lost"
OPEN_STAGES = tuple(stage for stage in STAGES if stage not in (WON, LOST))


def is_open(stage: Column) -> Column:
    """Return whether a stage is an open one; null where it is missing."""
    return ~stage.isin(WON, LOST)


def stage_rank(stage: Column) -> Column:
    """Return the place of a stage on the way, from 1 for the first; both closed ones come last; null where missing."""
    places = F.array(*map(F.lit, OPEN_STAGES))
    return F.when(is_open(stage), F.array_position(places, stage)).when(~is_open(stage), len(OPEN_STAGES) + 1)
