"""Reading a file as it is: records of text (or, of Parquet, of its own types), numbered, none of them left out."""

from __future__ import annotations

import csv
import gzip
import io
import json
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as arrow_csv
import pyarrow.parquet as pq

from lakehouse.errors import UsageError
from lakehouse.ingest.folder import SourceFile

ROW = "_row"
# The text of a record that has too many or too few cells.
LINE = "_line"

# What a file that is damaged, or another than its ending says, makes its reader raise.
_UNREADABLE = (OSError, EOFError, pa.ArrowInvalid, json.JSONDecodeError, zlib.error)

_BLOCK_BYTES = 8 << 20
_RECORDS = 50_000
_BOM = b"\xef\xbb\xbf"
_OTHER_ENCODINGS = {b"\xff\xfe": "UTF-16", b"\xfe\xff": "UTF-16", b"PK\x03\x04": "a ZIP archive or a workbook"}


def header(file: SourceFile) -> list[str]:
    """Return the names of the file's columns, blanks around them taken away.

    Raises:
        UsageError: if the file is empty, is not what its ending says, or its first line is not UTF-8.
    """
    try:
        if file.format == "parquet":
            return list(pq.read_schema(file.path).names)
        if file.format == "json":
            return list(dict.fromkeys(name for record in _objects(file) for name in record))
        with _opened(file.path) as raw:
            first = raw.readline()
    except _UNREADABLE as error:
        raise _unreadable(file, " ".join(str(error).split()), f"a {file.format} file") from error
    other = next((name for mark, name in _OTHER_ENCODINGS.items() if first.startswith(mark)), None)
    if other or not first.strip():
        raise _unreadable(file, other or "an empty file", "UTF-8 text whose first line names the columns")
    try:
        line = first.removeprefix(_BOM).decode("utf-8")
    except UnicodeDecodeError as error:
        raise _unreadable(file, f"the byte {error.object[error.start]:#04x} in line 1", "UTF-8 text") from error
    try:
        return [name.strip() for name in next(csv.reader([line.rstrip("\r\n")]))]
    except csv.Error as error:
        raise _unreadable(
            file, f"in line 1 {error}", "a line that ends with a line feed and names the columns"
        ) from error


def records(file: SourceFile, columns: list[str]) -> Iterator[pa.RecordBatch]:
    """Yield the file's records: the number ``_row``, the text ``_line``, and ``columns`` in their order.

    The first batch is empty and tells the schema. The header of a CSV file is record 1; ``_line`` is null unless the
    record has another number of cells.

    Raises:
        UsageError: if the file is damaged, is not UTF-8 or has a quote that is never closed, with line and column.
    """
    try:
        match file.format:
            case "parquet":
                yield from _parquet(file)
            case "json":
                yield from _json(file, columns)
            case _:
                _check_text(file, columns)
                yield from _csv(file, columns)
    except _UNREADABLE as error:
        raise _unreadable(file, " ".join(str(error).split()), f"a whole {file.format} file") from error


def _csv(file: SourceFile, columns: list[str]) -> Iterator[pa.RecordBatch]:
    broken: list[arrow_csv.InvalidRow] = []

    def keep(row: arrow_csv.InvalidRow) -> str:
        broken.append(row)
        return "skip"

    schema = pa.schema([(name, pa.string()) for name in columns])
    yield _numbered(pa.RecordBatch.from_pylist([], schema), np.arange(0))
    with _opened(file.path) as raw:
        if not raw.readline() or not raw.peek(1):
            return
        raw.seek(0)
        batches = arrow_csv.open_csv(
            raw,
            arrow_csv.ReadOptions(use_threads=False, block_size=_BLOCK_BYTES, column_names=columns, skip_rows=1),
            arrow_csv.ParseOptions(newlines_in_values=True, invalid_row_handler=keep),
            arrow_csv.ConvertOptions(column_types=dict.fromkeys(columns, pa.string()), strings_can_be_null=False),
        )
        number, told = 2, 0
        for batch in batches:
            count = batch.num_rows
            lost = {row.number for row in broken}
            numbers = [n for n in range(number, number + count + len(lost)) if n not in lost][:count]
            yield _numbered(batch, np.array(numbers, dtype=np.int64))
            number = numbers[-1] + 1 if numbers else number
            if len(broken) > told:
                yield _misshapen(broken[told:], schema)
                told = len(broken)


