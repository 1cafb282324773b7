"""What a file of a bronze table may hold: its columns, those it needs, what an empty cell stands for."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from pathlib import Path

import duckdb

from lakehouse.errors import UsageError
from lakehouse.project import PROJECT
from lakehouse.registry import Job, job, jobs
from lakehouse.table import Column, Table

DOCUMENT = PROJECT / "docs/file_contracts.md"
_EXAMPLES = {
    "int": "4",
    "bigint": "1200",
    "double": "0.25",
    "boolean": "true",
    "date": "2026-01-31",
    "timestamp": "2026-01-31T09:30:00Z",
}
_TEXTS = {"currency": "EUR", "country": "DE", "email": "billing@example.com", "timezone": "Europe/Berlin"}
_MEANT = {
    "_reporting_currency": "the reporting currency",
    "_covered_to": "the day up to which the files reach; only where the file has no such column",
}


def of_source(table: Table) -> list[Column]:
    """Return the columns that say what the source did: all but those that tell where a row came from."""
    return [column for column in table.columns if not column.name.startswith("_")]


def given(table: Table) -> list[Column]:
    """Return the columns that a file may hold; the month by which a table is kept follows from the others."""
    return [column for column in of_source(table) if column.name != table.by_month]


def required(table: Table) -> list[str]:
    """Return the columns without which no row can be used: an empty one breaks a rule, and has no default."""
    empty = ", ".join(f"CAST(NULL AS {sql_type(column)}) AS {column.name}" for column in of_source(table))
    with duckdb.connect() as connection:
        connection.execute(f"CREATE VIEW nothing AS SELECT {empty}")
        broken = [
            rule.expression
            for rule in table.rejects
            if not connection.table("nothing").filter(rule.expression).fetchall()
        ]
    named = {word for expression in broken for word in re.findall(r"\w+", expression)}
    return [column.name for column in given(table) if column.name in named and column.default is None]


def sql_type(column: Column) -> str:
    """Return the column's type as DuckDB calls it."""
    return {"timestamp": "TIMESTAMPTZ", "string": "VARCHAR"}.get(column.type, column.type.upper())


def received_table(name: str) -> Table:
    """Return the bronze table that is called ``name``, with or without its layer.

    Raises:
        UsageError: if there is none.
    """
    return job(name if name.startswith("bronze.") else f"bronze.{name}").table


def write_template(table: Table, folder: Path) -> Path:
    """Write an empty file of the table, with the header alone, into ``folder`` and return its path.

    Raises:
        UsageError: if there is a file of that name.
    """
    path = folder / f"{table.short_name}.csv"
    try:
        with path.open("x", encoding="utf-8", newline="") as file:
            csv.writer(file).writerow(column.name for column in given(table))
    except FileExistsError as error:
        raise UsageError(
            "The template cannot be written",
            found=f"a file {path}",
            expected="no file of that name",
            do="Move the file away, or run the command in another folder.",
        ) from error
    return path


def document(jobs: Mapping[str, Job]) -> str:
    """Return the page of all contracts."""
    tables = [one.table for one in jobs.values() if one.table.layer == "bronze"]
    return "\n".join([_HEAD, *map(_section, tables)])


def _section(table: Table) -> str:
    needed = required(table)
    head = (
        f"## {table.short_name}\n\n{' '.join(table.description.split())}\n\n"
        "| column | required | type | accepted | when empty | example | meaning |\n|---|---|---|---|---|---|---|"
    )
    return "\n".join([head, *(_row(column, column.name in needed) for column in given(table))]) + "\n"


def _row(column: Column, is_required: bool) -> str:  # noqa: FBT001 - a cell of the row
    bounds = [
        f"{sign} {bound:g}" for sign, bound in (("≥", column.minimum), ("≤", column.maximum)) if bound is not None
    ]
    accepted = ", ".join(column.values or bounds)
    empty = "" if column.default is None else _MEANT.get(column.default, f"`{column.default}`")
    cells = (f"`{column.name}`", "yes" if is_required else "", column.type, accepted, empty)
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in (*cells, example(column), column.description)) + " |"


def example(column: Column) -> str:
    """Return a cell that the column would accept."""
    if column.values:
        return column.values[0]
    if column.type.startswith("decimal"):
        return "1200.00"
    if column.type != "string":
        return _EXAMPLES[column.type]
    word = column.name.removesuffix("_id")
    return _TEXTS.get(column.name, f"{word}-1001" if column.name.endswith("_id") else word.replace("_", " "))


_HEAD = """# Files that can be ingested

*Generated from the declarations in `jobs/bronze` by `python -m lakehouse.ingest.contract`.*

`lakehouse ingest FOLDER` reads every file that is named after a table, or lies in a folder that is:
`subscriptions.csv`, `subscriptions-2026-03.csv.gz`, `usage_events/part-1.parquet`, `invoices.jsonl`.
`lakehouse template subscriptions` writes an empty one. A file needs its required columns; the order does not matter,
other columns are named and left out. One that looks like a column which is missing, as `currency_code` does where there is no
`currency`, refuses the file: to read nothing there would be a guess. Rename it, to the one that is meant or to another name.

How far the records reach follows from the latest `updated_at` or `occurred_at` of the rows that can be used, and where there is
none from the first days of terms; `--as-of` names the day instead. A last day that lies five years after all others is taken
for mistyped. `--replace` lets a file take the place of an earlier one of its name, reads a vendor's file anew where its mapping
was corrected, and lets `--as-of` name an earlier day than before.

- **CSV** (`.csv`, `.csv.gz`): UTF-8, with or without a byte order mark, commas, a header, quotes as in RFC 4180.
- **JSON** (`.json`, an array of objects, or an object a line; `.jsonl`; both also `.gz`) and **Parquet**.
- Files of a table in another format, and columns that only the names of folders hold (`status=paused/part-0.parquet`),
  are named and refuse the folder: nothing of it is received then.
- An empty cell is nothing; blanks around a cell do not count. Dates are `2026-01-31`, or moments of that day in UTC; moments are ISO 8601, in UTC
  where they name no offset; numbers have a point and no thousands separator; booleans are true or false, yes or no, 1 or 0.
- A row with a cell that is not what its column says, an unknown word or a number out of bounds too, goes to
  `silver.quarantine` with the reason and its texts. So does a record with too many or too few cells.
"""


if __name__ == "__main__":
    DOCUMENT.write_text(document(jobs()), encoding="utf-8")
