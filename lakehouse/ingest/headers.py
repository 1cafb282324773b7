"""Headers against contracts: every problem of every file at once, before anything is received."""

from __future__ import annotations

import difflib
import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from pathlib import PurePosixPath

from lakehouse.errors import UsageError
from lakehouse.ingest.contract import given, of_source, required
from lakehouse.ingest.folder import SourceFile
from lakehouse.ingest.reading import header
from lakehouse.ingest.sources import FileMapping
from lakehouse.table import Table

# What says which kind a column is of, and not which one it is: alike in many that are not meant for each other.
_KIND = re.compile(r"(_(utc|at|date|id))+$")
# From here on one name is the other with a slip, or, where it has all the other's words as well, may be meant for it:
# currency_code for currency, not created_at for canceled_at.
_SLIP, _ALIKE = 0.9, 0.65


def check_headers(
    files: Iterable[SourceFile], tables: Mapping[str, Table], mappings: Mapping[str, FileMapping]
) -> dict[SourceFile, list[str]]:
    """Return the columns of each file as they stand in it; ``mappings`` say what those of a vendor are.

    Raises:
        UsageError: naming in each file the columns that are missing, stand there twice or may be meant for another.
    """
    headers = {file: header(file) for file in files}
    problems: list[str] = []
    for file, names in headers.items():
        table = tables[file.table]
        problems += _repeated(file, names)
        problems += _of_folders(file, mappings[file.kind].present(names) if mappings else names, table)
        problems += _lacking(file, names, table, mappings[file.kind]) if mappings else _missing(file, names, table)
    if problems:
        raise UsageError(
            "The files do not have the columns of their tables",
            found="; ".join(problems),
            expected="each required column once",
            do="docs/file_contracts.md has the columns of each table. Rename a column that may be meant for another: to "
            "that one, or to what resembles none. Correct the files; nothing was received.",
        )
    return headers


def left_out(names: Iterable[str], table: Table) -> list[str]:
    """Return the columns of a file that the table does not know."""
    known = {column.name for column in given(table)}
    return [name for name in names if name not in known]


def _repeated(file: SourceFile, names: list[str]) -> list[str]:
    # Names that differ in their letters' case alone are one to whoever reads the tables with SQL.
    counts = Counter(name.lower() for name in names if name)
    return [
        f"{_place(file, names, name)}: {name} stands there {count} times"
        for name, count in ((name, counts.pop(name.lower(), 0)) for name in names)
        if count > 1
    ]


def _of_folders(file: SourceFile, names: Collection[str], table: Table) -> list[str]:
    """Name what only the folders of a file say, as Spark and Hive write it: its rows would come without it."""
    told = dict(part.split("=", 1) for part in PurePosixPath(file.name).parts[:-1] if "=" in part)
    lost = [column.name for column in given(table) if column.name in told and column.name not in names]
    return [f"{file.name}: {name} is in the name of a folder alone ({name}={told[name]})" for name in lost]


def _missing(file: SourceFile, names: list[str], table: Table) -> list[str]:
    known, needed = {column.name for column in of_source(table)}, required(table)
    unknown = [name for name in names if name not in known]
    problems = []
    for name in (column.name for column in given(table) if column.name not in names):
        close = _close(name, unknown)
        if close is not None:
            problems.append(f"{_place(file, names, close)}: {close!r} where {name} may be meant")
        elif name in needed:
            hint = f" (the only column is {names[0]!r}: its separator is no comma)" if len(names) == 1 else ""
            problems.append(f"{file.name}, line 1: {name} is missing{hint}")
    return problems


def _lacking(file: SourceFile, names: list[str], table: Table, mapping: FileMapping) -> list[str]:
    needed, unknown = required(table), mapping.unused(names)
    problems = []
    for name in (name for name in {**dict.fromkeys(needed), **mapping.columns} if name not in mapping.present(names)):
        column = mapping.columns[name].column if name in mapping.columns else None
        close = _close(column, unknown) if column else None
        if close is not None:
            problems.append(f"{_place(file, names, close)}: {close!r} where {column!r} for {name} may be meant")
        elif name in needed:
            problems.append(f"{file.name}, line 1: {column or 'a column'} for {name} is missing")
    return problems


def _close(name: str, unknown: list[str]) -> str | None:
    """Return the column that may be meant where ``name`` is missing."""
    likeness = {other: _likeness(_stem(name), _stem(other)) for other in unknown}
    return max(likeness, key=lambda other: likeness[other]) if any(likeness.values()) else None


def _likeness(name: str, other: str) -> float:
    ratio = difflib.SequenceMatcher(None, name, other).ratio()
    words, others = set(name.split("_")), set(other.split("_"))
    return ratio if ratio >= _SLIP or (ratio >= _ALIKE and (words <= others or others <= words)) else 0


def _stem(name: str) -> str:
    return _KIND.sub("", re.sub(r"\W+", "_", name.lower()).strip("_"))


def _place(file: SourceFile, names: list[str], name: str) -> str:
    return f"{file.name}, line 1, column {names.index(name) + 1}"
