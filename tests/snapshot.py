"""The whole graph as one readable text: tables, grains, keys, inputs and columns."""

from __future__ import annotations

from pathlib import Path

from lakehouse import graph
from lakehouse.registry import jobs

SNAPSHOT = Path(__file__).parent / "graph.txt"


def rendered() -> str:
    """Return the graph in order of computation."""
    known = jobs()
    return "\n".join(_table(known[name].table) for name in graph.order(known))


def _table(table) -> str:
    lines = [f"{table.name}: one row per {table.grain}", f"  key     {', '.join(table.key)}"]
    if table.inputs:
        lines.append(f"  inputs  {', '.join(f'{parameter}={source}' for parameter, source in table.inputs.items())}")
    if table.settings:
        lines.append(f"  uses    {', '.join(table.settings)}")
    if table.export_as:
        lines.append(f"  export  {table.export_as}")
    lines += [f"  {'?' if column.nullable else ' '} {column.name} {column.type}" for column in table.columns]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    SNAPSHOT.write_text(rendered())
