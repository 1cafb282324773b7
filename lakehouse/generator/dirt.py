"""Dirt among the records, on request: soiled copies beside the sound rows, and events that arrive late.

Whether a row gets one follows from the seed and the row's own key, and a copy arrives with its row: later days never
change the dirt of earlier ones. Each planted row is told to ``planted``, one line a row: kind, table_name, columns, id.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from lakehouse.generator.dirt_parameters import Dirt
from lakehouse.generator.faults import EVENTS, KEYS, Fault, faults
from lakehouse.generator.streams import Floats, Source

Planted = list[pa.Table]

_LINES = pa.schema([(name, pa.string()) for name in ("kind", "table_name", "columns", "id")])


class Soil:
    """Adds soiled copies to the records of a company whose first day is ``start_day``, in days since 1970."""

    def __init__(self, dirt: Dirt, seed: int, start_day: int) -> None:
        self._source = Source(seed)
        self._faults: defaultdict[str, list[Fault]] = defaultdict(list)
        for fault in faults(start_day):
            self._faults[fault.table].append(fault)
        self._ends = {table: np.cumsum(_shares(dirt, of_table)) for table, of_table in self._faults.items()}

    def soiled(self, table: str, rows: pa.Table, planted: Planted) -> pa.Table:
        """Return the rows and, after them, soiled copies of some."""
        if table not in self._faults or not rows.num_rows:
            return rows
        drawn = _draw(self._source, f"dirt/{table}", table, rows)
        which = np.searchsorted(self._ends[table], drawn, side="right")
        parts = [rows]
        for number in np.unique(which[which < len(self._faults[table])]):
            fault, templates = self._faults[table][number], rows.take(np.flatnonzero(which == number))
            parts.append(fault.soiled(templates))
            planted.append(_lines(fault.kind, table, fault.columns, parts[-1], templates))
        return pa.concat_tables(parts)


class Delays:
    """Lets a few events arrive up to ``late_days`` days after they happened."""

    def __init__(self, dirt: Dirt, seed: int) -> None:
        self._share = dirt.events.late_event
        self._days = dirt.late_days
        self._source = Source(seed)
        self._waiting: list[pa.Table] = []

    def arriving(
        self, events: Iterable[pa.Table], days: tuple[int, int], month_end: int, planted: Planted
    ) -> Iterator[pa.Table]:
        """Yield what arrives on the days, inclusive and since 1970: of a month's events and of those still waiting.

        What arrives after ``month_end``, the month's last day, waits for the next month.
        """
        waiting, self._waiting = self._waiting, []
        for rows in waiting:
            yield from self._split(rows, days, month_end, planted)
        for rows in events:
            yield from self._split(rows, days, month_end, planted)

    def _split(self, rows: pa.Table, days: tuple[int, int], month_end: int, planted: Planted) -> Iterator[pa.Table]:
        if not rows.num_rows:
            return
        drawn = _draw(self._source, "dirt/late_event", EVENTS, rows)
        is_late = drawn < self._share
        delay_days = np.zeros(len(drawn), dtype=np.int64)
        # Below the share the draws are uniform again.
        delay_days[is_late] = 1 + (drawn[is_late] / self._share * self._days).astype(np.int64)
        arrives = np.asarray(rows["event_date"].cast(pa.int32())) + delay_days
        self._waiting.append(rows.filter(pa.array(arrives > month_end)))
        is_here = (days[0] <= arrives) & (arrives <= days[1])
        late = rows.filter(pa.array(is_here & is_late))
        planted.append(_lines("late_event", EVENTS, "", late, late))
        yield rows.filter(pa.array(is_here))


def told(planted: Planted) -> pa.Table:
    """Return the truth: one row per kind, table and changed columns, with how many ``rows`` and their ``ids``.

    A line that was told twice, because a generation was stopped in between, counts once.
    """
    lines = pa.concat_tables([_LINES.empty_table(), *planted]).group_by(_LINES.names).aggregate([]).sort_by("id")
    grouped = lines.group_by(["kind", "table_name", "columns"], use_threads=False)
    return (
        grouped.aggregate([("id", "count"), ("id", "list")])
        .rename_columns(["kind", "table_name", "columns", "rows", "ids"])
        .sort_by([(name, "ascending") for name in ("kind", "table_name", "columns")])
    )


def lines_of(truth: pa.Table) -> pa.Table:
    """Return the lines from which :func:`told` made the truth."""
    owner = pc.list_parent_indices(truth["ids"])
    named = truth.select(["kind", "table_name", "columns"]).take(owner)
    return named.append_column("id", pc.list_flatten(truth["ids"]))


def _lines(kind: str, table: str, columns: str, rows: pa.Table, templates: pa.Table) -> pa.Table:
    # A key that the fault takes away is told as it was.
    key = [pc.coalesce(_text(rows[name]), _text(templates[name])) for name in KEYS[table]]
    names = {"kind": kind, "table_name": table, "columns": columns}
    return pa.table(
        {name: pa.repeat(value, len(rows)) for name, value in names.items()}
        | {"id": pc.binary_join_element_wise(*key, "@")}
    )


def _text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    # Arrow would need the system's time zones to write a moment with one.
    naive = column.cast(pa.timestamp("us")) if pa.types.is_timestamp(column.type) else column
    return naive.cast(pa.string())


def _shares(dirt: Dirt, of_table: list[Fault]) -> list[float]:
    """Return the share of each fault: the faults of one kind divide its share."""
    by_kind = (dirt.events if of_table[0].table == EVENTS else dirt.records).by_kind
    kinds = [fault.kind for fault in of_table]
    return [by_kind[kind] / kinds.count(kind) for kind in kinds]


def _draw(source: Source, stream: str, table: str, rows: pa.Table) -> Floats:
    """Return a uniform for each row, from its key."""
    return source.uniform(stream, *(word for name in KEYS[table] for word in _counters(rows[name])))


def _counters(column: pa.ChunkedArray) -> list[NDArray[np.int64]]:
    """Return the values, ids of one length or days or moments, as whole numbers."""
    if pa.types.is_date32(column.type):
        column = column.cast(pa.int32())
    if not pa.types.is_string(column.type):
        return [np.asarray(column.cast(pa.int64()))]
    text = column.combine_chunks()
    offsets = np.frombuffer(text.buffers()[1], dtype=np.int32)[text.offset :][: len(text) + 1]
    characters = np.frombuffer(text.buffers()[2], dtype=np.uint8)[offsets[0] : offsets[-1]].reshape(len(text), -1)
    padded = np.pad(characters, ((0, 0), (0, -characters.shape[1] % 8)))
    return list(padded.view(np.int64).T)
