"""``ops.batches``: which files came in, each known by its content, and what became of every row.

A file is registered by the very commit that appends its rows. Its row here follows when the run has told which of them
were kept; until then, and if the run fails, the commit is the record.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
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


@dataclass(frozen=True)
class Held:
    """What the lake holds of a file: the batch that its content is, and the mapping that it was read by, if it is known."""

    batch_id: str
    mapping: str | None


Named = tuple[str, str]
"""A table, and the name of a file that it received."""


def known(lake: Lake, jobs: Mapping[str, Job]) -> dict[Named, Held]:
    """Return the files whose rows the lake holds, those too whose run has failed.

    Replaced ones may come again, and so may those of a table that was lost.
    """
    began = {name: lake.first_run(name) for name, job in jobs.items() if job.is_received}
    held = [
        row for row in _recorded(lake) if (first := began.get(row["table_name"])) is not None and first <= row["run_id"]
    ]
    return {
        (row["table_name"], row["file"]): Held(row["batch_id"], row.get("mapping"))
        for row in sorted(held + unrecorded(lake, jobs), key=lambda row: row["run_id"])
    }


def due(
    known_files: Mapping[Named, Held], found: list[SourceFile], mappings: Mapping[str, FileMapping], *, replace: bool
) -> dict[SourceFile, str | None]:
    """Return the files to be received, each with the batch that it replaces: none, if its name is new as well.

    Raises:
        UsageError: if a known name has another content and is not to ``replace`` the earlier one, or has that of another file.
    """
    before = {file: known_files[_named(file)] for file in found if _named(file) in known_files}
    changed = {
        file: held.batch_id
        for file, held in before.items()
        if held.batch_id != file.batch_id or (replace and _is_read_otherwise(held, mappings.get(file.kind)))
    }
    if changed and not replace:
        raise UsageError(
            "Files have changed since they were received",
            found=f"another content in {', '.join(file.name for file in changed)}",
            expected="a new name for new records",
            do="Rename the files if their rows come in addition, or add --replace if they take the place of the earlier ones.",
        )
    replaced = {_named(file) for file in changed}
    staying = {(table, held.batch_id) for (table, name), held in known_files.items() if (table, name) not in replaced}
    fresh = {_content(file): file for file in reversed(found) if file not in before and _content(file) not in staying}
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


def cut_short(lake: Lake, jobs: Mapping[str, Job], files: Iterable[SourceFile]) -> list[tuple[date | None, ...]]:
    """Return how far each file reaches that came since the last delivery that was brought to its end.

    What ``files``, or later ones, take the place of does not count.
    """
    ended, reaches, replaced = "", [], set(map(_named, files))
    for name in (name for name, job in jobs.items() if job.is_received):
        for head in lake.heads(name):
            batch, run_id = head.metadata.get("batch") or {}, str(head.metadata.get("run_id", ""))
            if "ends_delivery" not in batch or "released" in head.metadata:
                continue
            if batch["ends_delivery"] or run_id <= ended:
                ended = max(ended, run_id)
                break
            if (name, batch["file"]) not in replaced:
                days = (date.fromisoformat(day) if day else None for day in batch["reach"])
                reaches.append((run_id, tuple(days)))
            replaced.add((name, batch["file"]))
    return [reach for run_id, reach in reaches if run_id > ended]


def account(run: Run) -> list[dict[str, Any]]:
    """Record what became of each row of the files that are not yet recorded, and return it.

    A run after which quarantine is not up to date cannot tell: a later one will.
    """
    if run.manifest is None or QUARANTINE not in run.manifest.tables:
        return []
    files = unrecorded(run.lake, run.jobs)
    replaced = {(row["table_name"], row["file"], row["replaces"]) for row in [*_recorded(run.lake), *files]}
    rows = []
    for file in files:
        is_replaced = (file["table_name"], file["file"], file["batch_id"]) in replaced
        rows.append({**file, **_fate(run.lake, run.jobs[file["table_name"]].table, file, is_replaced=is_replaced)})
    records = [{name: row.get(name) for name in BATCHES.column_names} for row in rows]
    append(run, BATCHES, records)
    return records


def _named(file: SourceFile) -> tuple[str, str]:
    return f"bronze.{file.table}", file.name


def _content(file: SourceFile) -> tuple[str, str]:
    return f"bronze.{file.table}", file.batch_id


def _is_read_otherwise(held: Held, mapping: FileMapping | None) -> bool:
    return held.mapping is not None and mapping is not None and held.mapping != mapping.digest


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
    is_own = "_batch_id = $batch AND _source = $file"
    order = ", ".join(f"{name} DESC NULLS LAST" for name in [*newest, *content])
    with in_utc() as connection:
        connection.register("received", delta.dataset(lake, table.name))
        connection.register("quarantine", delta.dataset(lake, QUARANTINE))
        counts = connection.execute(
            f"""
            WITH rejected AS (SELECT _source, _batch_id, _row FROM quarantine WHERE table_name = $table),
            sound AS (FROM received ANTI JOIN rejected USING (_source, _batch_id, _row)),
            own AS (SELECT DISTINCT {thing} FROM sound WHERE {is_own}),
            told AS (SELECT {thing} FROM sound SEMI JOIN own USING ({thing}) GROUP BY {thing} HAVING count(*) > 1),
            ranked AS (
                SELECT _source, _batch_id, row_number() OVER (PARTITION BY {thing} ORDER BY {order}, _batch_id, _row) AS rank
                FROM sound SEMI JOIN told USING ({thing})
            )
            SELECT (SELECT count(*) FROM ranked WHERE {is_own} AND rank > 1) AS superseded,
                (SELECT count(*) FROM rejected WHERE {is_own}) AS quarantined,
                (SELECT count(*) FROM received WHERE {is_own}) AS stored
            """,  # noqa: S608 - columns of the project
            {"table": table.name, "batch": file["batch_id"], "file": file["file"]},
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
