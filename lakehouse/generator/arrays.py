"""Arrays of unequal groups, and Arrow columns from NumPy arrays without a Python object per row."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Mapping, Sequence
from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from lakehouse.generator.streams import Ints, Words

MICROSECONDS_PER_SECOND = 1_000_000
SECONDS_PER_DAY = 86_400
MICROSECONDS_PER_DAY = SECONDS_PER_DAY * MICROSECONDS_PER_SECOND

_HEX_PAIRS = np.frombuffer("".join(f"{byte:02x}" for byte in range(256)).encode(), dtype=np.uint16)


def members(counts: Ints) -> tuple[Ints, Ints]:
    """Return for each member of groups of the given sizes the index of its group and its place in it, from 0."""
    group = np.repeat(np.arange(len(counts)), counts)
    start = np.cumsum(counts) - counts
    return group, np.arange(len(group)) - start[group]


def carried(values: Ints) -> Ints:
    """Return the values, each negative one replaced by the last one before that is not; the first must not be negative."""
    place = np.where(values >= 0, np.arange(len(values)), 0)
    return np.asarray(values[np.maximum.accumulate(place)])


def month_index(month: date) -> int:
    """Return a number that grows by one from month to month."""
    return month.year * 12 + month.month


def month_days(month: date) -> int:
    """Return how many days the month has."""
    return monthrange(month.year, month.month)[1]


def day_number(day: date) -> int:
    """Return the days from 1970-01-01 to ``day``."""
    return day.toordinal() - date(1970, 1, 1).toordinal()


def hex_ids(values: Ints | Words) -> pa.Array:
    """Return each value as 16 hexadecimal digits."""
    digits = _HEX_PAIRS[values.astype(">u8").view(np.uint8)]
    return _fixed_width(digits.view(np.uint8), 16, len(values))


def numbered_ids(*parts: str | tuple[Ints, int]) -> pa.Array:
    """Return strings put together from texts and numbers, each number with its width in digits."""
    length = next(len(part[0]) for part in parts if not isinstance(part, str))
    columns: list[NDArray[np.uint8]] = []
    for part in parts:
        if isinstance(part, str):
            columns += [np.full(length, ord(character), dtype=np.uint8) for character in part]
        else:
            number, width = part
            columns += [(number // 10**place % 10 + ord("0")).astype(np.uint8) for place in reversed(range(width))]
    return _fixed_width(np.column_stack(columns), len(columns), length)


def customer_ids(customer: Ints) -> pa.Array:
    """Return the customer_id of each ordinal, as :func:`lakehouse.generator.state.customer_ids` does."""
    return numbered_ids("C", (customer, 7))


def labels(values: Sequence[str | None], index: NDArray[np.integer]) -> pa.Array:
    """Return ``values[index]`` as strings."""
    return pc.take(pa.array(values, pa.string()), pa.array(index))


def instants(microseconds: Ints, missing: NDArray[np.bool_] | None = None) -> pa.Array:
    """Return the moments, in microseconds since 1970; null where ``missing``."""
    return pa.array(microseconds, pa.int64(), mask=missing).view(pa.timestamp("us", tz="UTC"))


def days(numbers: Ints) -> pa.Array:
    """Return the days since 1970 as dates."""
    return pa.array(numbers.astype(np.int32)).view(pa.date32())


def table(schema: pa.Schema, columns: Mapping[str, pa.Array | NDArray[np.generic]]) -> pa.Table:
    """Return the columns in the order and with the types of the schema."""
    return pa.table({name: columns[name] for name in schema.names}).cast(schema)


def _fixed_width(characters: NDArray[np.uint8], width: int, length: int) -> pa.Array:
    offsets = np.arange(0, (length + 1) * width, width, dtype=np.int32)
    return pa.StringArray.from_buffers(length, pa.py_buffer(offsets), pa.py_buffer(np.ascontiguousarray(characters)))
