"""Reads the cheatsheet, its measures with what they refer to, and the SQL that stands for some of them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from lakehouse.project import PROJECT

PAGE = PROJECT / "docs" / "saas_dax_cheatsheet.md"
QUERIES = Path(__file__).parent / "measures.sql"
VIEWS = Path(__file__).parent / "views.sql"

MEASURE = re.compile(
    r"^#### (?P<name>[^\n]+)\n\n```dax\n(?P<code>[^`]+)\n```\n\n- Means: [^\n]+\n- Unit: [^\n]+\n- Must equal: (?P<equals>[^\n]+)\n",
    re.MULTILINE,
)
COLUMN = re.compile(r"'?\b([a-z_]+)'?\[([a-z_0-9]+)\]")
TABLE = re.compile(r"(?<![\"\[\w])([a-z]+_[a-z_]+)(?!['\[\w])")
REFERENCE = re.compile(r"(?<![\w'])\[([^\]]+)\]")


@dataclass(frozen=True)
class Measure:
    """One measure of the page, as text."""

    name: str
    code: str
    equals: str

    @property
    def defined(self) -> str:
        """The name that the code gives it."""
        return self.code.partition("=")[0].strip()

    @property
    def measures(self) -> set[str]:
        """The other measures that the code uses."""
        return set(REFERENCE.findall(self.code))


def measures(page: str) -> list[Measure]:
    """Return the measures of the page in order."""
    return [Measure(**found.groupdict()) for found in MEASURE.finditer(page)]


def unknown_names(text: str, headers: dict[str, set[str]]) -> set[str]:
    """Return each ``table[column]`` in the text that is in no exported file, and each table that is none."""
    tables = set(TABLE.findall(text)) - set(headers)
    return tables | {
        f"{table}[{name}]" for table, name in COLUMN.findall(text) if name not in headers.get(table, set())
    }


def queries() -> dict[str, tuple[str, str]]:
    """Return by measure the query that stands for it and the one for what it must equal."""
    _, *blocks = QUERIES.read_text(encoding="utf-8").split("-- name: ")
    named = {name: body for name, _, body in (block.partition("\n") for block in blocks)}
    found = {name: body.strip().removesuffix(";").split(";\n") for name, body in named.items()}
    return {name: (measured, expected) for name, (measured, expected) in found.items()}
