"""The data dictionary: every declared table and column as one page of Markdown.

Write ``docs/data_dictionary.md`` anew with ``python -m lakehouse.dictionary``.
"""

from __future__ import annotations

from collections.abc import Mapping

from lakehouse import lineage
from lakehouse.project import PROJECT
from lakehouse.registry import LAYERS, Job, jobs
from lakehouse.table import Column, Table

PAGE = PROJECT / "docs" / "data_dictionary.md"

LAYER_TITLES = {
    "bronze": "Bronze: what the source systems said",
    "silver": "Silver: one clean row per thing",
    "gold": "Gold: what people look at",
}

INTRODUCTION = """\
# Data dictionary

Made from the declarations in `jobs/` by `python -m lakehouse.dictionary`; correct a text there, not here.

Money is decimal and in the reporting currency unless a column beside it says otherwise. Moments end in `_at` and are
UTC, days end in `_date`; a `month` is the month's first day. Rates and shares run from 0 to 1. A value that cannot be
known is null, never 0. A column marked *personal* names a person or is what a person wrote, and is in no export; one
marked *identifying* tells who a customer is. `lakehouse forget` erases both.

The picture of a layer shows who reads its tables; an arrow that follows from the others is left out. The picture of a
table shows all that it is made from and everything that reads it.
"""


def rendered(known: Mapping[str, Job]) -> str:
    """Return the page: an overview of each layer, then each of its tables with all columns."""
    by_layer = {layer: [job.table for job in known.values() if job.table.layer == layer] for layer in LAYERS}
    sections = [_layer(LAYER_TITLES[layer], tables, known) for layer, tables in by_layer.items() if tables]
    return "\n".join([INTRODUCTION, *sections])


def _layer(title: str, tables: list[Table], known: Mapping[str, Job]) -> str:
    overview = [
        f"| [{table.name}](#{table.name.replace('.', '')}) | {table.grain} | {table.export_as or ''} |"
        for table in tables
    ]
    head = [f"## {title}\n", "| table | one row per | exported as |", "|---|---|---|", *overview, ""]
    picture = lineage.of_layer(tables, known)
    return "\n".join([*head, *([f"{picture}\n"] if picture else []), *(_table(table, known) for table in tables)])


def _table(table: Table, known: Mapping[str, Job]) -> str:
    facts = {
        "One row per": table.grain,
        "Key": _code(table.key),
        "Made from": _code(tuple(dict.fromkeys(table.inputs.values()))),
        "Leads to": ", ".join(f"`{column}` → `{target}`" for column, target in table.foreign_keys.items()),
        "Checked": "; ".join(check.name.replace("_", " ") for check in (*table.checks, *table.audits)),
        "Quarantined unless": "; ".join(check.name.replace("_", " ") for check in table.rejections),
    }
    description = " ".join(table.description.split())
    listed = "\n".join(f"- {name}: {_cell(text)}" for name, text in facts.items() if text)
    head = "| column | type | null | accepted | meaning |\n|---|---|---|---|---|"
    columns = "\n".join([head, *map(_column, table.columns)])
    parts = (f"### {table.name}", description, listed, lineage.of_table(table, known), columns)
    return "\n\n".join(filter(None, parts)) + "\n"


def _column(column: Column) -> str:
    accepted = ", ".join(column.values) or _range(column)
    marks = {"personal": column.personal, "identifying": column.identifying}
    meaning = column.description + "".join(f" (*{mark}*)" for mark, holds in marks.items() if holds)
    cells = (f"`{column.name}`", column.type, "yes" if column.nullable else "", _cell(accepted), _cell(meaning))
    return f"| {' | '.join(cells)} |"


def _range(column: Column) -> str:
    if column.minimum is not None and column.maximum is not None:
        return f"{column.minimum:g} to {column.maximum:g}"
    if column.minimum is not None:
        return f"≥ {column.minimum:g}"
    return "" if column.maximum is None else f"≤ {column.maximum:g}"


def _code(names: tuple[str, ...]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    PAGE.write_text(rendered(jobs()), encoding="utf-8")
