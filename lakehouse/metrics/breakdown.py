"""Dimensions along which a total is split, so that each of them adds up to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

ALL = "all"
UNKNOWN = "unknown"


def dimension_value(columns: Sequence[str]) -> Column:
    """Return the values of ``columns`` joined by `` | ``, ``unknown`` for a missing one; ``all`` for no column.

    Example: plan_name Starter and billing_cadence monthly give ``Starter | monthly``.
    """
    values = [F.coalesce(F.col(name).cast("string"), F.lit(UNKNOWN)) for name in columns]
    return F.concat_ws(" | ", *values) if values else F.lit(ALL)


def by_dimension(frame: DataFrame, dimensions: Mapping[str, Sequence[str]]) -> DataFrame:
    """Repeat each row once per dimension, adding ``dimension``, ``dimension_value`` and its place ``dimension_rank``.

    ``dimensions`` maps each name to the columns whose values make it; places count from 0 in the order given.
    """
    pairs = [
        F.struct(
            F.lit(rank).alias("dimension_rank"),
            F.lit(name).alias("dimension"),
            dimension_value(columns).alias("dimension_value"),
        )
        for rank, (name, columns) in enumerate(dimensions.items())
    ]
    return frame.select("*", F.inline(F.array(*pairs)))


def with_totals(frame: DataFrame, columns: Sequence[str]) -> DataFrame:
    """Repeat each row for every choice of its own value and ``all`` in each of ``columns``, four times for two of them.

    Example: priority high of segment SMB becomes (high, SMB), (high, all), (all, SMB) and (all, all).
    """
    for name in columns:
        frame = frame.withColumn(name, F.explode(F.array(F.col(name), F.lit(ALL))))
    return frame
