"""What a run restates: figures of months that were complete and published, and are now others; kept in gold.restatements."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import duckdb
import pyarrow as pa

from lakehouse import delta, graph
from lakehouse.manifest import Manifest
from lakehouse.publish import entry
from lakehouse.run import Run
from lakehouse.table import Table

RESTATEMENTS = "gold.restatements"
NUMBERS = ("int", "bigint", "double", "decimal")


def restated(run: Run, manifest: Manifest) -> Manifest:
    """Write what ``manifest`` restates of the published run to gold.restatements; return it with that table's version.

    The table goes on from its published version: what a run wrote that was then not published is left out.
    """
    if RESTATEMENTS not in run.jobs:
        return manifest
    table, current = run.jobs[RESTATEMENTS].table, run.lake.readable_current()
    known = current.tables.get(RESTATEMENTS) if current else None
    rows = list(_rows(run, current, manifest)) if current else []
    run.restated = len(rows)
    if known is None or rows:
        earlier = delta.arrow(run.lake, table.name, known.version) if known else table.arrow_schema.empty_table()
        new = pa.Table.from_pylist(rows, schema=table.arrow_schema)
        # Comments of fields differ once they were stored; the data do not.
        data = pa.concat_tables([earlier.cast(table.arrow_schema), new])
        delta.overwrite(data, run.lake, table, run.config.lake, {"run_id": run.run_id})
        known = entry(run.lake, run.jobs[RESTATEMENTS])
    return manifest.model_copy(update={"tables": {**manifest.tables, RESTATEMENTS: known}})


def _rows(run: Run, before: Manifest, after: Manifest) -> Iterator[dict[str, Any]]:
    for name in run.jobs[RESTATEMENTS].table.inputs.values():
        versions = [manifest.versions.get(name) for manifest in (before, after)]
        if None not in versions and versions[0] != versions[1]:
            table = run.jobs[name].table
            told = {
                "run_id": after.run_id,
                "previous_run_id": before.run_id,
                "table_name": name,
                "as_of_before": before.as_of,
                "as_of": after.as_of,
                **_reasons(run, name, before, after),
            }
            yield from ({**told, **change} for change in _changes(run, table, versions, before))


def _reasons(run: Run, name: str, before: Manifest, after: Manifest) -> dict[str, str | None]:
    received = [source for source in graph.upstream(run.jobs, [name]) if source.startswith("bronze.")]
    changed = [source for source in received if before.versions.get(source) != after.versions.get(source)]
    reasons = {
        "records": bool(changed),
        "code": before.code != after.code,
        "configuration": before.configuration != after.configuration,
    }
    files = sorted(set(_files(run, changed, before)))
    # A fingerprint covers nothing else.
    cause = "+".join(reason for reason, differs in reasons.items() if differs) or "libraries"
    return {"cause": cause, "files": ", ".join(files) or None}


def _files(run: Run, tables: Iterable[str], before: Manifest) -> Iterator[str]:
    """Yield the names of the files, or batches, that the tables received since ``before``."""
    for name in tables:
        for head in run.lake.heads(name):
            if head.version == before.versions.get(name):
                break
            batch = head.metadata.get("batch") or {}
            source = head.metadata.get("released") or batch.get("file") or batch.get("batch_id")
            if source:
                yield str(source)


def _changes(run: Run, table: Table, versions: list[int | None], before: Manifest) -> list[dict[str, Any]]:
    """Return measure, month, figure_of, value_before, value_after and change of each figure that is another one."""
    group = ", ".join(f"'{name}=' || {name}" for name in table.key if name != "month")
    measures = [column.name for column in table.columns if column.type.startswith(NUMBERS) and not column.ripens]
    numbers = ", ".join(f"CAST({name} AS DECIMAL(38, 9)) AS {name}" for name in measures)
    figures = f"""
        UNPIVOT (
            SELECT month, concat_ws(', ', {group or "'all'"}) AS figure_of, {numbers} FROM {{}}
            WHERE last_day(month) <= $as_of
        ) ON {", ".join(measures)} INTO NAME measure VALUE value
    """  # noqa: S608 - names from the declaration
    with duckdb.connect() as connection:
        for name, version in zip(("earlier", "later"), versions, strict=True):
            connection.register(name, delta.arrow(run.lake, table.name, version))
        found = connection.sql(
            f"""
            SELECT measure, month, figure_of, old.value AS value_before, new.value AS value_after,
                new.value - old.value AS change
            FROM ({figures.format("earlier")}) AS old
            FULL JOIN ({figures.format("later")}) AS new USING (month, figure_of, measure)
            WHERE old.value IS DISTINCT FROM new.value
            ORDER BY month, figure_of, measure
            """,  # noqa: S608
            params={"as_of": before.as_of},
        )
        rows: list[dict[str, Any]] = found.to_arrow_table().to_pylist()
    return rows
