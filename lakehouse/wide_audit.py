"""The audit of what no row shows by itself: foreign keys, other tables, order, history. One Spark job per table at most."""

from __future__ import annotations

import re
import time
from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.window import Window

from lakehouse import rules as kinds
from lakehouse.audit import Result, holds, result
from lakehouse.rules import QUARANTINE, WideRule, tables_beside
from lakehouse.scope import Scope
from lakehouse.stored_audit import StoredRule, counted
from lakehouse.table import Table

EXACT = "decimal(38,6)"
ROW_OF_BRONZE = ("_source", "_batch_id", "_row")


def wide_audit(table: Table, scope: Scope) -> list[Result]:
    """Apply the foreign keys and audits of ``table``; a rule that crashes is an error, the others are applied still."""
    started = time.monotonic()
    due = [rule for rule in table.wide_rules if not _is_skipped(rule, table, scope)]
    crashes: dict[str, Exception] = {}
    try:
        found = _measured(due, table, scope)
    except Exception:  # noqa: BLE001 - whatever a rule throws is its result
        found = {}
        for rule in due:
            try:
                found |= _measured([rule], table, scope)
            except Exception as error:  # noqa: BLE001
                crashes[rule.name] = error
    seconds = (time.monotonic() - started) / max(1, len(due))
    return [
        result(table, rule, found.get(rule.name), seconds if rule in due else 0.0, crash=crashes.get(rule.name))
        for rule in table.wide_rules
    ]


def _is_skipped(rule: WideRule, table: Table, scope: Scope) -> bool:
    if isinstance(rule, kinds.Volume) and not scope.rows_before.get(table.name):
        return True
    return bool((tables_beside(rule) | {table.name}) & scope.stale)


def _measured(rules: list[WideRule], table: Table, scope: Scope) -> dict[str, tuple[int, int]]:
    """Return how much each rule checked and how much of that failed."""
    stored = {rule.name: counted(rule, table, scope) for rule in rules if isinstance(rule, StoredRule)}
    linked = [rule for rule in rules if isinstance(rule, kinds.ParentCheck)]
    frames = [_links(linked, table, scope)] if linked else []
    frames += [
        _measure(rule, table, scope).select(F.lit(rule.name).alias("rule"), "checked", "failed")
        for rule in rules
        if rule.name not in stored and rule not in linked
    ]
    measured = reduce(DataFrame.unionByName, frames).collect() if frames else []
    return stored | {row.rule: (row.checked, row.failed) for row in measured}


def _links(rules: list[kinds.ParentCheck], table: Table, scope: Scope) -> DataFrame:
    """Measure all rules over a row and its parent in one pass over the table."""
    frame = scope.read(table.name)
    columns = {
        parent: next(column for column, named in table.foreign_keys.items() if named == parent)
        for parent in sorted({rule.parent for rule in rules})
    }
    for parent, column in columns.items():
        frame = frame.join(
            F.broadcast(_parent(scope.tables[parent], rules, column, scope)),
            on=F.col(column) == F.col(f"_{column}"),
            how="left",
        )
    measures = [
        _counts(rule.name, F.col(f"_{columns[rule.parent]}").isNotNull(), holds(scope.expression(rule.expression)))
        for rule in rules
    ]
    return frame.agg(F.array(*measures).alias("measures")).select(F.inline("measures"))


def _counts(name: str, is_checked: Column, is_sound: Column) -> Column:
    failed = F.count_if(is_checked & ~is_sound)
    return F.struct(F.lit(name).alias("rule"), F.count_if(is_checked).alias("checked"), failed.alias("failed"))


def _parent(parent: Table, rules: list[kinds.ParentCheck], column: str, scope: Scope) -> DataFrame:
    used = _used(" ".join(rule.expression for rule in rules if rule.parent == parent.name), parent.short_name)
    key = F.col(parent.key[0]).alias(f"_{column}")
    return scope.read(parent.name).select(key, F.struct(*used).alias(parent.short_name))


def _used(expression: str, prefix: str) -> list[str]:
    return sorted(set(re.findall(rf"\b{prefix}\.(\w+)", expression)))


def _measure(rule: WideRule, table: Table, scope: Scope) -> DataFrame:
    """Return one row: checked, failed."""
    frame = scope.read(table.name)
    match rule:
        case kinds.Reconciliation():
            return _reconciliation(rule, frame, scope)
        case kinds.Constant():
            return _constant(rule, frame)
        case kinds.Sequence():
            return _sequence(rule, frame, scope)
        case kinds.Received():
            return _received(rule, frame, table, scope)
        case kinds.Timely():
            return _timely(rule, frame)
        case _:
            raise TypeError(f"{rule.name} is of an unknown kind")


