"""Brings the synthetic company's records into the bronze tables: all of them, or those of later days.

Generated with NumPy, handed over in Arrow and appended without a JVM: one commit per table and call.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from lakehouse import delta, fingerprint
from lakehouse.coverage import received
from lakehouse.errors import UsageError
from lakehouse.files import replacing
from lakehouse.generator.dirt import Planted, lines_of, told
from lakehouse.generator.faults import EVENTS
from lakehouse.generator.market_parameters import Scale
from lakehouse.generator.simulation import simulate
from lakehouse.lake import TRUTH, Lake
from lakehouse.registry import Job
from lakehouse.run import Run, Step
from lakehouse.table import PROVENANCE, Table

SOURCE = "generator"
SCALE = ("customers", "months", "seed")
# Coverage is read from this table, so it is written last: a generation that was killed is then seen as unfinished.
LAST = "bronze.subscriptions"


@dataclass(frozen=True)
class Request:
    """What a person asked for; None leaves it to the lake, or to ``conf/company.yml`` for a new one."""

    customers: int | None = None
    months: int | None = None
    seed: int | None = None
    through: date | None = None
    profile: str | None = None
    dirt: bool | None = None


def last_day(scale: Scale) -> date:
    """Return the last day of the configured history."""
    month = scale.start_month.month - 1 + scale.months
    return date(scale.start_month.year + month // 12, month % 12 + 1, 1) - timedelta(days=1)


def receive(run: Run, request: Request, only: Collection[str] = ()) -> None:
    """Append to the bronze tables (``only`` the named ones, if any) the generated records that they lack.

    Raises:
        UsageError: if the lake holds other records than the generator's, or those of another company, or if the
            records would end within their first month.
    """
    batch = _batch(run, request)
    through = date.fromisoformat(batch["covered_to"])
    behind: dict[date | None, list[Table]] = defaultdict(list)
    for job in run.jobs.values():
        if job.is_received and (not only or job.name in only):
            covered_to = _covered_to(run.lake, job.name)
            if covered_to is None or covered_to < through:
                behind[covered_to].append(job.table)
    for after, tables in behind.items():
        _append(run, batch, tables, after, through)


def views(lake: Lake, jobs: Mapping[str, Job]) -> duckdb.DuckDBPyConnection:
    """Return a connection with a view ``layer_table`` of the newest version of each table, and ``truth_…`` of the truth."""
    connection = duckdb.connect()
    for name in jobs:
        if lake.head(name):
            connection.register(name.replace(".", "_"), delta.dataset(lake, name))
    for path in sorted((lake.root / TRUTH).glob("*.parquet")):
        connection.register(f"truth_{path.stem}", pq.read_table(path))
    return connection


def _batch(run: Run, request: Request) -> dict[str, Any]:
    company = run.config.company
    before = received(run.lake)
    asked = {key: value for key in (*SCALE, "dirt") if (value := getattr(request, key)) is not None}
    scale = company.scale.model_copy(update={key: (before | asked)[key] for key in SCALE if key in before | asked})
    through = request.through or last_day(scale)
    _require_a_month(scale, through)
    if before:
        through = max(through, date.fromisoformat(before["covered_to"]))
    is_dirty = bool(before.get("dirt", request.dirt))
    batch = {
        "source": SOURCE,
        "batch_id": f"generated-{through}",
        "covered_to": through.isoformat(),
        "seed": scale.seed,
        "customers": scale.customers,
        "months": scale.months,
        "profile": request.profile or before.get("profile"),
        "dirt": is_dirty,
        "company": fingerprint.digest(
            company.model_dump(mode="json", exclude={"scale"} if is_dirty else {"scale", "dirt"})
            | {"start": scale.start_month}
        ),
    }
    expected = batch | asked
    differences = [
        f"{key} {before[key]}" for key in expected if key in before and _fixed(key) and before[key] != expected[key]
    ]
    if differences:
        raise UsageError(
            f"The lake {run.lake.root} holds another company",
            found=f"a lake made with {', '.join(differences)}",
            expected=", ".join(f"{key} {expected[key]}" for key in expected if _fixed(key)),
            do="Name another folder with --root, leave these options out, or delete this lake.",
        )
    return batch


def _require_a_month(scale: Scale, through: date) -> None:
    first_month_end = last_day(scale.model_copy(update={"months": 1}))
    if through < first_month_end:
        raise UsageError(
            f"The records cannot end on {through}",
            found=f"a company whose first month ends on {first_month_end}",
            expected="at least one whole month",
            do=f"Choose --through {first_month_end} or a later day, or another scale.start_month in company.yml.",
        )


def _fixed(key: str) -> bool:
    return key in {"source", "seed", "customers", "months", "profile", "dirt", "company"}


def _covered_to(lake: Lake, name: str) -> date | None:
    head = lake.head(name)
    return date.fromisoformat(head.metadata["batch"]["covered_to"]) if head else None


def _append(run: Run, batch: dict[str, Any], tables: list[Table], after: date | None, through: date) -> None:
    delivery = _Delivery(run, batch)
    months = simulate(
        run.config.company,
        batch["seed"],
        customers=batch["customers"],
        months=batch["months"],
        through=through,
        after=after,
        schemas={job.name: _business_schema(job.table) for job in run.jobs.values() if job.is_received},
        dirt=batch["dirt"],
    )
    collected: dict[str, list[pa.Table]] = defaultdict(list)
    truth: dict[str, list[pa.Table]] = defaultdict(list)
    planted: Planted = []
    small = {table.name: table for table in tables}
    large = small.pop(EVENTS, None)

    def events() -> Iterator[pa.RecordBatch]:
        # One pass: while the events stream to disk, the small tables of each month are kept.
        for month in months:
            for name, rows in month.tables.items():
                collected[name].append(rows)
            for name, rows in month.truth.items():
                truth[name].append(rows)
            if large is not None:
                yield from month.events
            planted.extend(month.planted)
        if batch["dirt"]:
            _tell(run.lake, planted, {table.name for table in tables})

    if large is None:
        list(events())
    else:
        delivery.append(large, events())
    for name, table in sorted(small.items(), key=lambda item: (item[0] == LAST, item[0])):
        delivery.append(table, (rows for month in collected[name] for rows in month.to_batches()))
    for name, months_of_truth in truth.items():
        with replacing(run.lake.root / TRUTH / f"{name}.parquet") as draft:
            pq.write_table(pa.concat_tables(months_of_truth), draft)


def _tell(lake: Lake, planted: Planted, tables: set[str]) -> None:
    """Add what was planted in the tables to the truth, before any of it is committed."""
    path = lake.root / TRUTH / "dirt.parquet"
    new = [lines.filter(pc.is_in(lines["table_name"], pa.array(sorted(tables)))) for lines in planted]
    known = [lines_of(pq.read_table(path))] if path.exists() else []
    with replacing(path) as draft:
        pq.write_table(told(known + new), draft)


class _Delivery:
    """Appends records with their provenance: one commit per table."""

    def __init__(self, run: Run, batch: dict[str, Any]) -> None:
        self._run = run
        self._batch = batch
        self._ingested_at = datetime.now(UTC)

    def append(self, table: Table, records: Iterator[pa.RecordBatch]) -> None:
        run, started = self._run, time.monotonic()
        run.reporter.started(table.name)
        reader = pa.RecordBatchReader.from_batches(table.arrow_schema, self._stamped(table, records))
        metadata = {"run_id": run.run_id, "batch": self._batch}
        delta.append(reader, run.lake, table, run.config.lake, metadata)
        head = run.lake.existing(table.name)
        step = Step(
            table.name, "done", time.monotonic() - started, delta.stored_rows(run.lake, table.name, head), head.version
        )
        run.steps.append(step)
        run.reporter.finished(step)

    def _stamped(self, table: Table, records: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        row = 1
        for batch in records:
            count = batch.num_rows
            provenance = {
                "_source": pa.repeat(SOURCE, count),
                "_batch_id": pa.repeat(self._batch["batch_id"], count),
                "_row": pa.array(np.arange(row, row + count)),
                "_ingested_at": pa.repeat(pa.scalar(self._ingested_at, pa.timestamp("us", tz="UTC")), count),
                "_unread": pa.nulls(count, pa.string()),
            }
            row += count
            columns = dict(zip(batch.schema.names, batch.columns, strict=True)) | provenance
            yield pa.RecordBatch.from_arrays([columns[name] for name in table.column_names], schema=table.arrow_schema)


def _business_schema(table: Table) -> pa.Schema:
    provenance = {column.name for column in PROVENANCE}
    return pa.schema([field for field in table.arrow_schema if field.name not in provenance])
