"""The audit of a table before it is published: every declared rule, in one aggregate over the table."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Literal

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from lakehouse.table import Column as DeclaredColumn
from lakehouse.table import Table

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
    """Apply the row rules of ``table`` and the uniqueness of its key to ``frame``, with one Spark job.

    A null does not pass a rule unless the column may be null.
    """
    started = time.monotonic()
    row_rules = rules(table)
    measures: dict[str, Column] = {"_rows": F.count(F.lit(1))}
    for name, expression in row_rules.items():
        measures[name] = F.count_if(~F.coalesce(F.expr(expression), F.lit(False)))
    measures["key_unique"] = F.count(F.lit(1)) - F.count_distinct(F.xxhash64(*table.key))
    found = frame.agg(*(measure.alias(name) for name, measure in measures.items())).first()
    counts = {} if found is None else found.asDict()
    seconds = (time.monotonic() - started) / len(measures)
    expressions = row_rules | {"key_unique": f"{', '.join(table.key)} is unique"}
    return [
        Result(table.name, name, expression, "fail" if counts[name] else "pass", counts["_rows"], counts[name], seconds)
        for name, expression in expressions.items()
    ]


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
