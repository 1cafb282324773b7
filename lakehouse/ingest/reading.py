"""Reading a file as it is: records of text (or, of Parquet, of its own types), numbered, none of them left out."""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as arrow_csv
import pyarrow.parquet as pq

from lakehouse.errors import UsageError
from lakehouse.ingest import json_text
from lakehouse.ingest.folder import SourceFile
from lakehouse.table import LINE

ROW = "_row"

# What a file that is damaged, or another than its ending says, makes its reader raise.
_UNREADABLE = (OSError, EOFError, pa.ArrowInvalid, json_text.NoJsonError, UnicodeError, zlib.error)

_BLOCK_BYTES = 8 << 20
_RECORDS = 50_000
_BOM = b"\xef\xbb\xbf"
_OTHER_ENCODINGS = {b"\xff\xfe": "UTF-16", b"\xfe\xff": "UTF-16", b"PK\x03\x04": "a ZIP archive or a workbook"}

# The place of a wrong byte is told by its cell, and a cell before it may be longer than the csv module likes.
csv.field_size_limit(1 << 30)


def header(file: SourceFile) -> list[str]:
    """Return the names of the file's columns, blanks around them taken away.

    Raises:
        UsageError: if the file is empty, is not what its ending says, or its first line is not UTF-8.
    """
    try:
        if file.format == "parquet":
            return list(pq.read_schema(file.path).names)
        with _opened(file.path) as raw:
            if file.format == "json":
                return _json_header(file, raw)
            first = raw.readline()
    except _UNREADABLE as error:
        raise _unreadable(file, " ".join(str(error).split()), f"a {file.format} file") from error
    other = next((name for mark, name in _OTHER_ENCODINGS.items() if first.startswith(mark)), None)
    if other or not first.strip():
        found = other or ("a blank first line" if first else "an empty file")
        raise _unreadable(file, found, "UTF-8 text whose first line names the columns")
    try:
        line = first.removeprefix(_BOM).decode("utf-8")
    except UnicodeDecodeError as error:
        raise _unreadable(file, _wrong_byte(error, 1, []), "UTF-8 text") from error
    try:
        return [name.strip() for name in next(csv.reader([line.rstrip("\r\n")]))]
    except csv.Error as error:
        raise _unreadable(
            file, f"in line 1 {error}", "a line that ends with a line feed and names the columns"
        ) from error


def _json_header(file: SourceFile, raw: io.BufferedIOBase) -> list[str]:
    names = list(dict.fromkeys(name for record in json_text.objects(raw) for name in record))
    if not names:
        raise _unreadable(file, "no record", "objects that name the columns")
    return names


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
            _UnsplitLineEnds(raw),
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
            # Arrow reads ahead: more of them may come while this one is looked at.
            untold = broken[told:]
            told += len(untold)
            yield _misshapen(untold, schema)
        # Nor does Arrow yield a batch for a block in which every record is misshapen.
        yield _misshapen(broken[told:], schema)


class _UnsplitLineEnds(io.RawIOBase):
    """A file of which no block ends between a carriage return and its line feed: Arrow drops the latter, in cells too."""

    def __init__(self, raw: io.BufferedIOBase) -> None:
        self._raw, self._held = raw, b""

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        data = self._held + self._raw.read(size - len(self._held))
        self._held = b"\r" if len(data) > 1 and data.endswith(b"\r") else b""
        return data[: len(data) - len(self._held)]


def _json(file: SourceFile, columns: list[str]) -> Iterator[pa.RecordBatch]:
    schema = pa.schema([(name, pa.string()) for name in columns])
    yield _numbered(pa.RecordBatch.from_pylist([], schema), np.arange(0))
    held: list[dict[str, str | None]] = []
    start = 1
    with _opened(file.path) as raw:
        for record in json_text.objects(raw):
            held.append({name: json_text.cell(value) for name, value in record.items()})
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
                raise _unreadable(file, _wrong_byte(error, number, columns), "UTF-8 text") from error
    if is_open:
        raise _unreadable(file, f"a quote in line {opened_in} that is never closed", "quotes in pairs")


def _wrong_byte(error: UnicodeDecodeError, number: int, columns: list[str]) -> str:
    before = error.object[: error.start].decode("utf-8", "replace")
    cell = max(len(next(csv.reader([before]), [])), 1)
    column = columns[cell - 1] if cell <= len(columns) else cell
    return f"the byte {error.object[error.start]:#04x} in line {number}, column {column}"


def _opened(path: Path) -> gzip.GzipFile | io.BufferedReader:
    return gzip.open(path) if path.name.lower().endswith(".gz") else path.open("rb")


def _unreadable(file: SourceFile, found: str, expected: str) -> UsageError:
    return UsageError(
        f"The file {file.name} cannot be read",
        found=found,
        expected=expected,
        do="Export it anew and run the command again; nothing was received.",
    )
