"""The published tables as views of a DuckDB connection, each at its published version."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from lakehouse import delta
from lakehouse.lake import Lake
from lakehouse.manifest import Manifest
from lakehouse.publish import not_published
from lakehouse.registry import LAYERS, job
from lakehouse.settings import Metrics

FOLDER = Path(__file__).parent
SHARED = "shared"

_TABLE = re.compile(rf"\b(?:bronze|silver|gold|{SHARED})\.\w+")


class Database:
    """A connection that knows the tables of a published run by their names; a table is opened when a query names it.

    ``shared.<name>`` is the query of ``shared/<name>.sql``, for what several others rest on.
    """

    def __init__(self, lake: Lake, manifest: Manifest, metrics: Metrics) -> None:
        """Open no table yet; ``getvariable('as_of')`` is the run's as-of day, ``setting('renewals.grace_days')`` a setting."""
        self.lake, self.manifest = lake, manifest
        self._opened: set[str] = set()
        self._connection = duckdb.connect()
        self._connection.execute("SET TimeZone = 'UTC'")
        self._connection.execute("".join(f"CREATE SCHEMA {schema};" for schema in (*LAYERS, SHARED)))
        self._connection.execute((FOLDER / "macros.sql").read_text(encoding="utf-8"))
        self.set("as_of", manifest.as_of)
        self.set("settings", metrics.model_dump_json())

    def set(self, name: str, value: date | str) -> None:
        """Let ``getvariable(name)`` be a value."""
        kind = "DATE" if isinstance(value, date) else "VARCHAR"
        self._connection.execute(f"SET VARIABLE {name} = CAST(? AS {kind})", [str(value)])

    def rows(self, query: str, parameters: list[Any] | dict[str, Any] | None = None) -> list[dict[str, Any]]:
        """Return the rows of a query.

        Raises:
            UsageError: if a table that it names is computed, and not published.
            BrokenLakeError: if a file of such a table is gone.
        """
        self._open(query)
        result = self._connection.execute(query, parameters or [])
        names = [column[0] for column in result.description or ()]
        return [dict(zip(names, row, strict=True)) for row in result.fetchall()]

    def keep(self, name: str, query: str, parameters: list[Any] | None = None) -> None:
        """Keep the rows of a query as a table of the connection, in place of one of that name."""
        self._open(query)
        self._connection.execute(f"CREATE OR REPLACE TABLE {name} AS {query}", parameters or [])

    def keep_once(self, name: str, query: str) -> None:
        """Keep the rows of a query as a table of the connection, unless it is there: several numbers rest on one query."""
        if name not in self._opened:
            self.keep(name, query)
            self._opened.add(name)

    def _open(self, query: str) -> None:
        for table in sorted(set(_TABLE.findall(query))):
            if table in self._opened:
                continue
            if table.startswith(SHARED):
                shared = (FOLDER / f"{table.replace('.', '/')}.sql").read_text(encoding="utf-8")
                self._open(shared)
                self._connection.execute(f"CREATE VIEW {table} AS {shared}")
            else:
                self._open_published(table)
            self._opened.add(table)

    def _open_published(self, table: str) -> None:
        if table in self.manifest.tables:
            data = delta.arrow(self.lake, table, self.manifest.tables[table].version)
        elif job(table).is_received:
            # Nothing of the kind ever came in.
            data = job(table).table.arrow_schema.empty_table()
        else:
            raise not_published(table, self.manifest)
        name = f"_{table.replace('.', '_')}"
        self._connection.register(name, data)
        self._connection.execute(f"CREATE VIEW {table} AS FROM {name}")
