"""The changes of opportunities as arrays, and what is known of them at the close of a day.

Days count from 1970-01-01. Nothing here looks past the day that it is asked about.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from lakehouse.metrics.breakdown import UNKNOWN
from lakehouse.vocabulary import SEGMENTS, STAGES

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

WON, LOST = STAGES.index("closed_won"), STAGES.index("closed_lost")
OPEN_STAGES = WON
FORECAST_SEGMENTS = (*SEGMENTS, UNKNOWN)
NEVER = 10**9

# Of silver.opportunity_states and its opportunity's type and segment, in this order.
COLUMNS = ("opportunity_type", "opportunity_id", "change_number", "segment", "stage", "arr_reporting", "rep_id",
           "rep_probability", "expected_close_date", "valid_from_date", "valid_to_date", "opened_date")  # fmt: skip


@dataclass(frozen=True)
class History:
    """Changes in order of opportunity and time, one element each; ``day`` to ``until`` (exclusive) is when it held.

    ``opportunity``, ``segment``, ``stage`` and ``rep`` are places, ``arr`` is in units of the currency.
    """

    opportunity: Ints
    segment: Ints
    stage: Ints
    arr: Floats
    rep: Ints
    probability: Floats
    expected: Ints
    day: Ints
    until: Ints
    opened: Ints

    @classmethod
    def of(cls, states: pa.Table) -> History:
        """Return the history of rows with ``COLUMNS``, whatever their order."""
        rows = states.sort_by([("opportunity_id", "ascending"), ("change_number", "ascending")])
        return cls(
            opportunity=_places(rows["opportunity_id"]),
            segment=_index(rows["segment"], FORECAST_SEGMENTS, missing=len(SEGMENTS)),
            stage=_index(rows["stage"], STAGES, missing=0),
            arr=rows["arr_reporting"].cast(pa.float64()).to_numpy(),
            rep=_places(rows["rep_id"]),
            probability=pc.fill_null(rows["rep_probability"], 0.0).to_numpy(),
            expected=_days(rows["expected_close_date"]),
            day=_days(rows["valid_from_date"]),
            until=_days(rows["valid_to_date"]),
            opened=_days(rows["opened_date"]),
        )

    def among(self, chosen: Mask) -> History:
        """Return the changes that are chosen."""
        return History(*(getattr(self, field.name)[chosen] for field in fields(self)))

    def open_at(self, day: int) -> History:
        """Return what is open at the close of ``day``, one element an opportunity."""
        return self.among((self.day <= day) & (self.until > day) & (self.stage < OPEN_STAGES))

    def won_between(self, first: int, last: int) -> History:
        """Return the changes that won an opportunity from ``first`` to ``last``, both inclusive."""
        return self.among((self.stage == WON) & (self.day >= first) & (self.day <= last))

    def arr_by_segment(self) -> Floats:
        """Return Σ arr of the changes by segment."""
        return by_segment(self, self.arr)

    def __len__(self) -> int:
        return len(self.opportunity)


def by_segment(rows: History, values: Floats) -> Floats:
    """Return the sum of ``values``, one for each of the rows, by segment."""
    return np.bincount(rows.segment, weights=values, minlength=len(FORECAST_SEGMENTS)).astype(np.float64)


def _places(column: pa.ChunkedArray) -> Ints:
    values = pc.fill_null(column, "").to_numpy()
    return np.unique(values.astype(str), return_inverse=True)[1].astype(np.int64)


def _index(column: pa.ChunkedArray, values: tuple[str, ...], missing: int) -> Ints:
    places = pc.fill_null(pc.index_in(column, value_set=pa.array(values)), missing).to_numpy()
    return np.asarray(places, dtype=np.int64)


def _days(column: pa.ChunkedArray) -> Ints:
    return np.asarray(pc.fill_null(column.cast(pa.int32()), NEVER).to_numpy(), dtype=np.int64)
