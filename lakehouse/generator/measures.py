"""An acceptance band, and how it is measured."""

from __future__ import annotations

from dataclasses import dataclass

import duckdb


@dataclass(frozen=True)
class Band:
    """A figure and where it should lie: ``measured`` and ``holds`` are None where it cannot be measured yet."""

    name: str
    low: float
    high: float
    measured: float | None
    unit: str
    holds: bool | None
    note: str = ""


@dataclass(frozen=True)
class Measure:
    """A band before it is measured: ``sql`` gives one number; ``needs`` are views beyond bronze."""

    name: str
    low: float
    high: float
    sql: str
    unit: str = "share"
    needs: str = ""


def measured(connection: duckdb.DuckDBPyConnection, measure: Measure, present: set[str]) -> Band:
    """Return the band with what is measured on the views; ``present`` are the names of those that there are."""
    if measure.needs and measure.needs not in present:
        return Band(measure.name, measure.low, measure.high, None, measure.unit, None, "after a run")
    row = connection.execute(measure.sql).fetchone()
    value = None if row is None or row[0] is None else float(row[0])
    holds = None if value is None else measure.low <= value <= measure.high
    return Band(
        measure.name, measure.low, measure.high, value, measure.unit, holds, "" if holds is not None else "no data"
    )
