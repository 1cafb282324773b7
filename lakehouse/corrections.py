"""Rejected rows that a person has corrected: appended to the tables that received the originals, naming each of them."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from lakehouse import delta
from lakehouse.config import LakeConfig
from lakehouse.errors import UsageError
from lakehouse.ingest.cells import in_utc
from lakehouse.lake import Lake
from lakehouse.registry import Job
from lakehouse.rules import CORRECTION_OF, QUARANTINE
from lakehouse.table import Table

ORIGINAL = ("table_name", "_source", "_batch_id", "_row")


def release(lake: Lake, config: LakeConfig, jobs: Mapping[str, Job], file: Path) -> dict[str, int]:
    """Append the corrected rows in ``file`` as a batch of their own and return how many each table received.

    Each line is a JSON object with the original's table_name, _source, _batch_id and _row, and the corrected ``row``.
    Nothing is appended unless every line can be.

    Raises:
        UsageError: naming the first line that is not such an object, whose original is not waiting in quarantine, or
            whose values are not of the declared types.
    """
    waiting = {tuple(row[name] for name in ORIGINAL) for row in _quarantined(lake) if not row.get("is_corrected")}
    rows: dict[str, list[dict[str, Any]]] = defaultdict(list)
    batch_id = f"released-{datetime.now(UTC):%Y%m%dT%H%M%S%fZ}"
    for number, line in enumerate(_lines(file), start=1):
        correction = _parsed(line, number)
        original = tuple(correction.get(name) for name in ORIGINAL)
        if original not in waiting:
            raise _refused(number, f"{original} is not in quarantine", f"{', '.join(ORIGINAL)} of a rejected row")
        waiting.remove(original)
        name, *reference = original
        provenance = {"_source": CORRECTION_OF + " / ".join(map(str, reference)), "_batch_id": batch_id, "_row": number}
        rows[str(name)].append({**correction.get("row", {}), **provenance})
    batches = {name: _typed(jobs[name].table, records) for name, records in rows.items()}
    for name, data in batches.items():
        _refuse_repeated(lake, name, data)
    for name, data in batches.items():
        # What the source covers has not changed, so the commit repeats it.
        metadata = {"batch": lake.existing(name).metadata.get("batch"), "released": batch_id}
        delta.append(data, lake, jobs[name].table, config, metadata)
    return {name: data.num_rows for name, data in batches.items()}


def _quarantined(lake: Lake) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = delta.arrow(lake, QUARANTINE).to_pylist() if lake.head(QUARANTINE) else []
    return rows


def _lines(file: Path) -> list[str]:
    try:
        return file.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise UsageError(
            f"The file {file} cannot be read",
            found=error.strerror or str(error),
            expected="a file with one JSON object a line",
            do="Name another with --file.",
        ) from error


def _parsed(line: str, number: int) -> dict[str, Any]:
    try:
        correction = json.loads(line)
    except json.JSONDecodeError as error:
        raise _refused(number, f"no JSON: {error}", "one JSON object") from error
    if not isinstance(correction, dict) or not isinstance(correction.get("row"), dict):
        raise _refused(number, "no object with a row", "an object with the original's place and the corrected row")
    return correction


def _typed(table: Table, records: list[dict[str, Any]]) -> pa.Table:
    """Return the records as the table's columns; every value is read as its text is."""
    stamped = [{**record, "_ingested_at": datetime.now(UTC).isoformat()} for record in records]
    for record in stamped:
        unknown = record.keys() - set(table.column_names)
        if unknown:
            raise _refused(record["_row"], f"no column {', '.join(sorted(unknown))}", f"columns of {table.name}")
    columns = [_column(field, stamped) for field in table.arrow_schema]
    return _in_its_month(pa.Table.from_arrays(columns, schema=table.arrow_schema), table)


def _in_its_month(rows: pa.Table, table: Table) -> pa.Table:
    """Return ``rows`` with the month that they are kept by made from the others: a corrected day may lie in another."""
    if table.by_month is None:
        return rows
    (month,) = (column.default for column in table.columns if column.name == table.by_month)
    with in_utc() as connection:
        connection.register("corrected", rows)
        relation = connection.sql(f"SELECT * REPLACE ({month} AS {table.by_month}) FROM corrected")  # noqa: S608 - a declaration
        return relation.to_arrow_table().cast(table.arrow_schema)


def _column(field: pa.Field, records: list[dict[str, Any]]) -> pa.Array:
    texts = [_text(record.get(field.name)) for record in records]
    for record, text in zip(records, texts, strict=True):
        try:
            pa.array([text], pa.string()).cast(field.type)
        except pa.ArrowInvalid as error:
            raise _refused(record["_row"], f"{field.name} {text!r}", f"a value of type {field.type}") from error
    return pa.array(texts, pa.string()).cast(field.type)


def _text(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return str(value).lower() if isinstance(value, bool) else json.dumps(value)


def _refuse_repeated(lake: Lake, name: str, data: pa.Table) -> None:
    released = delta.dataset(lake, name).to_table(
        columns=["_source"], filter=pc.field("_source").isin(data["_source"].combine_chunks())
    )
    if released.num_rows:
        raise UsageError(
            f"Corrections for {name} were released before",
            found=released["_source"][0].as_py(),
            expected="originals that wait for a correction",
            do="Run `lakehouse run`; then `lakehouse quarantine list` shows what still waits.",
        )


def _refused(number: int, found: str, expected: str) -> UsageError:
    return UsageError(
        f"Line {number} cannot be released",
        found=found,
        expected=expected,
        do="Correct the line and run the command again; nothing was appended.",
    )
