"""Brings the files of a folder into the bronze tables: each file once, in one commit, after all of them could be read.

A file is first read whole into a Parquet file of typed cells beside the tables, so that nothing is received of a
folder in which any file cannot be read. The defaults of empty cells are filled in on the way into the table.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from lakehouse import delta
from lakehouse.coverage import FILES, received
from lakehouse.errors import UsageError
from lakehouse.ingest import batches
from lakehouse.ingest.cells import in_utc
from lakehouse.ingest.folder import SourceFile, files
from lakehouse.ingest.headers import check_headers
from lakehouse.ingest.sources import Source
from lakehouse.ingest.staging import REACH, Staged, declared, known_columns, stage
from lakehouse.lake import STAGING, Lake
from lakehouse.run import Run, Step
from lakehouse.table import Table

# A last day so much later than the one before it is taken for a mistyped year.
PLAUSIBLE_GAP = timedelta(days=5 * 365)


def deliver(run: Run, folder: Path, *, as_of: date | None, replace: bool, source: Source | None = None) -> None:
    """Append the files of ``folder`` that the lake does not know yet, by content, to the tables that they name.

    ``as_of`` is the day up to which they reach, ``source`` the vendor that wrote them. With ``replace``, a file of a known
    name takes the place of the earlier one's rows if its content or the vendor's mapping is another one, and ``as_of`` may
    be an earlier day than before.

    Raises:
        UsageError: naming every problem with the folder's files; nothing was received then.
    """
    _require_own_records(run.lake)
    tables = {job.table.short_name: job.table for job in run.jobs.values() if job.is_received}
    mappings = source.files if source else {}
    names = {name: mapping.table for name, mapping in mappings.items()} if source else {name: name for name in tables}
    due = batches.due(batches.known(run.lake, run.jobs), files(folder, names), mappings, replace=replace)
    headers = check_headers(due, tables, mappings)
    staging = run.lake.root / STAGING
    shutil.rmtree(staging, ignore_errors=True)
    staging.mkdir(parents=True)
    try:
        staged = [stage(file, tables[file.table], headers[file], staging, mappings.get(file.kind)) for file in due]
        covered_to = _covered_to(run, staged, as_of, replace=replace)
        _append_all(run, staged, covered_to, due)
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


def _covered_to(run: Run, staged: list[Staged], as_of: date | None, *, replace: bool) -> date | None:
    """Return the day up to which the lake's records reach once the files are in it; by itself it never goes back.

    Files of a delivery that was cut short tell it together with those that complete it, as if they came at once.
    """
    lake = run.lake
    before = received(lake).get("covered_to")
    earlier = date.fromisoformat(before) if before else None
    if as_of is not None and earlier is not None and as_of < earlier and not replace:
        raise UsageError(
            f"The records cannot end on {as_of}",
            found=f"a lake whose records reach {earlier}",
            expected="that day or a later one",
            do="Leave --as-of out, name a later day, or add --replace if a day that was wrong told the later one.",
        )
    reaches = [one.reach for one in staged] + batches.cut_short(lake, run.jobs, [one.file for one in staged])
    by_choice = (list(filter(None, days)) for days in zip(*reaches, strict=True))
    told = next((max(days) for days in by_choice if days), None)
    if as_of is None:
        _refuse_mistyped(staged, told, earlier)
    reached = as_of or max(filter(None, (told, earlier)), default=None)
    if reached is None and staged:
        raise UsageError(
            "The files do not tell up to which day they reach",
            found=f"no row that can be used with {', '.join(name for choice in REACH for name in choice)} "
            f"in {', '.join(s.file.name for s in staged)}",
            expected="the day of the export",
            do="Add --as-of with that day, as in --as-of 2026-06-30.",
        )
    return reached


def _refuse_mistyped(staged: list[Staged], told: date | None, earlier: date | None) -> None:
    """Refuse a last day that lies years after all others: each month up to it would be computed."""
    if told is None or (earlier is not None and told <= earlier):
        return
    days = {day: one.file.name for one in staged for choice in one.latest_days for day in choice}
    before = max((day for day in {*days, earlier} if day and day < told), default=None)
    if told in days and before is not None and told - before > PLAUSIBLE_GAP:
        raise UsageError(
            "The files may have a mistyped date",
            found=f"the last day {told} in {days[told]}, and {before} before it",
            expected=f"days that are less than {PLAUSIBLE_GAP.days // 365} years apart",
            do="Correct the date, or add --as-of with the day up to which the records reach; nothing was received.",
        )


def _append_all(
    run: Run, staged: list[Staged], covered_to: date | None, replaced: dict[SourceFile, str | None]
) -> None:
    before = received(run.lake).get("covered_to")
    # The last commit moves the lake's coverage, so that a delivery that was cut short does not.
    for number, one in enumerate(sorted(staged, key=lambda s: (s.table.name, s.file.name)), start=1):
        is_last = number == len(staged)
        told = {"covered_to": covered_to.isoformat() if covered_to and is_last else before, "ends_delivery": is_last}
        _append(run, one, covered_to, told, replaced[one.file])
    if not staged and covered_to and covered_to.isoformat() != before:
        table = run.jobs["bronze.subscriptions"].table
        told = {"covered_to": covered_to.isoformat(), "ends_delivery": True}
        batch = {"source": FILES, "batch_id": f"covered-{covered_to}", "run_id": run.run_id, **told}
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
        "run_id": run.run_id,
        **told,
        "reach": [day and day.isoformat() for day in staged.reach],
        "file": file.name,
        "digest": file.digest,
        "bytes": file.bytes,
        "rows": staged.rows,
        "replaces": replaces,
        "mapping": staged.mapping,
        "left_out": ", ".join(staged.left_out) or None,
    }
    metadata = {"run_id": run.run_id, "batch": batch}
    # A file that is read anew by another mapping tells nothing newer than it did.
    earlier = _newest_version(run.lake, table, file.name) if replaces == file.batch_id else None
    known = known_columns(earlier or covered_to, run.config.metrics.reporting_currency)
    with in_utc() as connection:
        rows = connection.sql(declared(staged, known)).to_arrow_reader()
        reader = pa.RecordBatchReader.from_batches(table.arrow_schema, _as_declared(rows, table.arrow_schema))
        delta.append(reader, run.lake, table, run.config.lake, metadata, replaces=file.name if replaces else None)
    head = run.lake.existing(table.name)
    step = Step(table.name, "done", time.monotonic() - started, staged.rows, head.version)
    run.steps.append(step)
    run.reporter.finished(step)


def _newest_version(lake: Lake, table: Table, source: str) -> datetime | None:
    """Return the latest moment from which on a version of the file's rows holds; None if the table has no versions."""
    if table.version_by is None:
        return None
    told = delta.dataset(lake, table.name).to_table([table.version_by], filter=pc.field("_source") == source)
    moment: datetime | None = pc.max(told[table.version_by]).as_py()
    return moment


def _as_declared(rows: pa.RecordBatchReader, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    for batch in rows:
        yield pa.RecordBatch.from_arrays(
            [column.cast(kind) for column, kind in zip(batch.columns, schema.types, strict=True)], schema=schema
        )
