"""A file on its way: read whole into a Parquet file of typed cells, before anything of its delivery is received."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

import duckdb
import pyarrow as pa

from lakehouse.errors import UsageError
from lakehouse.ingest.cells import in_utc, literal, typed
from lakehouse.ingest.contract import of_source, sql_type
from lakehouse.ingest.folder import SourceFile
from lakehouse.ingest.headers import left_out
from lakehouse.ingest.reading import records
from lakehouse.ingest.sources import FileMapping
from lakehouse.table import Table

# What tells how far a source reaches, first choice first; an end of terms never does.
REACH = (("updated_at", "occurred_at"), ("start_date", "canceled_at"))


@dataclass(frozen=True)
class Staged:
    """A file that could be read: the columns that it has of the table's, those left out, the mapping, its typed cells.

    ``latest_days`` are its last two days by each choice of REACH, later first, told by the rows that can be used.
    """

    file: SourceFile
    table: Table
    columns: list[str]
    left_out: list[str]
    mapping: str | None
    path: Path
    rows: int
    latest_days: tuple[list[date], ...]

    @property
    def reach(self) -> tuple[date | None, ...]:
        """The last day by each choice."""
        return tuple(days[0] if days else None for days in self.latest_days)


def stage(file: SourceFile, table: Table, header: list[str], folder: Path, mapping: FileMapping | None) -> Staged:
    """Read ``file``, a vendor's by its ``mapping``, into ``folder``.

    Raises:
        UsageError: if it is damaged on the way.
    """
    path = folder / f"{file.digest}-{file.table}.parquet"
    failures: list[UsageError] = []
    batches = _watched(records(file, header), failures)
    # An empty one that tells the schema.
    first = next(batches)
    schema, relation, columns = first.schema, "records", header
    if mapping is not None:
        relation, columns = mapping.relation(header, relation), list(mapping.present(header))
        schema = pa.schema([(name, pa.string()) for name in columns])
    with in_utc() as connection:
        connection.register("records", pa.RecordBatchReader.from_batches(first.schema, batches))
        try:
            connection.execute(f"COPY ({typed(table, schema, relation)}) TO {literal(str(path))} (FORMAT parquet)")
        except duckdb.Error:
            # What the reader itself said is in DuckDB's error as the text of a trace.
            if failures:
                raise failures[0] from None
            raise
        rows = connection.execute(f"SELECT count(*) FROM read_parquet({literal(str(path))})").fetchall()[0][0]  # noqa: S608 - our own file
        _, *days = connection.execute(_latest_days(path, table, columns)).fetchall()[0]
    unused, digest = (mapping.unused(header), mapping.digest) if mapping else (left_out(header, table), None)
    return Staged(file, table, columns, unused, digest, path, rows, tuple(days))


def declared(staged: Staged, known: str) -> str:
    """Return the SQL of the rows as the table receives them, with their provenance."""
    file, table = staged.file, staged.table
    provenance = f"{literal(file.name)} AS _source, {literal(file.batch_id)} AS _batch_id, now() AS _ingested_at"
    names = ", ".join(f"CAST({c.name} AS {sql_type(c)}) AS {c.name}" for c in table.columns)
    return f"SELECT {names} FROM ({_filled(staged.path, table, staged.columns, f'{known}, {provenance}')})"  # noqa: S608 - names of ours


def known_columns(valid_from: date | datetime | None, reporting_currency: str) -> str:
    """Return the SQL of what defaults may name beside the file's own columns: from when on its versions hold, for one."""
    return f"TIMESTAMPTZ '{valid_from}' AS _covered_to, {literal(reporting_currency)} AS _reporting_currency"


def _watched(batches: Iterator[pa.RecordBatch], failures: list[UsageError]) -> Iterator[pa.RecordBatch]:
    try:
        yield from batches
    except UsageError as error:
        failures.append(error)
        raise


def _latest_days(path: Path, table: Table, columns: list[str]) -> str:
    names = {column.name: f'"told {column.name}"' for column in of_source(table)}
    choices = ", ".join(_last_two([names[name] for name in choice if name in names]) for choice in REACH)
    told = ", ".join(f"{name} AS {told}" for name, told in names.items() if any(name in choice for choice in REACH))
    # Days and currencies that nobody knows yet do not tell how far a file reaches.
    known = ", ".join(filter(None, [known_columns(date.min, ""), told]))
    sound = " AND ".join(f"({rule.expression})" for rule in table.rejections)
    return f"SELECT count(*), {choices} FROM ({_filled(path, table, columns, known)}) WHERE {sound}"  # noqa: S608 - names of ours


def _last_two(names: list[str]) -> str:
    if not names:
        return "[]::DATE[]"
    day = f"CAST(greatest({', '.join(names)}, NULL) AS DATE)"
    return f"coalesce(list_reverse_sort(list(DISTINCT {day}) FILTER ({day} IS NOT NULL))[1:2], [])"


def _filled(path: Path, table: Table, columns: list[str], known: str) -> str:
    """Return the SQL of a staged file's rows, empty cells by their defaults, which may rest on the columns ``known``."""
    # Where the file tells its versions, one without a moment is not the newest.
    told = {table.version_by} & set(columns)
    defaults = {c.name: c.default for c in of_source(table) if c.default is not None and c.name not in told}
    cells = ", ".join(
        f"coalesce({name}, CASE WHEN _unread IS NULL THEN {default} END) AS {name}"
        for name, default in defaults.items()
    )
    replacing = f"REPLACE ({cells})" if cells else ""
    # Twice, since a default may rest on another one: the month on the day, and the day on the moment.
    return (
        f"SELECT * {replacing} FROM (SELECT * {replacing} FROM "  # noqa: S608 - names of ours
        f"(SELECT *, {known} FROM read_parquet({literal(str(path))})))"
    )
