"""The audit of a table before it is published: every declared rule, in one pass over the table.

The pass is the one that writes the table, where there is one: :func:`measures` are then observed on the way.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce
from types import MappingProxyType
from typing import Literal

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from lakehouse.table import Column as DeclaredColumn
from lakehouse.table import Table

KEY_RULE = "key_unique"
# Rules per aggregate of bits.
WORD = 60

Status = Literal["pass", "fail", "error", "skipped"]


@dataclass(frozen=True)
class Result:
    """What one rule found: how many rows it looked at and how many break it."""

    table_name: str
    rule: str
    expression: str
    status: Status
    checked: int
    failed: int
    duration_seconds: float


def rules(table: Table) -> dict[str, str]:
    """Return the row rules of a table, by name: SQL that is true of a sound row, and false or null of another."""
    declared: dict[str, str] = {}
    for column in table.columns:
        declared |= _column_rules(column)
    return declared | {check.name: check.expression for check in table.checks}


def measures(table: Table) -> dict[str, Column]:
    """Return the aggregates that tell which row rules of ``table`` are broken, and over how many ``rows``.

    One bit a rule keeps them few, however many rules there are.
    """
    expressions = list(rules(table).values())
    words = range(0, len(expressions), WORD)
    bits = {_bits(start): F.bit_or(_word(expressions[start : start + WORD])) for start in words}
    return {"rows": F.count("*"), **bits}


def audit(frame: DataFrame, table: Table, observed: Mapping[str, int | None] = MappingProxyType({})) -> list[Result]:
    """Apply the row rules of ``table`` and the uniqueness of its key to ``frame``.

    A null does not pass a rule unless the column may be null. ``observed`` is what is known already of the values of
    :func:`measures` and of the number of distinct ``keys``; the rest, and rows that break a rule, take a Spark job.
    """
    started = time.monotonic()
    expressions = rules(table)
    wanted = {**measures(table), "keys": F.count_distinct(F.xxhash64(*table.key))}
    unknown = {name: aggregate for name, aggregate in wanted.items() if name not in observed}
    found = _counts(observed) | (_measured(frame, unknown) if unknown else {})
    broken = [name for bit, name in enumerate(expressions) if found[_bits(bit)] >> (bit % WORD) & 1]
    failed = dict.fromkeys([*expressions, KEY_RULE], 0) | {KEY_RULE: found["rows"] - found["keys"]}
    if broken:
        failed |= _measured(frame, {name: F.count_if(~_holds(expressions[name])) for name in broken})
    seconds = (time.monotonic() - started) / len(failed)
    described = expressions | {KEY_RULE: f"{', '.join(table.key)} is unique"}
    return [
        Result(table.name, name, described[name], "fail" if count else "pass", found["rows"], count, seconds)
        for name, count in failed.items()
    ]


def _bits(rule: int) -> str:
    return f"bits_{rule // WORD}"


def _word(expressions: list[str]) -> Column:
    bits = (F.when(_holds(expression), 0).otherwise(1 << bit) for bit, expression in enumerate(expressions))
    return reduce(lambda left, right: left.bitwiseOR(right), bits, F.lit(0).cast("bigint"))


def _holds(expression: str) -> Column:
    return F.coalesce(F.expr(expression), F.lit(False))


def _measured(frame: DataFrame, aggregates: dict[str, Column]) -> dict[str, int]:
    return _counts(frame.agg(*(measure.alias(name) for name, measure in aggregates.items())).collect()[0].asDict())


def _counts(found: Mapping[str, int | None]) -> dict[str, int]:
    # The bits of an empty table are null.
    return {name: value or 0 for name, value in found.items()}


def _column_rules(column: DeclaredColumn) -> dict[str, str]:
    name, may_be_null = column.name, f"{column.name} IS NULL OR " if column.nullable else ""
    found = {}
    if not column.nullable:
        found[f"{name}_not_null"] = f"{name} IS NOT NULL"
    if column.values:
        accepted = ", ".join(f"'{value}'" for value in column.values)
        found[f"{name}_accepted"] = f"{may_be_null}{name} IN ({accepted})"
    if column.minimum is not None:
        found[f"{name}_minimum"] = f"{may_be_null}{name} >= {column.minimum}"
    if column.maximum is not None:
        found[f"{name}_maximum"] = f"{may_be_null}{name} <= {column.maximum}"
    return found
