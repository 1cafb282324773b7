"""From cells of text to the declared columns: what a cell cannot be is kept as its text, in ``_unread``."""

from __future__ import annotations

import duckdb
import pyarrow as pa

from lakehouse.ingest.contract import given, of_source, sql_type
from lakehouse.ingest.reading import ROW
from lakehouse.table import LINE, Column, Table

_DATE = r"\d{4}-\d{2}-\d{2}"
# How a text of each type looks. Casting alone would take 12.5 for the number 13.
_PATTERNS = {
    "int": r"[+-]?\d+(\.0+)?",
    "bigint": r"[+-]?\d+(\.0+)?",
    "double": r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?",
    "boolean": r"(?i)true|false|yes|no|1|0",
    "date": rf"{_DATE}([T ]\d{{2}}:\d{{2}}(:\d{{2}}(\.\d+)?)?\s?(Z|UTC|[+-]00(:?00)?)?)?",
    "timestamp": rf"{_DATE}([T ]\d{{2}}:\d{{2}}(:\d{{2}}(\.\d+)?)?)?\s?(Z|UTC|[+-]\d{{2}}(:?\d{{2}})?)?",
    "decimal": r"[+-]?(\d+\.?\d*|\.\d+)",
}


def in_utc() -> duckdb.DuckDBPyConnection:
    """Return a connection in which a moment without an offset is one of UTC."""
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    return connection


def typed(table: Table, columns: pa.Schema, relation: str) -> str:
    """Return the SQL that gives the table's columns, ``_row`` and ``_unread`` of the records in ``relation``.

    ``columns`` are those of the records. A cell is unreadable if it is no value of its column's type, none of the
    accepted ones, out of bounds, or holds a NUL.
    """
    present = [column for column in given(table) if column.name in columns.names]
    texts = ", ".join(f"{_text(column, columns)} AS {quoted('text ' + column.name)}" for column in present)
    values = ", ".join(f"{_value(column)} AS {quoted('value ' + column.name)}" for column in present)
    unread = ", ".join(f"{quoted(column.name)}: {_unread(column)}" for column in present)
    selected = ", ".join(
        f"CAST({_accepted(column) if column in present else 'NULL'} AS {sql_type(column)}) AS {quoted(column.name)}"
        for column in of_source(table)
    )
    told = f"json_merge_patch('{{}}', to_json({{{unread}}}))"
    unreadable = f"CASE WHEN {LINE} IS NOT NULL THEN to_json({{'{LINE}': {LINE}}}) ELSE nullif({told}, '{{}}') END"
    return (
        f"WITH texts AS (SELECT {ROW}, {LINE}, {texts} FROM {relation}), cells AS (SELECT *, {values} FROM texts) "  # noqa: S608 - names of ours
        f"SELECT {selected}, {ROW}, CAST({unreadable} AS VARCHAR) AS _unread FROM cells"
    )


def _text(column: Column, columns: pa.Schema) -> str:
    cell = quoted(column.name)
    written = f"CAST({cell} AS VARCHAR)"
    if pa.types.is_floating(columns.field(column.name).type):
        # Decimals where a number would be written in the notation of floating point, as 1e-05 is.
        plain = f"rtrim(rtrim(CAST(try_cast({cell} AS DECIMAL(38, 12)) AS VARCHAR), '0'), '.')"
        is_short = f"contains({written}, 'e') AND {column.type != 'double'}"
        return f"CASE WHEN NOT isnan({cell}) THEN CASE WHEN {is_short} THEN coalesce({plain}, {written}) ELSE {written} END END"
    return f"nullif(trim({written}, e' \\t\\r\\n'), '')"


def _value(column: Column) -> str:
    text, kind = quoted("text " + column.name), column.type.partition("(")[0]
    if kind == "string":
        return text
    cast = f"try_cast({text} AS {sql_type(column)})"
    if kind in ("int", "bigint"):
        cast = f"try_cast(split_part({text}, '.', 1) AS {sql_type(column)})"
    if kind == "date":
        cast = f"try_cast(left({text}, 10) AS DATE)"
    if kind == "timestamp":
        cast = f"try_cast(regexp_replace({text}, '\\s?UTC$', 'Z') AS TIMESTAMPTZ)"
    return f"CASE WHEN regexp_full_match({text}, '{_PATTERNS[kind]}') THEN {cast} END"


def _accepted(column: Column) -> str:
    return f"CASE WHEN {_is_accepted(column)} THEN {quoted('value ' + column.name)} END"


def _unread(column: Column) -> str:
    text = quoted("text " + column.name)
    return f"CASE WHEN {text} IS NOT NULL AND NOT coalesce({_is_accepted(column)}, false) THEN {text} END"


def _is_accepted(column: Column) -> str:
    value = quoted("value " + column.name)
    conditions = [f"{value} IS NOT NULL"]
    if column.values:
        conditions.append(f"{value} IN ({', '.join(repr(word) for word in column.values)})")
    if column.minimum is not None:
        conditions.append(f"{value} >= {column.minimum}")
    if column.maximum is not None:
        conditions.append(f"{value} <= {column.maximum}")
    if column.type == "string":
        conditions.append(f"NOT contains({value}, chr(0))")
    return " AND ".join(conditions)


def quoted(name: str) -> str:
    """Return ``name`` as SQL writes the name of a column."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Return ``text`` as SQL writes it."""
    return "'" + text.replace("'", "''") + "'"
