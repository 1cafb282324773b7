"""The audit of what no row shows by itself: foreign keys, other tables, order, history.

DuckDB reads it from the stored files: Spark plans longer for such queries than they take, and what one engine wrote
another one adds up.
"""

from __future__ import annotations

import re
import time
from functools import singledispatch
from typing import Any

from lakehouse import rules as kinds
from lakehouse.audit import Result, result
from lakehouse.rules import CORRECTION_OF, QUARANTINE, WideRule, tables_beside
from lakehouse.scope import Scope
from lakehouse.table import Table

EXACT = "DECIMAL(38, 6)"


def wide_audit(table: Table, scope: Scope) -> list[Result]:
    """Apply the foreign keys and audits of ``table``; a rule that crashes is an error, the others are applied still."""
    return [_applied(rule, table, scope) for rule in table.wide_rules]


def _applied(rule: WideRule, table: Table, scope: Scope) -> Result:
    needed = {table.name} | tables_beside(rule)
    if needed & scope.stale or (isinstance(rule, kinds.Volume) and not scope.rows_before.get(table.name)):
        return result(table, rule, None, 0.0)
    started = time.monotonic()
    try:
        ((checked, failed),) = scope.rows(_query(rule, table, scope), needed)
    except Exception as crash:  # noqa: BLE001 - whatever a rule throws is its result
        return result(table, rule, None, time.monotonic() - started, crash=crash)
    return result(table, rule, (checked, failed), time.monotonic() - started)


@singledispatch
def _query(rule: Any, table: Table, scope: Scope) -> str:
    """Return SQL for one row: how much of ``table`` the rule checked and how much of that failed."""
    raise TypeError(f"{rule.name} of {table.name} is of an unknown kind")


@_query.register
def _(rule: kinds.ForeignKey, table: Table, scope: Scope) -> str:
    return f"""
        SELECT count(*), count(*) FILTER (_key IS NULL)
        FROM {table.name}
        LEFT JOIN (SELECT DISTINCT {scope.tables[rule.parent].key[0]} AS _key FROM {rule.parent}) ON {rule.column} = _key
        WHERE {rule.column} IS NOT NULL
    """


@_query.register
def _(rule: kinds.ParentCheck, table: Table, scope: Scope) -> str:
    parent = scope.tables[rule.parent]
    column = next(column for column, named in table.foreign_keys.items() if named == rule.parent)
    used = _used(rule.expression, parent.short_name)
    return f"""
        SELECT count(*), {_broken(rule.expression)}
        FROM {table.name}
        JOIN (SELECT {parent.key[0]} AS _key, {used} AS {parent.short_name} FROM {rule.parent}) ON {column} = _key
    """


@_query.register
def _(rule: kinds.Reconciliation, table: Table, scope: Scope) -> str:
    own = kinds.Part(table.name, rule.expression, where=rule.where)
    groups = ", ".join(f"group_{index}" for index in range(len(rule.by)))
    by_group = f"GROUP BY {groups}" if groups else ""

    def side(part: kinds.Part, *, is_own: bool) -> str:
        grouped = [f"{group} AS group_{index}" for index, group in enumerate(part.by or rule.by)]
        value = f"coalesce(CAST({part.expression} AS {EXACT}), 0)"
        selected = ", ".join([*grouped, f"{value if is_own else f'-{value}'} AS value", f"{is_own} AS is_own"])
        return f"SELECT {selected} FROM {part.table} WHERE {part.where} {by_group}"

    sides = " UNION ALL ".join([side(own, is_own=True), *(side(part, is_own=False) for part in rule.parts)])
    difference = "difference" if rule.comparison == "<=" else "abs(difference)"
    return f"""
        WITH differences AS (
            SELECT sum(value) AS difference, bool_or(is_own) AS is_own FROM ({sides}) {by_group}
        )
        SELECT count(*), count(*) FILTER ({difference} > {rule.tolerance})
        FROM differences WHERE is_own OR {not rule.own_groups}
    """


