"""Forgetting a customer: what tells who it is goes from every layer, version, export and log; its rows and money stay.

Every step may be repeated, and the list of erasures says whether the last one was reached: after a kill the same command
completes the work.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import reduce

import pyarrow as pa
import pyarrow.compute as pc
from deltalake import CommitProperties, DeltaTable, write_deltalake

from lakehouse import delta
from lakehouse.config import Config
from lakehouse.errors import LakehouseError, UsageError
from lakehouse.export import export, exports_folder
from lakehouse.forgotten import Erasure, erased, erasures, hashed, is_about, remember, subject_column
from lakehouse.ingest.batches import account, unrecorded
from lakehouse.lake import STAGING, Lake
from lakehouse.lock import writer_lock
from lakehouse.ops import TABLES as OPS
from lakehouse.registry import Job
from lakehouse.retention import take_files_away
from lakehouse.run import Reporter
from lakehouse.runner import execute
from lakehouse.setup import LOGS
from lakehouse.table import Table


@dataclass(frozen=True)
class Forgotten:
    """What was done: rows erased by table, and the run that shows the lake without them; nothing if it was done before."""

    rows: Mapping[str, int] = field(default_factory=dict)
    run_id: str | None = None
    is_new: bool = True


def forget(
    lake: Lake, config: Config, jobs: dict[str, Job], reporter: Reporter, customer_id: str, *, wait: bool = False
) -> Forgotten:
    """Erase what tells who the customer is, and who its people are, from everything that the lake keeps.

    Raises:
        UsageError: if no received row names the customer, or the lake holds tables that nobody declares.
        LakehouseError: if the tables cannot be built anew and published; what was published is as it was then.
        LakeBusyError: if another process writes to the lake and this is not to ``wait`` for it.
    """
    received = [job.table for job in jobs.values() if job.is_received and lake.head(job.name)]
    with writer_lock(lake.root, wait=wait):
        _refuse_undeclared(lake, jobs)
        erasure = _erasure(lake, received, customer_id)
        found = {table.name: rows for table in received if (rows := _telling(lake, table, erasure)).num_rows}
        if erasure.is_complete and not found:
            remember(lake, erasure)
            return Forgotten(is_new=False)
        if found:
            erasure = erasure.model_copy(update={"begun_at": datetime.now(UTC), "is_complete": False})
        remember(lake, erasure)
        _erase_messages(lake, found)
        for name in found:
            _erase(lake, jobs[name].table, erasure)
    run_id = _built_anew(lake, config, jobs, reporter, wait=wait)
    with writer_lock(lake.root, wait=wait):
        if run_id:
            export(lake, jobs)
        for draft in exports_folder(lake.root).glob(".*.new"):
            draft.unlink()
        shutil.rmtree(lake.root / STAGING, ignore_errors=True)
        for name in lake.tables():
            _drop_history(lake, name)
        for log in LOGS.glob("*.log*"):
            # Emptied rather than deleted: a JVM may be writing to it.
            os.truncate(log, 0)
        remember(lake, erasure.model_copy(update={"is_complete": True}))
    return Forgotten({name: rows.num_rows for name, rows in found.items()}, run_id)


def _refuse_undeclared(lake: Lake, jobs: Mapping[str, Job]) -> None:
    unknown = [name for name in lake.tables() if name not in jobs and name not in {table.name for table in OPS}]
    if unknown:
        raise UsageError(
            "A customer cannot be forgotten where nobody knows what names it",
            found=f"tables that no job declares: {', '.join(unknown)}",
            expected="none",
            do=f"Remove their folders from {lake.root} and run the command again.",
        )


def _erasure(lake: Lake, received: list[Table], customer_id: str) -> Erasure:
    """Return the customer's erasure: the earlier one, with accounts that came since, or a new one."""
    accounts: set[str] = set()
    is_known = False
    for table in received:
        if subject_column(table) == "customer_id":
            columns = [name for name in ("customer_id", "account_id") if name in table.column_names]
            rows = delta.dataset(lake, table.name).to_table(columns, filter=pc.field("customer_id") == customer_id)
            is_known |= rows.num_rows > 0
            accounts |= set(rows["account_id"].drop_null().to_pylist()) if "account_id" in columns else set()
    if not is_known:
        raise UsageError(
            f"The customer {customer_id} cannot be forgotten",
            found="no received row that says who that is",
            expected="the customer_id of a billing customer",
            do="Look for it in silver.customers.",
        )
    customer = hashed("customer_id", customer_id)
    known = next((erasure for erasure in erasures(lake) if erasure.customer == customer), None)
    hashes = tuple(sorted(hashed("account_id", account) for account in accounts))
    if known is None:
        return Erasure(customer=customer, accounts=hashes, begun_at=datetime.now(UTC))
    return known.model_copy(update={"accounts": tuple(sorted({*known.accounts, *hashes}))})


