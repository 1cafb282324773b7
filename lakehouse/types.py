"""The scalar types that a column may have, by the name that a declaration uses, in Spark and in Arrow.

Only scalars: every table must open in Spark, delta-rs, DuckDB, a CSV file and a BI tool alike.
"""

from __future__ import annotations

import re
from functools import cache

import pyarrow as pa
from pyspark.sql import types as T

MONEY = "decimal(18,2)"
AMOUNT = "decimal(18,6)"
# Sums of doubles depend on their order; sums of these do not.
SECONDS = "decimal(18,3)"

_SCALARS: dict[str, tuple[T.DataType, pa.DataType]] = {
    "string": (T.StringType(), pa.string()),
    "int": (T.IntegerType(), pa.int32()),
    "bigint": (T.LongType(), pa.int64()),
    "double": (T.DoubleType(), pa.float64()),
    "boolean": (T.BooleanType(), pa.bool_()),
    "date": (T.DateType(), pa.date32()),
    "timestamp": (T.TimestampType(), pa.timestamp("us", tz="UTC")),
}


@cache
def _resolve(name: str) -> tuple[T.DataType, pa.DataType]:
    decimal = re.fullmatch(r"decimal\((\d+),(\d+)\)", name)
    if decimal:
        precision, scale = map(int, decimal.groups())
        return T.DecimalType(precision, scale), pa.decimal128(precision, scale)
    if name not in _SCALARS:
        raise ValueError(f"unknown column type {name!r}; known are {', '.join(_SCALARS)} and decimal(p,s)")
    return _SCALARS[name]


def spark_type(name: str) -> T.DataType:
    """Return the Spark type that a declaration calls ``name``."""
    return _resolve(name)[0]


def arrow_type(name: str) -> pa.DataType:
    """Return the Arrow type that a declaration calls ``name``; timestamps are microseconds in UTC."""
    return _resolve(name)[1]