def _reconciliation(rule: kinds.Reconciliation, frame: DataFrame, scope: Scope) -> DataFrame:
    groups = [f"group_{index}" for index in range(len(rule.by))]

    def side(frame: DataFrame, part: kinds.Part, *, is_own: bool) -> DataFrame:
        grouped = [F.expr(group).alias(name) for name, group in zip(groups, part.by or rule.by, strict=True)]
        value = F.coalesce(F.expr(part.expression).cast(EXACT), F.lit(0))
        aggregated = frame.filter(scope.expression(part.where)).groupBy(*grouped)
        return aggregated.agg((value if is_own else -value).alias("value"), F.lit(is_own).alias("is_own"))

    own = kinds.Part("", rule.expression, where=rule.where)
    sides = [side(frame, own, is_own=True), *(side(scope.read(part.table), part, is_own=False) for part in rule.parts)]
    differences = (
        reduce(DataFrame.unionByName, sides)
        .groupBy(*groups)
        .agg(F.sum("value").alias("difference"), F.bool_or("is_own").alias("is_own"))
    )
    difference = F.col("difference") if rule.comparison == "<=" else F.abs("difference")
    return differences.filter(F.col("is_own") | F.lit(not rule.own_groups)).agg(
        F.count("*").alias("checked"), F.count_if(difference > F.lit(rule.tolerance)).alias("failed")
    )


def _constant(rule: kinds.Constant, frame: DataFrame) -> DataFrame:
    values = frame.groupBy(*rule.within, *rule.by).agg(F.expr(rule.expression).alias("value"))
    is_same = (F.min("value") == F.max("value")) & (F.count("value") == F.count("*"))
    return (
        values.groupBy(*rule.within)
        .agg(F.coalesce(is_same, F.count("*") == 0).alias("is_same"))
        .agg(F.count("*").alias("checked"), F.count_if(~F.col("is_same")).alias("failed"))
    )


def _sequence(rule: kinds.Sequence, frame: DataFrame, scope: Scope) -> DataFrame:
    in_order = Window.partitionBy(*rule.within).orderBy(*rule.order)
    previous = F.lag(F.struct(*_used(rule.expression, "previous"))).over(in_order)
    judged = frame.filter(scope.expression(rule.where)).withColumn("previous", previous)
    is_sound = holds(scope.expression(rule.expression))
    return judged.select(is_sound.alias("is_sound")).agg(
        F.count("*").alias("checked"), F.count_if(~F.col("is_sound")).alias("failed")
    )


def _received(rule: kinds.Received, frame: DataFrame, table: Table, scope: Scope) -> DataFrame:
    received, key = scope.read(rule.source), list(table.key)
    known_from = F.lit(None) if rule.known_from is None else F.to_date(rule.known_from)
    is_due = F.coalesce(known_from <= F.lit(scope.as_of), F.lit(True))
    known = frame.select(*key, F.lit(True).alias("is_known"))
    pending = received.filter(~is_due).select(*key, F.lit(True).alias("is_pending")).distinct()
    rejected = (
        scope.read(QUARANTINE)
        .filter(F.col("table_name") == rule.source)
        .select(*ROW_OF_BRONZE, F.lit(True).alias("is_rejected"))
    )
    accounted = (
        received.filter(is_due)
        .join(known, on=key, how="left")
        .join(F.broadcast(pending), on=key, how="left")
        .join(F.broadcast(rejected), on=list(ROW_OF_BRONZE), how="left")
    )
    is_lost = F.isnull("is_known") & F.isnull("is_pending") & F.isnull("is_rejected")
    return accounted.agg(F.count("*").alias("checked"), F.count_if(is_lost).alias("failed"))


def _timely(rule: kinds.Timely, frame: DataFrame) -> DataFrame:
    days = frame.groupBy("_ingested_at", F.to_date(rule.moment).alias("day")).agg(F.count("*").alias("rows"))
    before = Window.orderBy("_ingested_at").rowsBetween(Window.unboundedPreceding, -1)
    deliveries = days.groupBy("_ingested_at").agg(F.max("day").alias("last_day"))
    reached = deliveries.select("_ingested_at", F.max("last_day").over(before).alias("reached"))
    judged = days.join(F.broadcast(reached), on="_ingested_at", how="left")
    is_late = F.col("day") <= F.col("reached")
    return judged.agg(
        F.coalesce(F.sum("rows"), F.lit(0)).alias("checked"),
        F.coalesce(F.sum(F.when(is_late, F.col("rows"))), F.lit(0)).alias("failed"),
    )
