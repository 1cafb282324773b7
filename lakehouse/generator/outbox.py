"""Records wait here from when they are decided until they become known."""

from __future__ import annotations

from collections import defaultdict

import numpy as np

from lakehouse.generator.arrays import MICROSECONDS_PER_DAY
from lakehouse.generator.streams import Ints, Source

Columns = dict[str, Ints]

# Stands for null in integer columns: dates, moments, codes and counts are never negative otherwise.
NONE = -1

_FIRST_BUSINESS_SECOND = 8 * 3600
_BUSINESS_SECONDS = 10 * 3600
_MICROSECONDS = 1_000_000


def business_moment(source: Source, day: Ints, who: Ints) -> Ints:
    """Return a moment in the working hours of each day, in microseconds since 1970."""
    second = _FIRST_BUSINESS_SECOND + (source.uniform("business_moment", who, day) * _BUSINESS_SECONDS).astype(np.int64)
    return day * MICROSECONDS_PER_DAY + second * _MICROSECONDS


def batch_moment(source: Source, day: Ints, who: Ints) -> Ints:
    """Return a moment in the first hour of each day, when billing runs, in microseconds since 1970."""
    second = (source.uniform("batch_moment", who, day) * 3600).astype(np.int64)
    return day * MICROSECONDS_PER_DAY + second * _MICROSECONDS


class Outbox:
    """Records by table, each with the moment ``known_at`` from which on the company's systems would show it."""

    def __init__(self) -> None:
        self._held: defaultdict[str, list[Columns]] = defaultdict(list)

    def add(self, table: str, known_at: Ints, **columns: Ints | int) -> None:
        """Hold one record for each element; single values are repeated."""
        if known_at.size:
            filled = {name: np.broadcast_to(values, known_at.shape).copy() for name, values in columns.items()}
            # Copied too: who adds a record may go on to change the arrays that it was made of.
            self._held[table].append({"known_at": known_at.copy(), **filled})

    def take(self, table: str, until: int) -> Columns | None:
        """Hand out the records that are known by ``until``, in order of that moment; the rest goes on waiting."""
        held = self._held.pop(table, [])
        if not held:
            return None
        records = {name: np.concatenate([chunk[name] for chunk in held]) for name in held[0]}
        order = np.argsort(records["known_at"], kind="stable")
        known = int(np.searchsorted(records["known_at"][order], until, side="right"))
        if known < len(order):
            self._held[table] = [{name: values[order[known:]] for name, values in records.items()}]
        return {name: values[order[:known]] for name, values in records.items()}
