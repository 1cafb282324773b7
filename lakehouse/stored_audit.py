"""The rules over more than one row that the stored files answer by themselves: they take no Spark job."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from functools import reduce

import pyarrow as pa
import pyarrow.compute as pc

from lakehouse.rules import CORRECTION_OF, ForeignKey, Freshness, Once, Volume
from lakehouse.scope import Scope
from lakehouse.table import Table

StoredRule = ForeignKey | Freshness | Once | Volume


def counted(rule: StoredRule, table: Table, scope: Scope) -> tuple[int, int]:
    """Return how much of ``table`` the rule checked and how much of that failed."""
    match rule:
        case ForeignKey():
            return _foreign_key(rule, table, scope)
        case Freshness():
            return _freshness(rule, table, scope)
        case Once():
            return _once(rule, table, scope)
        case Volume():
            rows, before = scope.stored(table.name).count_rows(), scope.rows_before[table.name] or 0
            return rows, int(not rule.least * before <= rows <= rule.most * before)


def _foreign_key(rule: ForeignKey, table: Table, scope: Scope) -> tuple[int, int]:
    key = scope.tables[rule.parent].key[0]
    keys = scope.stored(rule.parent).to_table(columns=[key])[key].combine_chunks()
    checked = failed = 0
    # A batch at a time, so that memory does not grow with the table.
    for values in _batches(table, rule.column, scope):
        is_known = pc.is_in(values, value_set=keys.cast(values.type))
        checked += len(values)
        failed += len(values) - is_known.true_count
    return checked, failed


def _freshness(rule: Freshness, table: Table, scope: Scope) -> tuple[int, int]:
    latest = [pc.max(values).as_py() for values in _batches(table, rule.moment, scope) if len(values)]
    is_stale = bool(latest) and (scope.as_of - _day(max(latest))).days > rule.days
    return scope.stored(table.name).count_rows(), int(is_stale)


def _once(rule: Once, table: Table, scope: Scope) -> tuple[int, int]:
    rows = scope.stored(table.name).to_table(columns=[*rule.key, "_source"])
    is_known = reduce(pc.and_, (pc.is_valid(rows[name]) for name in rule.key))
    is_correction = pc.starts_with(rows["_source"], CORRECTION_OF)
    compared = rows.filter(pc.and_not(is_known, is_correction))
    times = compared.group_by(list(rule.key)).aggregate([([], "count_all")])["count_all"]
    return len(times), pc.sum(pc.greater(times, 1)).as_py() or 0


def _batches(table: Table, column: str, scope: Scope) -> Iterator[pa.Array]:
    return (batch.column(0).drop_null() for batch in scope.stored(table.name).to_batches(columns=[column]))


def _day(moment: date) -> date:
    return moment.date() if isinstance(moment, datetime) else moment
