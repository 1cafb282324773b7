"""``ops.batches``: which files came in, each known by its content, and what became of every row.

A file is registered by the very commit that appends its rows. Its row here follows when the run has told which of them
were kept; until then, and if the run fails, the commit is the record.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from lakehouse import delta
from lakehouse.errors import UsageError
from lakehouse.ingest.cells import in_utc
from lakehouse.ingest.folder import SourceFile
from lakehouse.lake import Lake
from lakehouse.registry import Job
from lakehouse.rules import QUARANTINE
from lakehouse.run import Run
from lakehouse.table import Column, Table

BATCHES = Table(
    name="ops.batches",
    description="Every file that was ingested: one row per file and table.",
    grain="ingested file",
    key=("table_name", "batch_id"),
    columns=(
        Column("batch_id", "string", "Batch, known by the content of the file", nullable=False),
        Column("table_name", "string", "Table that received the file's rows", nullable=False),
        Column("file", "string", "Name of the file within the folder", nullable=False),
        Column("digest", "string", "SHA-256 of its content", nullable=False),
        Column("bytes", "bigint", "Size of the file", nullable=False),
        Column("run_id", "string", "Run that received it", nullable=False),
        Column("replaces", "string", "Batch of the earlier file of this name, whose rows it replaced"),
        Column("left_out", "string", "Columns of the file that the table does not know"),
        Column("received", "bigint", "Rows of the file", nullable=False),
        Column("kept", "bigint", "Those that are the newest sound version of their thing", nullable=False),
        Column("superseded", "bigint", "Those with a newer version, or one that says the same", nullable=False),
        Column("quarantined", "bigint", "Those in silver.quarantine", nullable=False),
    ),
)


@dataclass
class Known:
    """The files that a lake has received: their contents by table, and the newest batch of each name."""

    contents: set[tuple[str, str]] = field(default_factory=set)
    newest: dict[tuple[str, str], str] = field(default_factory=dict)

    def has(self, file: SourceFile) -> bool:
        """Whether the file's content is known, under whatever name."""
        return (f"bronze.{file.table}", file.digest) in self.contents


def known(lake: Lake, jobs: Mapping[str, Job]) -> Known:
    """Return the files that the lake has received, those too whose run has failed."""
    found = Known()
    for row in sorted(_recorded(lake) + list(unrecorded(lake, jobs)), key=lambda row: row["run_id"]):
        found.contents.add((row["table_name"], row["digest"]))
        found.newest[row["table_name"], row["file"]] = row["batch_id"]
    return found


def replaced(known_files: Known, new: list[SourceFile], *, replace: bool) -> dict[SourceFile, str]:
    """Return the earlier batch of each new file whose name is known.

    Raises:
        UsageError: if there is any, and they are not to be replaced.
    """
    found = {
        file: known_files.newest[f"bronze.{file.table}", file.name]
        for file in new
        if (f"bronze.{file.table}", file.name) in known_files.newest
    }
    if found and not replace:
        raise UsageError(
            "Files have changed since they were received",
            found=f"another content in {', '.join(file.name for file in found)}",
            expected="a new name for new records",
            do="Rename the files if their rows come in addition, or add --replace if they take the place of the earlier ones.",
        )
    return found


def unrecorded(lake: Lake, jobs: Mapping[str, Job]) -> Iterator[dict[str, Any]]:
    """Yield the files whose commits are newer than the last one that is recorded, of each table."""
    recorded = {(row["table_name"], row["batch_id"]) for row in _recorded(lake)}
    for name in (name for name, job in jobs.items() if job.transform is None):
        for head in lake.heads(name):
            batch = head.metadata.get("batch", {})
            if (name, batch.get("batch_id")) in recorded:
                break
            if "digest" in batch:
                yield {**batch, "table_name": name, "run_id": head.metadata["run_id"], "received": batch["rows"]}


def account(run: Run) -> list[dict[str, Any]]:
    """Count what became of each row of the files that are not yet recorded, append the counts and return them."""
    rows = [
        {**file, **_fate(run.lake, run.jobs[file["table_name"]].table, file)} for file in unrecorded(run.lake, run.jobs)
    ]
    records = [{column.name: row.get(column.name) for column in BATCHES.columns} for row in rows]
    if records:
        schema = BATCHES.arrow_schema
        known_schema = pa.schema([part.remove_metadata() for part in schema]) if run.lake.head(BATCHES.name) else schema
        data = pa.Table.from_pylist(records, schema=known_schema)
        delta.append(data, run.lake, BATCHES, run.config.lake, {"run_id": run.run_id})
    return records


def _recorded(lake: Lake) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = delta.arrow(lake, BATCHES.name).to_pylist() if lake.head(BATCHES.name) else []
    return rows


def _fate(lake: Lake, table: Table, file: Mapping[str, Any]) -> dict[str, int]:
    """Return how many of the file's rows are kept, superseded and quarantined.

    Only rows whose key comes more than once are ranked, by the order of :func:`lakehouse.cleaning.kept`.
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
    return {"kept": stored - superseded - quarantined, "superseded": superseded + lost, "quarantined": quarantined}
