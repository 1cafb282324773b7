"""The audit of a table before it is published: every declared rule, in one aggregate over the table."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import reduce
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


def audit(frame: DataFrame, table: Table) -> list[Result]:
    """Apply the row rules of ``table`` and the uniqueness of its key to ``frame``, with one Spark job if all hold.

    A null does not pass a rule unless the column may be null.
    """
    started = time.monotonic()
    expressions = rules(table)
    measures = {"rows": F.count("*"), "keys": F.count_distinct(F.xxhash64(*table.key))}
    found = _measured(frame, measures | _broken_bits(list(expressions.values())))
    broken = [name for bit, name in enumerate(expressions) if found[f"bits_{bit // WORD}"] >> (bit % WORD) & 1]
    failed = dict.fromkeys([*expressions, KEY_RULE], 0) | {KEY_RULE: found["rows"] - found["keys"]}
    if broken:
        failed |= _measured(frame, {name: F.count_if(~_holds(expressions[name])) for name in broken})
    seconds = (time.monotonic() - started) / len(failed)
    described = expressions | {KEY_RULE: f"{', '.join(table.key)} is unique"}
    return [
        Result(table.name, name, described[name], "fail" if count else "pass", found["rows"], count, seconds)
        for name, count in failed.items()
    ]


def _broken_bits(expressions: list[str]) -> dict[str, Column]:
    # One bit a rule, since beside a distinct count every measure is carried along with every key.
    words = range(0, len(expressions), WORD)
    return {f"bits_{start // WORD}": F.bit_or(_word(expressions[start : start + WORD])) for start in words}


def _word(expressions: list[str]) -> Column:
    bits = (F.when(_holds(expression), 0).otherwise(1 << bit) for bit, expression in enumerate(expressions))
    return reduce(lambda left, right: left.bitwiseOR(right), bits, F.lit(0).cast("bigint"))


def _holds(expression: str) -> Column:
    return F.coalesce(F.expr(expression), F.lit(False))


def _measured(frame: DataFrame, measures: dict[str, Column]) -> dict[str, int]:
    found = frame.agg(*(measure.alias(name) for name, measure in measures.items())).collect()[0]
    # The bits of an empty table are null.
    return {name: value or 0 for name, value in found.asDict().items()}


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
