"""The audit of a table before it is published: every rule of a row, and the key, in one pass over the table.

The pass is the one that writes the table, where there is one: :func:`measures` are then observed on the way.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from lakehouse.fingerprint import digest
from lakehouse.rules import Action, Check, Rule, Severity
from lakehouse.table import Column as DeclaredColumn
from lakehouse.table import Table

# Rules per aggregate of bits.
WORD = 60
MESSAGE_LENGTH = 400

Status = Literal["pass", "fail", "error", "skipped"]


@dataclass(frozen=True)
class Result:
    """What one rule found: how many rows or groups it looked at and how many break it; error if the rule crashed."""

    table_name: str
    rule: str
    kind: str
    rule_version: str
    severity: Severity
    action: Action
    status: Status
    checked: int
    failed: int
    threshold: float
    duration_seconds: float
    description: str
    message: str | None = None

    @property
    def is_broken(self) -> bool:
        """Whether the rule failed or crashed."""
        return self.status in ("fail", "error")

    @property
    def stops(self) -> bool:
        """Whether the result keeps a run from publishing."""
        return self.is_broken and self.severity == "error" and self.action == "stop"

    @property
    def told(self) -> str:
        """What is wrong, for a person."""
        if self.status == "error":
            return f"{self.rule} of {self.table_name} crashed: {self.message}"
        return f"{self.failed:,} of {self.checked:,} rows of {self.table_name} break {self.rule}"


@dataclass(frozen=True)
class Key(Rule):
    """No two rows have the same values of the key ``columns``."""

    columns: tuple[str, ...]


def result(
    table: Table,
    rule: Rule,
    found: tuple[int, int] | None,
    seconds: float,
    *,
    crash: Exception | None = None,
) -> Result:
    """Return what ``rule`` found: numbers checked and failed, or None if it was skipped or crashed."""
    checked, failed = found or (0, 0)
    if found is None:
        status: Status = "skipped" if crash is None else "error"
    else:
        status = "fail" if failed > rule.threshold else "pass"
    return Result(
        table_name=table.name,
        rule=rule.name,
        kind=type(rule).__name__,
        rule_version=digest(repr(rule)),
        severity=rule.severity,
        action=rule.action,
        status=status,
        checked=checked,
        failed=failed,
        threshold=float(rule.threshold),
        duration_seconds=seconds,
        description=_described(rule),
        message=None if crash is None else " ".join(str(crash).split())[:MESSAGE_LENGTH],
    )


def row_rules(table: Table) -> list[Check]:
    """Return the rules of a row of ``table``: SQL that is true of a sound row, and false or null of another."""
    of_columns = [rule for column in table.columns for rule in _column_rules(column)]
    return [*of_columns, *table.checks]


def measures(table: Table) -> dict[str, Column]:
    """Return the aggregates that tell which row rules of ``table`` are broken, and over how many ``rows``.

    One bit a rule keeps them few, however many rules there are.
    """
    return {"rows": F.count("*"), **_broken_bits(row_rules(table))}


def audit(frame: DataFrame, table: Table, observed: Mapping[str, int | None] = MappingProxyType({})) -> list[Result]:
    """Apply the row rules of ``table`` and the uniqueness of its key to ``frame``.

    A null does not pass a rule unless the column may be null. A rule that crashes has the status error, and the others
    are applied without it. ``observed`` is what is known already of the values of :func:`measures` and of the number of
    distinct ``keys``; the rest, and rows that break a rule, take a Spark job.
    """
    started = time.monotonic()
    rules = row_rules(table)
    key = Key("key_unique", table.key)
    crashes: dict[str, Exception] = {}
    try:
        rows, failed = _failures(frame, key, rules, observed)
    except Exception:  # noqa: BLE001 - whatever a rule throws is its result
        rows, failed = _failures(frame, key, [], {})
        for rule in rules:
            try:
                failed |= _counted(frame, [rule])
            except Exception as error:  # noqa: BLE001
                crashes[rule.name] = error
    seconds = (time.monotonic() - started) / (len(rules) + 1)
    return [
        result(
            table,
            rule,
            None if rule.name in crashes else (rows, failed[rule.name]),
            seconds,
            crash=crashes.get(rule.name),
        )
        for rule in (*rules, key)
    ]


def holds(expression: str) -> Column:
    """Return whether a row satisfies ``expression``; a null is no."""
    return F.coalesce(F.expr(expression), F.lit(False))


def _failures(
    frame: DataFrame, key: Key, rules: list[Check], observed: Mapping[str, int | None]
) -> tuple[int, dict[str, int]]:
    """Return the number of rows, and by rule how many break it."""
    wanted = {"rows": F.count("*"), "keys": F.count_distinct(F.xxhash64(*key.columns)), **_broken_bits(rules)}
    unknown = {name: aggregate for name, aggregate in wanted.items() if name not in observed}
    found = _counts(observed) | (_measured(frame, unknown) if unknown else {})
    broken = [rule for bit, rule in enumerate(rules) if found[_bits(bit)] >> (bit % WORD) & 1]
    failed = {rule.name: 0 for rule in rules} | {key.name: found["rows"] - found["keys"]}
    return found["rows"], failed | (_counted(frame, broken) if broken else {})


def _counted(frame: DataFrame, rules: list[Check]) -> dict[str, int]:
    return _measured(frame, {rule.name: F.count_if(~holds(rule.expression)) for rule in rules})


def _broken_bits(rules: list[Check]) -> dict[str, Column]:
    words = range(0, len(rules), WORD)
    return {_bits(start): F.bit_or(_word(rules[start : start + WORD])) for start in words}


def _bits(rule: int) -> str:
    return f"bits_{rule // WORD}"


def _word(rules: list[Check]) -> Column:
    # One text to parse: a call from Python for each part of each rule takes longer than the rules themselves.
    bits = (f"IF(coalesce({rule.expression}, false), 0L, {1 << bit}L)" for bit, rule in enumerate(rules))
    return F.expr(" | ".join(bits))


def _measured(frame: DataFrame, aggregates: dict[str, Column]) -> dict[str, int]:
    return _counts(frame.agg(*(measure.alias(name) for name, measure in aggregates.items())).collect()[0].asDict())


def _counts(found: Mapping[str, int | None]) -> dict[str, int]:
    # The bits of an empty table are null.
    return {name: value or 0 for name, value in found.items()}


def _column_rules(column: DeclaredColumn) -> list[Check]:
    name, may_be_null = column.name, f"{column.name} IS NULL OR " if column.nullable else ""
    found = []
    if not column.nullable:
        found.append(Check(f"{name}_not_null", f"{name} IS NOT NULL"))
    if column.values:
        accepted = ", ".join(f"'{value}'" for value in column.values)
        found.append(Check(f"{name}_accepted", f"{may_be_null}{name} IN ({accepted})"))
    if column.minimum is not None:
        found.append(Check(f"{name}_minimum", f"{may_be_null}{name} >= {column.minimum}"))
    if column.maximum is not None:
        found.append(Check(f"{name}_maximum", f"{may_be_null}{name} <= {column.maximum}"))
    return found


def _described(rule: Rule) -> str:
    if isinstance(rule, Check):
        return rule.expression
    if isinstance(rule, Key):
        return f"{', '.join(rule.columns)} is unique"
    described = {name: value for name, value in vars(rule).items() if name not in vars(Rule("")) and value}
    return ", ".join(f"{name} {value}" for name, value in described.items())
