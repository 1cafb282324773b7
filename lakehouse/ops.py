"""The record of what ran and what came in: ``ops.runs``, ``job_runs``, ``quality_results`` and ``batches``."""

from __future__ import annotations

from datetime import UTC, datetime

import pyarrow as pa

from lakehouse import delta
from lakehouse.audit import Result
from lakehouse.run import Run
from lakehouse.table import Column, Table

RUNS = Table(
    name="ops.runs",
    description="Every run of the lake: one row per run.",
    grain="run",
    key=("run_id",),
    columns=(
        Column("run_id", "string", "Run; sorts by time", nullable=False),
        Column("started_at", "timestamp", "When it took the lock", nullable=False),
        Column("finished_at", "timestamp", "When it ended", nullable=False),
        Column(
            "status",
            "string",
            "How it ended",
            nullable=False,
            values=("published", "unchanged", "kept", "checked", "failed"),
        ),
        Column("message", "string", "Why nothing was published, or what failed", personal=True),
        Column("as_of", "date", "Day as of which the tables were computed"),
        Column("code", "string", "Fingerprint of the code of all jobs"),
        Column("configuration", "string", "Fingerprint of the configuration"),
        Column("jobs_done", "int", "Jobs computed", nullable=False),
        Column("jobs_skipped", "int", "Jobs whose inputs had not changed", nullable=False),
        Column("checks", "int", "Checks applied", nullable=False),
        Column("checks_failed", "int", "Checks that failed or crashed, those too that stop nothing", nullable=False),
    ),
)

JOB_RUNS = Table(
    name="ops.job_runs",
    description="Every job of every run: one row per run and job.",
    grain="run and job",
    key=("run_id", "table_name"),
    columns=(
        Column("run_id", "string", "Run", nullable=False),
        Column("table_name", "string", "Table of the job", nullable=False),
        Column("status", "string", "What happened", nullable=False, values=("done", "skipped", "failed")),
        Column("version", "bigint", "Version that the run left behind"),
        Column("rows", "bigint", "Rows of the table at that version"),
        Column("duration_seconds", "double", "Time from start to audited version", nullable=False),
        Column("fingerprint", "string", "Fingerprint of what it was computed from"),
    ),
)

QUALITY_RESULTS = Table(
    name="ops.quality_results",
    description="Every result of every check, those without a failure too: one row per run, table and rule.",
    grain="run, table and rule",
    key=("run_id", "table_name", "rule"),
    columns=(
        Column("run_id", "string", "Run; sorts by time", nullable=False),
        Column("table_name", "string", "Table that was checked", nullable=False),
        Column("rule", "string", "Name of the rule", nullable=False),
        Column("rule_version", "string", "Hash of the rule's declaration", nullable=False),
        Column("severity", "string", "How bad a failure is", nullable=False, values=("error", "warn", "info")),
        Column("action", "string", "What a failure does", nullable=False, values=("mark", "quarantine", "stop")),
        Column("status", "string", "Result", nullable=False, values=("pass", "fail", "error", "skipped")),
        Column("checked", "bigint", "Rows, or groups of rows, that were checked", nullable=False),
        Column("failed", "bigint", "Those of them that break the rule", nullable=False),
        Column("threshold", "double", "Failures that are allowed", nullable=False),
        Column("duration_seconds", "double", "Share of the audit's time", nullable=False),
        Column("kind", "string", "Kind of the rule"),
        Column("message", "string", "Why a rule with the status error crashed", personal=True),
    ),
)

BATCHES = Table(
    name="ops.batches",
    description="Every file that was ingested: one row per file that was received.",
    grain="ingested file",
    key=("table_name", "run_id", "batch_id"),
    columns=(
        Column("batch_id", "string", "Batch, known by the content of the file", nullable=False),
        Column("table_name", "string", "Table that received the file's rows", nullable=False),
        Column("file", "string", "Name of the file within the folder", nullable=False),
        Column("digest", "string", "SHA-256 of its content", nullable=False),
        Column("bytes", "bigint", "Size of the file", nullable=False),
        Column("run_id", "string", "Run that received it", nullable=False),
        Column("replaces", "string", "Batch of the earlier file of this name, whose rows it replaced"),
        Column("mapping", "string", "Fingerprint of the vendor's mapping that it was read by"),
        Column("left_out", "string", "Columns of the file that the table does not know"),
        Column("received", "bigint", "Rows of the file", nullable=False),
        Column("kept", "bigint", "Those that are the newest sound version of their thing", nullable=False),
        Column("superseded", "bigint", "Those with a newer version, or one that says the same", nullable=False),
        Column("quarantined", "bigint", "Those in silver.quarantine", nullable=False),
    ),
)

TABLES = (RUNS, JOB_RUNS, QUALITY_RESULTS, BATCHES)


def record(run: Run) -> None:
    """Append what is known of the end of ``run`` to its three tables."""
    ended = {
        "run_id": run.run_id,
        "started_at": run.started_at,
        "finished_at": datetime.now(UTC),
        "status": run.status,
        "message": run.message,
        "as_of": run.as_of,
        "code": run.manifest.code if run.manifest else None,
        "configuration": run.manifest.configuration if run.manifest else None,
        "jobs_done": sum(step.status == "done" for step in run.steps),
        "jobs_skipped": sum(step.status == "skipped" for step in run.steps),
        "checks": len(run.results),
        "checks_failed": sum(result.is_broken for result in run.results),
    }
    append(run, RUNS, [ended])
    append(run, JOB_RUNS, [{"run_id": run.run_id, **vars(step)} for step in run.steps])
    append(run, QUALITY_RESULTS, [_as_row(run.run_id, result) for result in run.results])


def _as_row(run_id: str, result: Result) -> dict[str, object]:
    return {"run_id": run_id} | {key: value for key, value in vars(result).items() if key != "description"}


def append(run: Run, table: Table, rows: list[dict[str, object]]) -> None:
    """Append ``rows``, if there are any, to one of the tables in one commit."""
    if rows:
        # Without comments, which Delta would not merge with those that another version of the code wrote.
        known = [field.remove_metadata() for field in table.arrow_schema]
        schema = pa.schema(known) if run.lake.head(table.name) else table.arrow_schema
        data = pa.Table.from_pylist(rows, schema=schema)
        delta.append(data, run.lake, table, run.config.lake, {"run_id": run.run_id})