def _telling(lake: Lake, table: Table, erasure: Erasure) -> pa.Table:
    """Return what the rows of a received table still tell of who is to be forgotten."""
    subject = subject_column(table)
    if subject is None:
        return pa.table({})
    columns = dict.fromkeys((subject, table.key[0], *table.erasable))
    rows = delta.dataset(lake, table.name).to_table(list(columns))
    tells = reduce(pc.or_, (pc.is_valid(rows[name]) for name in table.erasable))
    return rows.filter(pc.and_(is_about(rows, table, erasure.subjects), tells)).select(table.erasable)


def _erase(lake: Lake, table: Table, erasure: Erasure) -> None:
    rows = delta.arrow(lake, table.name)
    _rewrite(lake, table, erased(rows, table, is_about(rows, table, erasure.subjects)))


def _erase_messages(lake: Lake, found: Mapping[str, pa.Table]) -> None:
    """Erase the messages of earlier runs that quote what is to go; before it goes, while it is known."""
    told = {
        value
        for rows in found.values()
        for column in rows.columns
        for value in column.drop_null().to_pylist()
        if value.strip()
    }
    for table in OPS:
        if table.erasable and lake.head(table.name):
            rows = delta.arrow(lake, table.name)
            quotes = [any(value in (message or "") for value in told) for message in rows["message"].to_pylist()]
            if any(quotes):
                _rewrite(lake, table, erased(rows, table, pa.chunked_array([quotes])))


def _rewrite(lake: Lake, table: Table, rows: pa.Table) -> None:
    """Replace the rows in one commit, without a condition in the log, that says of the table what the one before did."""
    metadata = {**lake.existing(table.name).metadata, "erased_at": datetime.now(UTC).isoformat()}
    write_deltalake(
        str(lake.table_path(table.name)),
        rows,
        mode="overwrite",
        commit_properties=CommitProperties(custom_metadata={"userMetadata": json.dumps(metadata)}),
    )


def _built_anew(lake: Lake, config: Config, jobs: dict[str, Job], reporter: Reporter, *, wait: bool) -> str | None:
    """Build and publish what the erased rows had gone into; None if nothing was ever built."""
    if not any(job.transform and lake.head(job.name) for job in jobs.values()):
        _refuse_unaccounted(lake, jobs)
        return None
    run = execute(lake, config, jobs, reporter, wait=wait)
    if run.manifest is None:
        raise LakehouseError(
            "The customer is not yet forgotten: the tables without it could not be published",
            found=run.message or run.status,
            expected="a published run",
            do="Run `lakehouse run` until it publishes, then this command again: it erases the older versions.",
        )
    # The commits that tell which files came in go with the history.
    with writer_lock(lake.root, wait=wait):
        account(run)
    _refuse_unaccounted(lake, jobs)
    return run.run_id if run.status == "published" else run.manifest.run_id


def _refuse_unaccounted(lake: Lake, jobs: Mapping[str, Job]) -> None:
    files = [file["file"] for file in unrecorded(lake, jobs)]
    if files:
        raise LakehouseError(
            "The customer is not yet forgotten: no run has accounted for files that came in",
            found=", ".join(files),
            expected="a published run, quarantine included, that tells what became of their rows",
            do="Run `lakehouse run` until it publishes, then this command again: it erases the older versions.",
        )


def _drop_history(lake: Lake, name: str) -> None:
    """Leave only the newest version of a table: its log from there on, and its files."""
    head = lake.existing(name)
    path = lake.table_path(name)
    DeltaTable(str(path), version=head.version).create_checkpoint()
    for entry in sorted(path.joinpath("_delta_log").glob("[0-9]*")):
        if int(entry.name.partition(".")[0]) < head.version:
            entry.unlink()
    take_files_away(lake, name, older_than_days=0)
