"""Pictures of what is computed from what, in Mermaid, which GitHub draws."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from lakehouse import graph
from lakehouse.registry import Job
from lakehouse.table import Table

Arrow = tuple[str, str]


def of_table(table: Table, known: Mapping[str, Job]) -> str:
    """Return the picture of a table's direct inputs and readers; empty for a table that has neither."""
    inputs = {(source, table.name) for source in table.inputs.values()}
    readers = {(table.name, name) for name, job in known.items() if table.name in job.table.inputs.values()}
    return _picture(inputs | readers, marked=table.name)


def of_layer(tables: Iterable[Table], known: Mapping[str, Job]) -> str:
    """Return the picture of who reads the tables of a layer; empty if nobody does.

    An arrow is left out when the reader also reads, directly or not, something else that comes from the table.
    """
    names = {table.name for table in tables}
    return _picture(
        {
            (source, name)
            for name, job in known.items()
            for source in names.intersection(job.table.inputs.values())
            if not _follows((source, name), known)
        }
    )


def _follows(arrow: Arrow, known: Mapping[str, Job]) -> bool:
    source, reader = arrow
    others = set(known[reader].table.inputs.values()) - {source}
    return source in graph.upstream(known, others)


def _picture(arrows: set[Arrow], marked: str = "") -> str:
    if not arrows:
        return ""
    names = sorted({name for arrow in arrows for name in arrow})
    lines = [
        *(f'    {_node(name)}["{name}"]' for name in names),
        *(f"    {_node(source)} --> {_node(reader)}" for source, reader in sorted(arrows)),
        *([f"    style {_node(marked)} stroke-width:3px"] if marked else []),
    ]
    return "\n".join(["```mermaid", "flowchart LR", *lines, "```"])


def _node(name: str) -> str:
    return name.replace(".", "_")