def _json(file: SourceFile, columns: list[str]) -> Iterator[pa.RecordBatch]:
    schema = pa.schema([(name, pa.string()) for name in columns])
    yield _numbered(pa.RecordBatch.from_pylist([], schema), np.arange(0))
    held: list[dict[str, str | None]] = []
    start = 1
    for record in _objects(file):
        held.append({name: _text(value) for name, value in record.items()})
        if len(held) == _RECORDS:
            yield _numbered(pa.RecordBatch.from_pylist(held, schema), np.arange(start, start + len(held)))
            start, held = start + len(held), []
    yield _numbered(pa.RecordBatch.from_pylist(held, schema), np.arange(start, start + len(held)))


def _parquet(file: SourceFile) -> Iterator[pa.RecordBatch]:
    start = 1
    yield _numbered(pa.RecordBatch.from_pylist([], pq.read_schema(file.path)), np.arange(0))
    for batch in pq.ParquetFile(file.path).iter_batches(_RECORDS):
        yield _numbered(batch, np.arange(start, start + batch.num_rows))
        start += batch.num_rows


def _numbered(batch: pa.RecordBatch, numbers: np.ndarray[Any, Any]) -> pa.RecordBatch:
    # First, so that of two columns of one name ours is meant: a file may be an export of another lake.
    columns = [pa.array(numbers, pa.int64()), pa.nulls(batch.num_rows, pa.string()), *batch.columns]
    return pa.RecordBatch.from_arrays(columns, names=[ROW, LINE, *batch.schema.names])


def _misshapen(rows: list[arrow_csv.InvalidRow], schema: pa.Schema) -> pa.RecordBatch:
    nothing = [pa.nulls(len(rows), field.type) for field in schema]
    told = [pa.array([row.number for row in rows], pa.int64()), pa.array([row.text for row in rows], pa.string())]
    return pa.RecordBatch.from_arrays([*told, *nothing], names=[ROW, LINE, *schema.names])


def _objects(file: SourceFile) -> Iterator[dict[str, Any]]:
    """Yield the objects of an array, or those of each line; numbers as they are written."""
    with io.TextIOWrapper(_opened(file.path), encoding="utf-8-sig") as text:
        try:
            start = text.read(1)
            while start.isspace():
                start = text.read(1)
            rest = (start + line if number == 1 else line for number, line in enumerate(text, start=1))
            found = json.loads("".join(rest), parse_float=str) if start == "[" else map(_line, rest)
            for number, record in enumerate(filter(lambda value: value is not None, found), start=1):
                if not isinstance(record, dict):
                    raise _unreadable(file, f"{str(record)[:40]!r} as record {number}", "an object")
                yield record
        except UnicodeDecodeError as error:
            raise _unreadable(file, f"the byte {error.object[error.start]:#04x}", "UTF-8 text") from error
        except json.JSONDecodeError as error:
            raise _unreadable(
                file, f"no JSON in line {error.lineno}, column {error.colno}: {error.msg}", "JSON"
            ) from error


def _line(text: str) -> Any:
    return json.loads(text, parse_float=str) if text.strip() else None


def _text(value: object) -> str | None:
    return value if value is None or isinstance(value, str) else json.dumps(value)


def _check_text(file: SourceFile, columns: list[str]) -> None:
    """Look at the bytes once: all of them UTF-8, and every quote closed."""
    opened_in = 0
    is_open = False
    with _opened(file.path) as raw:
        for number, line in enumerate(raw, start=1):
            if line.count(b'"') % 2:
                is_open, opened_in = not is_open, number
            if line.isascii():
                continue
            try:
                line.decode("utf-8")
            except UnicodeDecodeError as error:
                place = line[: error.start].decode("utf-8", "replace")
                cell = len(next(csv.reader([place]), [])) - 1
                column = columns[cell] if 0 <= cell < len(columns) else "of the last one"
                found = f"the byte {line[error.start]:#04x} in line {number}, column {column}"
                raise _unreadable(file, found, "UTF-8 text") from error
    if is_open:
        raise _unreadable(file, f"a quote in line {opened_in} that is never closed", "quotes in pairs")


def _opened(path: Path) -> gzip.GzipFile | io.BufferedReader:
    return gzip.open(path) if path.name.lower().endswith(".gz") else path.open("rb")


def _unreadable(file: SourceFile, found: str, expected: str) -> UsageError:
    return UsageError(
        f"The file {file.name} cannot be read",
        found=found,
        expected=expected,
        do="Export it anew and run the command again; nothing was received.",
    )
