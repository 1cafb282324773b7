"""What is zero for who has none of something, and unknown where nobody's was received."""

from __future__ import annotations

from collections.abc import Iterable

from pyspark.sql import DataFrame
from pyspark.sql import functions as F


def zero_where_received(frame: DataFrame, source: DataFrame, names: Iterable[str]) -> DataFrame:
    """Turn the nulls of ``names`` into zero; all of them are null where ``source``, of which they tell, has no row.

    Example: of two customers one has a ticket: 1 and 0. Where no ticket was ever received, both are null.
    """
    is_received = source.agg((F.count("*") > 0).alias("_is_received"))
    known = {name: F.when(F.col("_is_received"), F.coalesce(name, F.lit(0))) for name in names}
    return frame.crossJoin(F.broadcast(is_received)).withColumns(known).drop("_is_received")


def only_where_received(frame: DataFrame, source: DataFrame) -> DataFrame:
    """Return ``frame``, without any row where ``source`` has none."""
    return frame.crossJoin(F.broadcast(source.select(F.lit(True).alias("_is_received")).limit(1))).drop("_is_received")
