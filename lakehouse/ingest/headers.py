"""Headers against contracts: every problem of every file at once, before anything is received."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Iterable, Mapping

from lakehouse.errors import UsageError
from lakehouse.ingest.contract import given, required
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
    problems = [
        problem
        for file, names in headers.items()
        for problem in (
            _problems(file, names, tables[file.table])
            if source is None
            else _mapping_problems(file, names, tables[file.table], source.files[file.kind])
        )
    ]
    if problems:
        raise UsageError(
            "The files do not have the columns of their tables",
            found="; ".join(problems),
            expected="each required column once",
            do="docs/file_contracts.md has the columns of each table. Correct the files; nothing was received.",
        )
    return headers


def _mapping_problems(file: SourceFile, names: list[str], table: Table, mapping: FileMapping) -> list[str]:
    lacking = [name for name in required(table) if name not in mapping.present(names)]
    columns = {name: mapping.columns[name].column if name in mapping.columns else None for name in lacking}
    return [f"{file.name}, line 1: {column or 'a column'} for {name} is missing" for name, column in columns.items()]


def left_out(names: Iterable[str], table: Table) -> list[str]:
    """Return the columns of a file that the table does not know."""
    known = {column.name for column in given(table)}
    return [name for name in names if name not in known]


def _problems(file: SourceFile, names: list[str], table: Table) -> list[str]:
    unknown = left_out(names, table)
    problems = [
        f"{file.name}, line 1, column {names.index(name) + 1}: {name} stands there {count} times"
        for name, count in Counter(names).items()
        if count > 1 and name
    ]
    for name in (column.name for column in given(table) if column.name not in names):
        close = difflib.get_close_matches(name, unknown, 1)
        if close:
            place = names.index(close[0]) + 1
            problems.append(f"{file.name}, line 1, column {place}: {close[0]!r} where {name} may be meant")
        elif name in required(table):
            hint = f" (the only column is {names[0]!r}: its separator is no comma)" if len(names) == 1 else ""
            problems.append(f"{file.name}, line 1: {name} is missing{hint}")
    return problems
