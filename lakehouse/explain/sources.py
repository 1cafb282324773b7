"""Which published numbers can be taken apart, and into what: the content of ``sources.yml`` beside this file."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

import yaml
from pydantic import Field, field_validator

from lakehouse.metric_registry import Metric, registry
from lakehouse.registry import job
from lakehouse.setting_types import Model
from lakehouse.table import Column

FOLDER = Path(__file__).parent

# What people say for a metric, and the metric's own name.
ALSO_CALLED = {"nrr": "nrr_12m", "grr": "grr_12m", "cac": "mean_cac", "mrr": "closing_mrr"}

_TERM = re.compile(r"(?P<sign>[+-]?) ?(?:(?P<factor>\d+) × )?(?P<all>all )?(?P<part>[a-z_0-9]+) ?")


@dataclass(frozen=True)
class Term:
    """A part with its whole, signed factor; ``is_of_all`` if it is summed over every value of the dimensions."""

    part: str
    factor: int
    is_of_all: bool

    @property
    def name(self) -> str:
        """What the part is called beside others."""
        return f"all {self.part}" if self.is_of_all else self.part


@dataclass(frozen=True)
class Formula:
    """A sum of terms; a ratio of two such sums if there is a denominator."""

    text: str
    numerator: tuple[Term, ...]
    denominator: tuple[Term, ...]

    @property
    def terms(self) -> tuple[Term, ...]:
        """The terms of both sums, each once."""
        return tuple({term.name: term for term in (*self.numerator, *self.denominator)}.values())


class Source(Model):
    """Metrics of one published ``table`` that are sums of what the rows of ``rows/<rows>.sql`` add to them.

    The rows have ``customer_id``, ``month`` if the table has one (there the column ``month``), a column for each of
    ``dimensions`` (values of the pair ``dimension`` and ``dimension_value``) and of ``columns`` (other parts of the
    table's key, each with the value that stands for all, if there is one), and the measures that the formulas of
    ``metrics`` (by published column) name. ``parts`` says what a measure is that is no column of the table.
    ``records`` names what stands behind the rows; ``period_months`` how far back their movements reach;
    ``rounds_parts`` says that each part is published to the cent before they are added up.
    """

    table: str
    rows: str
    month: str | None = None
    period_months: Literal[1, 12] = 1
    dimensions: list[str] = Field(default_factory=list)
    columns: dict[str, str | None] = Field(default_factory=dict)
    records: Literal["subscriptions", "payments", "invoices", "tickets", "nps_responses"] | None = None
    rounds_parts: bool = False
    parts: dict[str, str] = Field(default_factory=dict)
    metrics: dict[str, str]

    @field_validator("metrics")
    @classmethod
    def _can_be_parsed(cls, metrics: dict[str, str]) -> dict[str, str]:
        for text in metrics.values():
            parsed(text)
        return metrics

    @property
    def sql(self) -> str:
        """The query of the rows."""
        return (FOLDER / "rows" / f"{self.rows}.sql").read_text(encoding="utf-8")


@dataclass(frozen=True)
class Figure:
    """One column of a published table that can be taken apart."""

    source: Source
    column: str

    @property
    def formula(self) -> Formula:
        """What it is made of."""
        return parsed(self.source.metrics[self.column])

    @property
    def place(self) -> str:
        """Where it stands: ``layer.table.column``."""
        return f"{self.source.table}.{self.column}"

    @property
    def declared(self) -> Column:
        """Its declaration."""
        return _declared(self.source.table)[self.column]

    @property
    def metric(self) -> Metric | None:
        """Its entry in the metric registry; counts need none."""
        return next((metric for metric in registry().metrics if self.place in metric.columns), None)

    def meaning(self, part: str) -> str:
        """Return what a part of it is."""
        column = _declared(self.source.table).get(part)
        return self.source.parts.get(part) or (column.description if column else part)


@cache
def sources() -> tuple[Source, ...]:
    """Return every source, in order."""
    content = yaml.load((FOLDER / "sources.yml").read_bytes(), Loader=yaml.CSafeLoader)
    return tuple(Source.model_validate(source) for source in content)


def figures() -> list[Figure]:
    """Return every number that can be taken apart."""
    return [Figure(source, column) for source in sources() for column in source.metrics]


def parsed(text: str) -> Formula:
    """Return the formula of a text such as ``(opening_mrr - churned_mrr) ÷ opening_mrr``.

    Raises:
        ValueError: if it is none.
    """
    numerator, _, denominator = text.partition(" ÷ ")
    if not denominator:
        return Formula(text, _terms(numerator), ())
    return Formula(text, _terms(_unwrapped(numerator)), _terms(_unwrapped(denominator)))


def _unwrapped(text: str) -> str:
    """A side of a ratio without the brackets that stand around several terms."""
    has_brackets = text.startswith("(") and text.endswith(")")
    if has_brackets != (" + " in text or " - " in text):
        raise ValueError(f"{text!r} needs brackets around several terms, and around one none")
    return text[1:-1] if has_brackets else text


def _terms(text: str) -> tuple[Term, ...]:
    found = list(_TERM.finditer(text))
    if not found or "".join(match.group() for match in found) != text or not all(match["sign"] for match in found[1:]):
        raise ValueError(f"{text!r} is no sum of terms")
    return tuple(
        Term(match["part"], int(match["factor"] or 1) * (-1 if match["sign"] == "-" else 1), bool(match["all"]))
        for match in found
    )


def _declared(table: str) -> dict[str, Column]:
    return {column.name: column for column in job(table).table.columns}
