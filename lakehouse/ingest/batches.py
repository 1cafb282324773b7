"""``ops.batches``: which files came in, each known by its content, and what became of every row.

A file is registered by the very commit that appends its rows. Its row here follows when the run has told which of them
were kept; until then, and if the run fails, the commit is the record.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from itertools import groupby
from operator import itemgetter
from typing import Any

from lakehouse import delta
from lakehouse.errors import BrokenLakeError, UsageError
from lakehouse.ingest.cells import in_utc
from lakehouse.ingest.folder import SourceFile
from lakehouse.ingest.sources import FileMapping
from lakehouse.lake import Lake
from lakehouse.ops import BATCHES, append
from lakehouse.registry import Job
from lakehouse.rules import QUARANTINE
from lakehouse.run import Run
from lakehouse.table import Table


@dataclass
class Known:
    """The files whose rows a lake holds: each batch with the mapping that it was read by, and the newest of each name."""

    batches: dict[tuple[str, str], str | None] = field(default_factory=dict)
    newest: dict[tuple[str, str], str] = field(default_factory=dict)


def known(lake: Lake, jobs: Mapping[str, Job]) -> Known:
    """Return the files whose rows the lake holds, those too whose run has failed.

    Replaced ones may come again, and so may those of a table that was lost.
    """
    found = Known()
    began = {name: lake.first_run(name) for name, job in jobs.items() if job.is_received}
    held = [
        row for row in _recorded(lake) if (first := began.get(row["table_name"])) is not None and first <= row["run_id"]
    ]
    by_run = sorted(held + unrecorded(lake, jobs), key=itemgetter("run_id"))
    for _, of_run in groupby(by_run, key=itemgetter("run_id")):
        rows = list(of_run)
        # What one file of a delivery gives up, another one may bring.
        for row in rows:
            found.batches.pop((row["table_name"], row["replaces"]), None)
        for row in rows:
            found.batches[row["table_name"], row["batch_id"]] = row.get("mapping")
            found.newest[row["table_name"], row["file"]] = row["batch_id"]
    return found


def due(
    known_files: Known, found: list[SourceFile], mappings: Mapping[str, FileMapping], *, replace: bool
) -> dict[SourceFile, str | None]:
    """Return the files to be received, each with the batch that it replaces: none, if its name is new as well.

    Raises:
        UsageError: if a known name has another content and is not to ``replace`` the earlier one, or has that of another file.
    """
    changed = {
        file: known_files.newest[_named(file)]
        for file in found
        if _named(file) in known_files.newest and _is_changed(known_files, file, mappings, replace=replace)
    }
    if changed and not replace:
        raise UsageError(
            "Files have changed since they were received",
            found=f"another content in {', '.join(file.name for file in changed)}",
            expected="a new name for new records",
            do="Rename the files if their rows come in addition, or add --replace if they take the place of the earlier ones.",
        )
    staying = known_files.batches.keys() - {(f"bronze.{file.table}", batch) for file, batch in changed.items()}
    named_anew = [file for file in found if _named(file) not in known_files.newest and _content(file) not in staying]
    fresh = {_content(file): file for file in reversed(named_anew)}
    times = Counter([*staying, *fresh, *map(_content, changed)])
    twice = [file.name for file in changed if times[_content(file)] > 1]
    if twice:
        raise UsageError(
            "Files cannot take the place of their earlier content",
            found=f"the content of another file in {', '.join(twice)}",
            expected="each content under one name",
            do="Put the right content there, or take the file away; nothing was received.",
        )
    return {file: changed.get(file) for file in found if file in changed or file in fresh.values()}


def unrecorded(lake: Lake, jobs: Mapping[str, Job]) -> list[dict[str, Any]]:
    """Return the files whose commits are newer than the last one that is recorded, of each table."""
    recorded = {_received_as(row) for row in _recorded(lake)}
    found: dict[tuple[str, ...], dict[str, Any]] = {}
    for name in (name for name, job in jobs.items() if job.is_received):
        for head in lake.heads(name):
            batch = head.metadata.get("batch") or {}
            file = {**batch, "table_name": name, "run_id": head.metadata.get("run_id"), "received": batch.get("rows")}
            if "digest" in batch and _received_as(file) in recorded:
                break
            # Corrections that were released repeat what the commit before them said, and are no file.
            if "digest" in batch and "released" not in head.metadata:
                found[_received_as(file)] = file
    return list(found.values())


def cut_short(lake: Lake, jobs: Mapping[str, Job]) -> list[tuple[date | None, ...]]:
    """Return how far each file reaches that came since the last delivery that was brought to its end."""
    ended, reaches = "", []
    for name in (name for name, job in jobs.items() if job.is_received):
        for head in lake.heads(name):
            batch, run_id = head.metadata.get("batch") or {}, str(head.metadata.get("run_id", ""))
            if "reach" not in batch or "released" in head.metadata:
                continue
            if batch["ends_delivery"] or run_id <= ended:
                ended = max(ended, run_id)
                break
            days = (date.fromisoformat(day) if day else None for day in batch["reach"])
            reaches.append((run_id, tuple(days)))
    return [reach for run_id, reach in reaches if run_id > ended]


def account(run: Run) -> list[dict[str, Any]]:
    """Record what became of each row of the files that are not yet recorded, and return it.

    A run after which quarantine is not up to date cannot tell: a later one will.
    """
    if run.manifest is None or QUARANTINE not in run.manifest.tables:
        return []
    files = unrecorded(run.lake, run.jobs)
    replaced = {(file["table_name"], file["replaces"]) for file in [*_recorded(run.lake), *files]}
    rows = []
    for file in files:
        is_replaced = (file["table_name"], file["batch_id"]) in replaced
        rows.append({**file, **_fate(run.lake, run.jobs[file["table_name"]].table, file, is_replaced=is_replaced)})
    records = [{name: row.get(name) for name in BATCHES.column_names} for row in rows]
    append(run, BATCHES, records)
    return records


def _named(file: SourceFile) -> tuple[str, str]:
    return f"bronze.{file.table}", file.name


def _content(file: SourceFile) -> tuple[str, str]:
    return f"bronze.{file.table}", file.batch_id


def _is_changed(known_files: Known, file: SourceFile, mappings: Mapping[str, FileMapping], *, replace: bool) -> bool:
    """Say whether a file of a known name has another content or, if asked to ``replace``, is read in another way."""
    if known_files.newest[_named(file)] != file.batch_id:
        return True
    mapping = mappings.get(file.kind)
    return replace and known_files.batches.get(_content(file)) != (mapping.digest if mapping else None)


def _received_as(file: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(str(file[name]) for name in BATCHES.key)


def _recorded(lake: Lake) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = delta.arrow(lake, BATCHES.name).to_pylist() if lake.head(BATCHES.name) else []
    return rows


def _fate(lake: Lake, table: Table, file: Mapping[str, Any], *, is_replaced: bool) -> dict[str, int]:
    """Return how many of the file's rows are kept, superseded and quarantined.

    Only rows whose key comes more than once are ranked, by the order of :func:`lakehouse.cleaning.kept`.

    Raises:
        BrokenLakeError: if the table lacks rows that no other file has taken the place of.
    """
    thing = ", ".join(name for name in table.key if name != table.version_by)
    newest = [table.version_by] if table.version_by else []
    content = [name for name in table.column_names if not name.startswith("_") and name not in table.key]
    order = ", ".join(f"{name} DESC NULLS LAST" for name in [*newest, *content])
    with in_utc() as connection:
        connection.register("received", delta.dataset(lake, table.name))
        connection.register("quarantine", delta.dataset(lake, QUARANTINE))
        counts = connection.execute(
            f"""
            WITH rejected AS (SELECT _batch_id, _row FROM quarantine WHERE table_name = $table),
            sound AS (FROM received ANTI JOIN rejected USING (_batch_id, _row)),
            own AS (SELECT DISTINCT {thing} FROM sound WHERE _batch_id = $batch),
            told AS (SELECT {thing} FROM sound SEMI JOIN own USING ({thing}) GROUP BY {thing} HAVING count(*) > 1),
            ranked AS (
                SELECT _batch_id, row_number() OVER (PARTITION BY {thing} ORDER BY {order}, _batch_id, _row) AS rank
                FROM sound SEMI JOIN told USING ({thing})
            )
            SELECT (SELECT count(*) FROM ranked WHERE _batch_id = $batch AND rank > 1) AS superseded,
                (SELECT count(*) FROM rejected WHERE _batch_id = $batch) AS quarantined,
                (SELECT count(*) FROM received WHERE _batch_id = $batch) AS stored
            """,  # noqa: S608 - columns of the project
            {"table": table.name, "batch": file["batch_id"]},
        ).fetchall()[0]
    superseded, quarantined, stored = counts
    # Of a file that was replaced before it was recorded, no row is left.
    lost = file["received"] - stored
    if lost and not is_replaced:
        raise BrokenLakeError(
            f"Rows of {file['file']} are not in {table.name}",
            found=f"{stored:,} rows",
            expected=f"the {file['received']:,} that were received",
            do="Run `lakehouse fsck`; then remove the table's folder and ingest its files again.",
        )
    return {"kept": stored - superseded - quarantined, "superseded": superseded + lost, "quarantined": quarantined}
