"""Where values stand under a folder: in the bytes of every file, and in every column of every version that is on disk."""

from __future__ import annotations

import json
import re

import pyarrow as pa
import pyarrow.parquet as pq


def places(folder, values):
    """Return the files, relative to the folder, that hold one of the values, in whatever column, footer, key or line."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return [str(path.relative_to(folder)) for path in files if any(value in _text(path) for value in values)]


def _text(path):
    content = path.read_bytes()
    raw = content.decode("utf-8", errors="replace")
    # JSON may write a letter by its number, and a log holds JSON inside JSON.
    unescaped = re.sub(r"\\+u([0-9a-fA-F]{4})", lambda letter: chr(int(letter[1], 16)), raw)
    return "\n".join([raw, unescaped, *(_cells(pq.read_table(path)) if content[:4] == b"PAR1" else ())])


def _cells(table):
    for name in table.column_names:
        column = table[name]
        if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
            yield "\n".join(value for value in column.to_pylist() if value)
        elif pa.types.is_nested(column.type):
            yield json.dumps(column.to_pylist(), default=str, ensure_ascii=False)
