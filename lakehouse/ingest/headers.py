"""Headers against contracts: every problem of every file at once, before anything is received."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Iterable, Mapping

from lakehouse.errors import UsageError
from lakehouse.ingest.contract import given, of_source, required
from lakehouse.ingest.folder import SourceFile
from lakehouse.ingest.reading import header
from lakehouse.ingest.sources import FileMapping, Source
from lakehouse.table import Table


def check_headers(
    files: Iterable[SourceFile], tables: Mapping[str, Table], source: Source | None
) -> dict[SourceFile, list[str]]:
    """Return the columns of each file as they stand in it; ``source`` says what those of a vendor are.

    Raises:
        UsageError: naming in each file the columns that are missing or stand there twice.
    """
    headers = {file: header(file) for file in files}
    problems: list[str] = []
    for file, names in headers.items():
        table = tables[file.table]
        problems += _repeated(file, names)
        problems += _lacking(file, names, table, source.files[file.kind]) if source else _missing(file, names, table)
    if problems:
        raise UsageError(
            "The files do not have the columns of their tables",
            found="; ".join(problems),
            expected="each required column once",
            do="docs/file_contracts.md has the columns of each table. Correct the files; nothing was received.",
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


def _missing(file: SourceFile, names: list[str], table: Table) -> list[str]:
    known, needed = {column.name for column in of_source(table)}, required(table)
    unknown = [name for name in names if name not in known]
    problems = []
    for name in (column.name for column in given(table) if column.name not in names):
        close = difflib.get_close_matches(name, unknown, 1)
        if close:
            problems.append(f"{_place(file, names, close[0])}: {close[0]!r} where {name} may be meant")
        elif name in needed:
            hint = f" (the only column is {names[0]!r}: its separator is no comma)" if len(names) == 1 else ""
            problems.append(f"{file.name}, line 1: {name} is missing{hint}")
    return problems


def _lacking(file: SourceFile, names: list[str], table: Table, mapping: FileMapping) -> list[str]:
    lacking = [name for name in required(table) if name not in mapping.present(names)]
    columns = {name: mapping.columns[name].column if name in mapping.columns else None for name in lacking}
    return [f"{file.name}, line 1: {column or 'a column'} for {name} is missing" for name, column in columns.items()]


def _place(file: SourceFile, names: list[str], name: str) -> str:
    return f"{file.name}, line 1, column {names.index(name) + 1}"