@_query.register
def _(rule: kinds.Constant, table: Table, scope: Scope) -> str:
    groups = ", ".join((*rule.within, *rule.by))
    within = f"GROUP BY {', '.join(rule.within)}" if rule.within else ""
    return f"""
        WITH found AS (SELECT {groups}, {rule.expression} AS value FROM {table.name} GROUP BY {groups}),
        judged AS (
            SELECT coalesce(min(value) = max(value) AND count(value) = count(*), count(*) = 0) AS is_same
            FROM found {within}
        )
        SELECT count(*), count(*) FILTER (NOT is_same) FROM judged
    """


@_query.register
def _(rule: kinds.Sequence, table: Table, scope: Scope) -> str:
    within = f"PARTITION BY {', '.join(rule.within)}" if rule.within else ""
    return f"""
        WITH judged AS (
            SELECT *, lag({_used(rule.expression, "previous")}) OVER in_order AS previous
            FROM {table.name} WHERE {rule.where}
            WINDOW in_order AS ({within} ORDER BY {", ".join(rule.order)})
        )
        SELECT count(*), {_broken(rule.expression)} FROM judged
    """


@_query.register
def _(rule: kinds.Received, table: Table, scope: Scope) -> str:
    is_due = "true" if rule.known_from is None else f"coalesce(CAST({rule.known_from} AS DATE) <= :as_of, true)"
    key, row = ", ".join(table.key), "_source, _batch_id, _row"
    return f"""
        WITH due AS (SELECT {key}, {row} FROM {rule.source} WHERE {is_due}),
        lost AS (
            FROM due
            ANTI JOIN {table.name} USING ({key})
            ANTI JOIN (FROM {rule.source} WHERE NOT {is_due}) USING ({key})
            ANTI JOIN (FROM {QUARANTINE} WHERE table_name = '{rule.source}') USING ({row})
        )
        SELECT (SELECT count(*) FROM due), (SELECT count(*) FROM lost)
    """


@_query.register
def _(rule: kinds.Once, table: Table, scope: Scope) -> str:
    is_known = " AND ".join(f"{name} IS NOT NULL" for name in rule.key)
    return f"""
        WITH received AS (
            SELECT count(*) AS times FROM {table.name}
            WHERE {is_known} AND NOT starts_with(_source, '{CORRECTION_OF}')
            GROUP BY {", ".join(rule.key)}
        )
        SELECT count(*), count(*) FILTER (times > 1) FROM received
    """


@_query.register
def _(rule: kinds.Timely, table: Table, scope: Scope) -> str:
    return f"""
        WITH days AS (
            SELECT _ingested_at, CAST({rule.moment} AS DATE) AS day, count(*) AS rows FROM {table.name} GROUP BY ALL
        ),
        deliveries AS (
            SELECT _ingested_at, max(max(day)) OVER earlier AS reached FROM days GROUP BY _ingested_at
            WINDOW earlier AS (ORDER BY _ingested_at ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
        )
        SELECT coalesce(sum(rows), 0), coalesce(sum(rows) FILTER (day <= reached), 0)
        FROM days JOIN deliveries USING (_ingested_at)
    """


@_query.register
def _(rule: kinds.Freshness, table: Table, scope: Scope) -> str:
    latest = f"CAST(max({rule.moment}) AS DATE)"
    return f"SELECT count(*), CAST(coalesce(:as_of - {latest} > {rule.days}, false) AS INT) FROM {table.name}"


@_query.register
def _(rule: kinds.Volume, table: Table, scope: Scope) -> str:
    before = scope.rows_before[table.name] or 0
    is_usual = f"count(*) BETWEEN {rule.least * before} AND {rule.most * before}"
    return f"SELECT count(*), CAST(NOT {is_usual} AS INT) FROM {table.name}"


def _broken(expression: str) -> str:
    return f"count(*) FILTER (NOT coalesce({expression}, false))"


def _used(expression: str, prefix: str) -> str:
    """Return the struct of those columns that ``expression`` names after ``prefix``."""
    names = sorted(set(re.findall(rf"\b{prefix}\.(\w+)", expression)))
    return "{" + ", ".join(f"'{name}': {name}" for name in names) + "}"
