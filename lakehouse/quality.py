"""The checks of a whole run, beyond those of each table as it is built, and of a lake that is left as it is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

import pyarrow as pa
from deltalake import DeltaTable
from pyspark.sql import SparkSession

from lakehouse import delta
from lakehouse.audit import Result, audit
from lakehouse.audit import result as result_of
from lakehouse.errors import QualityError
from lakehouse.lake import Lake
from lakehouse.lock import jvm_lock, writer_lock
from lakehouse.manifest import Manifest
from lakehouse.ops import record
from lakehouse.plan import make_plan
from lakehouse.rules import QUARANTINE, tables_beside
from lakehouse.run import Run
from lakehouse.scope import Scope
from lakehouse.session import get_session
from lakehouse.settings import Settings
from lakehouse.table import Table
from lakehouse.wide_audit import wide_audit

if TYPE_CHECKING:
    from pyarrow.dataset import Dataset

# While one table's checks are planned, the other's are computed.
WORKERS = 2
# A reason names every rule that the row breaks, each with what it requires.
REJECTIONS = f"""
    SELECT table_name, split_part(part, ':', 1) AS rule, count(*)
    FROM {QUARANTINE}, unnest(string_split(reason, '; ')) AS parts(part)
    WHERE NOT is_corrected GROUP BY ALL
"""  # noqa: S608 - a name of the project


def audit_across_tables(run: Run, settings: Settings) -> list[Result]:
    """Apply the rules that need more than a row of one table, as far as a table they read is not the published one.

    Tables that remain to be computed anew say nothing yet: rules that read one are skipped.
    """
    current = run.lake.readable_current()
    published = current.versions if current else {}
    heads = {name: head.version for name in run.jobs if (head := run.lake.head(name))}
    changed = {name for name, version in heads.items() if published.get(name) != version}
    tables = {name: job.table for name, job in run.jobs.items()}
    scope = Scope(
        tables=tables,
        stored=_stored(run.lake, tables, heads),
        as_of=settings.as_of,
        rows_before=_rows(current),
        stale=make_plan(run.jobs, run.lake, settings).due,
    )
    concerned = [table for table in tables.values() if _read_by(table) & changed]
    return _wide_results(scope, concerned) + _rejections(scope, run.lake, heads, changed)


def check_lake(run: Run, names: Iterable[str], *, wait: bool = False) -> None:
    """Apply every rule that the tables ``names`` declare to their published versions, and record what was found.

    Raises:
        LakeBusyError: if another process writes to the lake and it is not to ``wait`` for it.
        BrokenLakeError: if nothing is published, or a published table is gone.
    """
    with writer_lock(run.lake.root, wait=wait):
        manifest = run.lake.published()
        run.as_of = manifest.as_of
        try:
            spark = get_session()
            with jvm_lock(spark, run.lake.root):
                run.results = _checked(run, spark, manifest, names)
            run.status = "failed" if any(result.stops for result in run.results) else "checked"
        finally:
            record(run)


def _checked(run: Run, spark: SparkSession, manifest: Manifest, names: Iterable[str]) -> list[Result]:
    tables = {name: job.table for name, job in run.jobs.items()}
    earlier = [kept for kept in run.lake.manifests() if kept.run_id < manifest.run_id and not kept.withdrawn]
    scope = Scope(
        tables=tables,
        stored=_stored(run.lake, tables, manifest.versions),
        as_of=manifest.as_of,
        rows_before=_rows(earlier[-1] if earlier else None),
        stale=tables.keys() - manifest.versions.keys(),
    )
    chosen = [tables[name] for name in names if name in manifest.versions]
    computed = [table for table in chosen if not run.jobs[table.name].is_received]

    def audited(table: Table) -> list[Result]:
        return audit(delta.read(spark, run.lake, table, manifest.versions[table.name]), table)

    with ThreadPoolExecutor(WORKERS) as pool:
        by_row = list(pool.map(audited, computed))
    by_row_results = [found for results in by_row for found in results]
    received = {table.name for table in chosen} - {table.name for table in computed}
    return by_row_results + _wide_results(scope, chosen) + _rejections(scope, run.lake, manifest.versions, received)


def refuse_broken(results: Iterable[Result], consequence: str, do: str) -> None:
    """Raise what stops a run, if anything does.

    Raises:
        QualityError: naming each rule of severity error and action stop that failed or crashed.
    """
    stopping = [one for one in results if one.stops]
    if stopping:
        raise QualityError(
            consequence,
            found="; ".join(one.told for one in stopping),
            expected="; ".join(f"{one.rule}: {one.description}" for one in stopping),
            do=do,
        )


def _stored(
    lake: Lake, tables: Mapping[str, Table], versions: Mapping[str, int]
) -> Callable[[str], Dataset | pa.Table]:
    def stored(name: str) -> Dataset | pa.Table:
        if name not in versions:
            return tables[name].arrow_schema.empty_table()
        return delta.dataset(lake, name, versions[name])

    return stored


def _rows(manifest: Manifest | None) -> dict[str, int | None]:
    return {name: entry.rows for name, entry in manifest.tables.items()} if manifest else {}


def _read_by(table: Table) -> set[str]:
    return {table.name}.union(*map(tables_beside, table.wide_rules)) if table.wide_rules else set()


def _wide_results(scope: Scope, tables: Iterable[Table]) -> list[Result]:
    return [found for table in tables for found in wide_audit(table, scope)]


def _rejections(scope: Scope, lake: Lake, versions: Mapping[str, int], names: Iterable[str]) -> list[Result]:
    """Return how many received rows each rule of a bronze table has sent to quarantine."""
    judged = [scope.tables[name] for name in names if scope.tables[name].rejections and name in versions]
    if not judged or QUARANTINE in scope.stale:
        return []
    counted = scope.rows(REJECTIONS, [QUARANTINE])
    failed = {(name, rule): times for name, rule, times in counted}
    results = []
    for table in judged:
        received = DeltaTable(str(lake.table_path(table.name)), version=versions[table.name]).count()
        for rule in table.rejections:
            found = (received, failed.get((table.name, rule.name), 0))
            results.append(result_of(table, replace(rule, severity="warn", action="quarantine"), found, 0.0))
    return results
