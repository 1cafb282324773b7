"""Two lakes of the whole graph beside each other."""

from __future__ import annotations

import duckdb

from lakehouse import delta
from lakehouse.lake import Lake
from lakehouse.registry import jobs
from lakehouse.table import Table


def differing_tables(first: Lake, second: Lake, *, empty: set[str]) -> dict[str, list[tuple]]:
    """Return of every computed table whose published rows differ some rows that only one of both lakes has.

    Just the tables named in ``empty`` must be without rows: two that are empty for another reason would be equal too.
    """
    tables = [job.table for job in jobs().values() if job.transform is not None]
    differences = {table.name: _only_in_one(table, first, second, empty) for table in tables}
    return {name: rows for name, rows in differences.items() if rows}


def _only_in_one(table: Table, first: Lake, second: Lake, empty: set[str]) -> list[tuple]:
    told = ", ".join(name for name in table.column_names if not name.startswith("_"))
    with duckdb.connect() as connection:
        for name, lake in (("first", first), ("second", second)):
            rows = delta.arrow(lake, table.name, lake.published().versions[table.name])
            connection.register(name, rows)
            assert (rows.num_rows == 0) == (table.name in empty), table.name
        query = "(SELECT '{0}', {2} FROM {0} EXCEPT ALL SELECT '{0}', {2} FROM {1}) LIMIT 2"
        return [
            row
            for pair in (("first", "second"), ("second", "first"))
            for row in connection.execute(query.format(*pair, told)).fetchall()
        ]
