"""Bands of an amount or a duration."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from itertools import pairwise

from pyspark.sql import Column
from pyspark.sql import functions as F


def band_names(edges: Sequence[int]) -> tuple[str, ...]:
    """Return the names of the bands that ascending ``edges`` make, each edge the lower end of a band.

    Example: 30, 90 give ``under 30``, ``30 to 90`` and ``90 and more``.
    """
    between = (f"{low} to {high}" for low, high in pairwise(edges))
    return (f"under {edges[0]}", *between, f"{edges[-1]} and more")


def band(value: Column, edges: Sequence[int]) -> Column:
    """Return the name of the band of ``value``, as :func:`band_names` gives it; null where the value is missing."""
    first, *others = band_names(edges)
    below = F.when(value.isNotNull(), first)
    return reduce(
        lambda found, at: F.when(value >= at[0], at[1]).otherwise(found), zip(edges, others, strict=True), below
    )
