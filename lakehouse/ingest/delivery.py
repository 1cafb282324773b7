"""Brings the files of a folder into the bronze tables: each file once, in one commit, after all of them could be read.

A file is first read whole into a Parquet file of typed cells beside the tables, so that nothing is received of a
folder in which any file cannot be read. The defaults of empty cells are filled in on the way into the table.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pyarrow as pa

from lakehouse import delta
from lakehouse.coverage import FILES, received
from lakehouse.errors import UsageError
from lakehouse.ingest import batches
from lakehouse.ingest.cells import in_utc, literal, typed
from lakehouse.ingest.contract import of_source, sql_type
from lakehouse.ingest.folder import SourceFile, files
from lakehouse.ingest.headers import check_headers, left_out
from lakehouse.ingest.reading import records
from lakehouse.ingest.sources import FileMapping, read_source
from lakehouse.lake import Lake
from lakehouse.project import conf_dir
from lakehouse.run import Run, Step
from lakehouse.table import Table

STAGING = "_staging"
# What tells how far a source reaches, first choice first; an end of terms never does.
REACH = (("updated_at", "occurred_at"), ("start_date", "canceled_at"))


@dataclass(frozen=True)
class Staged:
    """A file that could be read: its columns (a vendor's are ours by then), its typed cells, and its reach by REACH."""

    file: SourceFile
    table: Table
    columns: list[str]
    path: Path
    rows: int
    reach: tuple[date | None, ...]


def deliver(run: Run, folder: Path, *, as_of: date | None, replace: bool, source: str | None = None) -> None:
    """Append the files of ``folder`` that the lake does not know yet, by content, to the tables that they name.

    ``as_of`` is the day up to which they reach, ``source`` the vendor that wrote them. With ``replace``, a file of a known
    name and other content takes the place of the earlier one's rows.

    Raises:
        UsageError: naming every problem with the folder's files; nothing was received then.
    """
    _require_own_records(run.lake)
    tables = {job.table.short_name: job.table for job in run.jobs.values() if job.is_received}
    known = batches.known(run.lake, run.jobs)
    vendor = read_source(conf_dir(), source, tables) if source else None
    names = (
        {name: mapping.table for name, mapping in vendor.files.items()} if vendor else {name: name for name in tables}
    )
    found = files(folder, names)
    new = list({(file.table, file.digest): file for file in reversed(found) if not known.has(file)}.values())[::-1]
    replaced = batches.replaced(known, new, replace=replace)
    columns = check_headers(new, tables, vendor)
    staging = run.lake.root / STAGING
    shutil.rmtree(staging, ignore_errors=True)
    staging.mkdir(parents=True)
    try:
        staged = [
            _stage(file, tables[file.table], columns[file], staging, vendor.files[file.kind] if vendor else None)
            for file in new
        ]
        covered_to = _covered_to(run, staged, as_of)
        _append_all(run, staged, covered_to, replaced)
    finally:
        shutil.rmtree(staging)


def _require_own_records(lake: Lake) -> None:
    source = received(lake).get("source", FILES)
    if source != FILES:
        raise UsageError(
            f"The lake {lake.root} holds a generated company",
            found=f"records of the {source}",
            expected="an empty lake, or one of ingested files",
            do="Name another folder with --root: the two are never mixed.",
        )


def _stage(file: SourceFile, table: Table, columns: list[str], staging: Path, mapping: FileMapping | None) -> Staged:
    path = staging / f"{file.digest}.parquet"
    batch_stream = records(file, columns)
    # An empty one that tells the schema.
    first = next(batch_stream)
    schema, relation = first.schema, "records"
    if mapping is not None:
        relation, columns = mapping.relation(columns, relation), list(mapping.present(columns))
        schema = pa.schema([(name, pa.string()) for name in columns])
    with in_utc() as connection:
        connection.register("records", pa.RecordBatchReader.from_batches(first.schema, batch_stream))
        connection.execute(f"COPY ({typed(table, schema, relation)}) TO {literal(str(path))} (FORMAT parquet)")
        names = {column.name for column in of_source(table)}
        reach = ", ".join(_latest([name for name in choice if name in names]) for choice in REACH)
        rows, *reached = connection.execute(
            f"SELECT count(*), {reach} FROM read_parquet({literal(str(path))})"  # noqa: S608 - the table's columns
        ).fetchall()[0]
    return Staged(file, table, columns, path, rows, tuple(reached))


def _latest(names: list[str]) -> str:
    return f"CAST(greatest({', '.join(f'max({name})' for name in names)}, NULL) AS DATE)" if names else "NULL::DATE"


def _covered_to(run: Run, staged: list[Staged], as_of: date | None) -> date | None:
    """Return the day up to which the lake's records reach once the files are in it; it never goes back.

    Files of a delivery that was cut short tell it together with those that complete it, as if they came at once.
    """
    lake = run.lake
    before = received(lake).get("covered_to")
    earlier = date.fromisoformat(before) if before else None
    if as_of is not None and earlier is not None and as_of < earlier:
        raise UsageError(
            f"The records cannot end on {as_of}",
            found=f"a lake whose records reach {earlier}",
            expected="that day or a later one",
            do="Leave --as-of out, or name a later day.",
        )
    reaches = [one.reach for one in staged] + batches.cut_short(lake, run.jobs)
    by_choice = (list(filter(None, days)) for days in zip(*reaches, strict=True))
    told = next((max(days) for days in by_choice if days), None)
    reached = as_of or max(filter(None, (told, earlier)), default=None)
    if reached is None and staged:
        raise UsageError(
            "The files do not tell up to which day they reach",
            found=f"no {', '.join(name for choice in REACH for name in choice)} in {', '.join(s.file.name for s in staged)}",
            expected="the day of the export",
            do="Add --as-of with that day, as in --as-of 2026-06-30.",
        )
    return reached


def _append_all(run: Run, staged: list[Staged], covered_to: date | None, replaced: dict[SourceFile, str]) -> None:
    before = received(run.lake).get("covered_to")
    # The last commit moves the lake's coverage, so that a delivery that was cut short does not.
    for number, one in enumerate(sorted(staged, key=lambda s: (s.table.name, s.file.name)), start=1):
        is_last = number == len(staged)
        told = {"covered_to": covered_to.isoformat() if covered_to and is_last else before, "ends_delivery": is_last}
        _append(run, one, covered_to, told, replaced.get(one.file))
    if not staged and covered_to and covered_to.isoformat() != before:
        table = run.jobs["bronze.subscriptions"].table
        batch = {"source": FILES, "batch_id": f"covered-{covered_to}", "covered_to": covered_to.isoformat()}
        delta.append(
            table.arrow_schema.empty_table(), run.lake, table, run.config.lake, {"run_id": run.run_id, "batch": batch}
        )


def _append(
    run: Run, staged: Staged, covered_to: date | None, told: dict[str, str | bool | None], replaces: str | None
) -> None:
    started = time.monotonic()
    file, table = staged.file, staged.table
    run.reporter.started(table.name)
    batch = {
        "source": FILES,
        "batch_id": file.batch_id,
        **told,
        "reach": [day and day.isoformat() for day in staged.reach],
        "file": file.name,
        "digest": file.digest,
        "bytes": file.bytes,
        "rows": staged.rows,
        "replaces": replaces,
        "left_out": ", ".join(left_out(staged.columns, table)) or None,
    }
    metadata = {"run_id": run.run_id, "batch": batch}
    with in_utc() as connection:
        rows = connection.sql(_filled(staged, covered_to, run.config.metrics.reporting_currency)).to_arrow_reader()
        reader = pa.RecordBatchReader.from_batches(table.arrow_schema, _as_declared(rows, table.arrow_schema))
        delta.append(reader, run.lake, table, run.config.lake, metadata, replaces=file.name if replaces else None)
    head = run.lake.existing(table.name)
    step = Step(table.name, "done", time.monotonic() - started, staged.rows, head.version)
    run.steps.append(step)
    run.reporter.finished(step)


def _as_declared(rows: pa.RecordBatchReader, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    for batch in rows:
        yield pa.RecordBatch.from_arrays(
            [column.cast(kind) for column, kind in zip(batch.columns, schema.types, strict=True)], schema=schema
        )


def _filled(staged: Staged, covered_to: date | None, reporting_currency: str) -> str:
    """Return the SQL of the file's rows as the table receives them: empty cells by their defaults, with provenance."""
    table, file = staged.table, staged.file
    # Where the file tells its versions, one without a moment is not the newest.
    told = {table.version_by} & set(staged.columns)
    defaults = {c.name: c.default for c in of_source(table) if c.default is not None and c.name not in told}
    filled = ", ".join(
        f"coalesce({name}, CASE WHEN _unread IS NULL THEN {default} END) AS {name}"
        for name, default in defaults.items()
    )
    replacing = f"REPLACE ({filled})" if filled else ""
    provenance = f"{literal(file.name)} AS _source, {literal(file.batch_id)} AS _batch_id, now() AS _ingested_at"
    known = f"TIMESTAMPTZ '{covered_to}' AS _covered_to, {literal(reporting_currency)} AS _reporting_currency"
    names = ", ".join(f"CAST({c.name} AS {sql_type(c)}) AS {c.name}" for c in table.columns)
    # Twice, since a default may rest on another one: the month on the day, and the day on the moment.
    return (
        f"SELECT {names} FROM (SELECT * {replacing} FROM (SELECT * {replacing} FROM "  # noqa: S608 - names of ours
        f"(SELECT *, {known}, {provenance} FROM read_parquet({literal(str(staged.path))}))))"
    )
