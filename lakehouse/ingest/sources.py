"""Files as a vendor writes them: which of its columns each of ours is, as ``conf/sources/*.yml`` says.

Rename, constant, unit, date format and meaning of words: no expression of the configuration is evaluated.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import duckdb
from pydantic import Field, field_validator, model_validator

from lakehouse.config import read_model
from lakehouse.errors import UsageError
from lakehouse.fingerprint import digest
from lakehouse.ingest.cells import literal, quoted
from lakehouse.ingest.contract import given
from lakehouse.ingest.reading import ROW
from lakehouse.setting_types import Model, PositiveInt
from lakehouse.table import LINE, Table


class Cell(Model):
    """Where the cells of a column come from: a column of the file, or the same text for every row."""

    column: str | None = Field(default=None, alias="from")
    constant: str | None = None
    unit: Literal["cents", "percent"] | None = None
    date_format: str | None = None
    values: dict[str, str] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _has_one_origin(self) -> Cell:
        if (self.column is None) == (self.constant is None):
            raise ValueError("needs either `from` or `constant`")
        if sum(map(bool, (self.constant, self.unit, self.date_format, self.values))) > 1:
            raise ValueError("takes one of `constant`, `unit`, `date_format` and `values`")
        return self

    @field_validator("date_format")
    @classmethod
    def _is_a_format(cls, date_format: str | None) -> str | None:
        if date_format is not None:
            try:
                duckdb.connect().execute("SELECT try_strptime('', ?)", [date_format])
            except duckdb.Error as error:
                raise ValueError(f"is no format of a date: {error}") from error
        return date_format

    @property
    def sql(self) -> str:
        """The text of the cell; one that the format or the unit does not fit stays as it is."""
        if self.column is None:
            return literal(str(self.constant))
        text = f"CAST({quoted(self.column)} AS VARCHAR)"
        if self.unit is not None:
            return f"coalesce(CAST(try_cast({text} AS DECIMAL(18, 6)) * 0.01 AS VARCHAR), {text})"
        if self.date_format is not None:
            return f"coalesce(CAST(try_strptime({text}, {literal(self.date_format)}) AS VARCHAR), {text})"
        if self.values:
            words = " ".join(f"WHEN {literal(word)} THEN {literal(meaning)}" for word, meaning in self.values.items())
            return f"CASE {text} {words} ELSE {text} END"
        return text


class FileMapping(Model):
    """A file of the vendor: the table that it is for, and the cells of the table's columns."""

    table: str
    columns: dict[str, Cell]

    def present(self, header: list[str]) -> dict[str, Cell]:
        """Return the cells of which the file has the column."""
        return {name: cell for name, cell in self.columns.items() if cell.column is None or cell.column in header}

    def unused(self, header: list[str]) -> list[str]:
        """Return the columns of the file that no cell is taken from."""
        used = {cell.column for cell in self.columns.values()}
        return [name for name in header if name not in used]

    @property
    def digest(self) -> str:
        """What the mapping is known by: a file that was read by another one can be read anew."""
        return digest(self.model_dump())

    def relation(self, header: list[str], records: str) -> str:
        """Return the SQL of the records with the table's columns as text."""
        cells = ", ".join(f"{cell.sql} AS {quoted(name)}" for name, cell in self.present(header).items())
        return f"(SELECT {cells}, {ROW}, {LINE} FROM {records})"  # noqa: S608 - names and literals, quoted


class Source(Model):
    """A vendor: its files by name."""

    version: PositiveInt
    files: dict[str, FileMapping]


def read_source(conf: Path, name: str, tables: Mapping[str, Table]) -> Source:
    """Return the mapping of the vendor ``name``.

    Raises:
        UsageError: if there is none, or it names tables and columns that do not exist.
    """
    known = sorted(path.stem for path in (conf / "sources").glob("*.yml"))
    if name not in known:
        raise UsageError(
            "The source is not known",
            found=repr(name),
            expected=f"one of {', '.join(known)}",
            do="Leave --source out for files that are named after tables, or describe it in conf/sources.",
        )
    source = read_model(conf / "sources" / f"{name}.yml", Source)
    problems = [f"files.{file}: no table {m.table}" for file, m in source.files.items() if m.table not in tables]
    problems += [
        f"files.{file}.columns: {mapping.table} has no column {column}"
        for file, mapping in source.files.items()
        if mapping.table in tables
        for column in mapping.columns.keys() - {one.name for one in given(tables[mapping.table])}
    ]
    if problems:
        raise UsageError(
            f"The source {name} cannot be used",
            found="; ".join(sorted(problems)),
            expected="tables and columns of docs/file_contracts.md",
            do=f"Correct conf/sources/{name}.yml and run the command again.",
        )
    return source
