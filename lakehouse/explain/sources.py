"""Which published numbers can be taken apart, and into what: ``sources.yml`` beside this file; ``not_taken_apart.yml`` the others."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

import yaml
from pydantic import Field, field_validator

from lakehouse.explain.periods import LENGTHS, Length
from lakehouse.metric_registry import Metric, registry
from lakehouse.registry import job
from lakehouse.setting_types import Model
from lakehouse.table import Column

FOLDER = Path(__file__).parent

Records = Literal[
    "subscriptions",
    "payments",
    "invoices",
    "tickets",
    "nps_responses",
    "orders",
    "opportunities",
    "opportunity_states",
    "leads",
    "spending",
]

# What people say for a metric, and the metric's own name.
ALSO_CALLED = {
    "nrr": "nrr_12m",
    "grr": "grr_12m",
    "cac": "mean_cac",
    "mrr": "closing_mrr",
    "bookings": "ordered_arr",
    "pipeline": "open_pipeline",
    "coverage": "coverage_ratio",
}

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

    The rows have the id of whom they are ``of``, such as ``customer_id``; ``month``, a day of it, if the table is by
    ``day``, ``month`` or ``quarter`` (one of them, with the table's column for its first day); a column for each of
    ``dimensions`` (values of the pair ``dimension`` and ``dimension_value``), of ``columns`` (other parts of the key,
    each with the value that stands for all, if there is one) and of ``slices`` (parts of the key that no row stands for
    all of: the published rows are added up); and the measures that the formulas of ``metrics`` (by published column)
    name. ``parts`` says what a measure is that is no column of the table.

    ``where`` tells the table's rows of the period from others; ``withheld`` when a metric is null though its parts are
    not. ``all x`` stays ``within`` some of the values. Of a number ``at_close`` only the rows of the period's last month count. ``records`` names what stands behind
    the rows; ``looks_back_months`` how far their movements reach, where it is not the period; ``rounds_parts`` says that
    each part is published to the cent before they are added up.
    """

    table: str
    rows: str
    of: Literal["customer", "account", "lead", "rep", "campaign", "pool"] = "customer"
    day: str | None = None
    month: str | None = None
    quarter: str | None = None
    where: str = "true"
    at_close: bool = False
    looks_back_months: Literal[12] | None = None
    dimensions: list[str] = Field(default_factory=list)
    columns: dict[str, str | None] = Field(default_factory=dict)
    slices: list[str] = Field(default_factory=list)
    within: list[str] = Field(default_factory=list)
    records: Records | None = None
    rounds_parts: bool = False
    parts: dict[str, str] = Field(default_factory=dict)
    withheld: dict[str, str] = Field(default_factory=dict)
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

    @property
    def contributor(self) -> str:
        """The column of the rows that says who adds to the number."""
        return f"{self.of}_id"

    @property
    def length(self) -> Length | None:
        """How long its periods are; null if it is of no period."""
        return next((length for length in LENGTHS if getattr(self, length)), None)

    @property
    def period_column(self) -> str | None:
        """The column of the table with the first day of the period."""
        return self.length and getattr(self, self.length)


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


@cache
def reasons() -> Mapping[str, str]:
    """Return why a measure is not taken apart, by its place or its table: the content of ``not_taken_apart.yml``."""
    content = yaml.load((FOLDER / "not_taken_apart.yml").read_bytes(), Loader=yaml.CSafeLoader)
    return {place: reason for reason, places in content.items() for place in places}


def reason_of(place: str) -> str | None:
    """Return why the measure at ``layer.table.column`` is not taken apart; null if it is."""
    is_taken = any(figure.place == place for figure in figures())
    return None if is_taken else reasons().get(place, reasons().get(place.rpartition(".")[0]))


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
