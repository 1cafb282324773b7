"""The metric registry: every published metric once, with its meaning and where it stands.

``published_metrics.yml`` beside this file holds the metrics. ``python -m lakehouse.metric_registry`` writes
``docs/metrics.md`` from it; labels on the console come from it; tests hold it against the declared tables.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Literal

import yaml
from pydantic import model_validator

from lakehouse.project import PROJECT
from lakehouse.setting_types import Model
from lakehouse.table import Table

SOURCE = Path(__file__).with_name("published_metrics.yml")
PAGE = PROJECT / "docs" / "metrics.md"

UNITS = {
    "count": "number",
    "parts": "number, shared in millionths",
    "money": "money, in the reporting currency",
    "share": "share, 0 to 1",
    "ratio": "ratio",
    "score": "score, 0 to 1",
    "points": "points, 0 to 100",
    "answer": "points of the scale that was asked",
    "months": "months",
    "days": "days",
    "hours": "hours",
    "seconds": "seconds",
}
DIRECTIONS = {"higher": "higher is better", "lower": "lower is better", "neutral": "neither high nor low is better"}
INTERVALS = {
    "wilson": "95 %, Wilson",
    "survival": "95 %, from the survival curve: S^exp(±1.96 ÷ √churned)",
    "survival_curves": (
        "95 %, from those of the customers: what they lie off adds up on one curve, as squares over the curves of one"
        " dimension and up again over dimensions; null where a customer has none"
    ),
}
BOUNDS = ("_low", "_high")

INTRODUCTION = """\
# Metrics

Every published metric, made from `lakehouse/published_metrics.yml` by `python -m lakehouse.metric_registry`; correct a
text there, not here.

Rates are ratios of sums, never means of ratios. A value without a denominator is null, never 0. The interval of a
metric stands beside it, in the columns with `_low` and `_high` behind its name. *Policy* names the profile that decides
what counts as recurring revenue.
"""


class Metric(Model):
    """One metric; ``columns`` are the places, ``layer.table.column``, that publish it, first of all the original one.

    ``grain`` is what the smallest published value is of, ``interval`` the kind of the bounds beside the columns.
    """

    name: str
    label: str
    definition: str
    formula: str
    unit: Literal[
        "count", "parts", "money", "share", "ratio", "score", "points", "answer", "months", "days", "hours", "seconds"
    ]
    direction: Literal["higher", "lower", "neutral"]
    grain: str
    policy: Literal["board"] | None = None
    interval: Literal["wilson", "survival", "survival_curves"] | None = None
    columns: list[str]


class Area(Model):
    """Metrics of one subject."""

    title: str
    metrics: list[Metric]


class Registry(Model):
    """All metrics; ``not_metrics`` gives the reason why a measure column is none."""

    areas: list[Area]
    not_metrics: dict[str, str]

    @property
    def metrics(self) -> Iterator[Metric]:
        """Every metric, in order."""
        return (metric for area in self.areas for metric in area.metrics)

    @model_validator(mode="after")
    def _say_each_thing_once(self) -> Registry:
        said = {
            "name": [metric.name for metric in self.metrics],
            "label": [metric.label for metric in self.metrics],
            "column": [column for metric in self.metrics for column in metric.columns] + list(self.not_metrics),
        }
        twice = [
            f"{kind} {text}" for kind, texts in said.items() for text, count in Counter(texts).items() if count > 1
        ]
        if twice:
            raise ValueError(f"said more than once: {', '.join(twice)}")
        return self


@cache
def registry() -> Registry:
    """Return the registry of the project."""
    return Registry.model_validate(yaml.load(SOURCE.read_bytes(), Loader=yaml.CSafeLoader))


def metric_in(column: str) -> Metric:
    """Return the metric that ``layer.table.column`` publishes."""
    return next(metric for metric in registry().metrics if column in metric.columns)


def unknown_columns(known: Registry, tables: Iterable[Table]) -> set[str]:
    """Return each column that the registry names and no table declares."""
    declared = {f"{table.name}.{name}" for table in tables for name in table.column_names}
    named = {column for metric in known.metrics for column in metric.columns} | set(known.not_metrics)
    return named - declared


def unnamed_measures(known: Registry, tables: Iterable[Table]) -> set[str]:
    """Return each measure of a gold table, a double or a decimal, that the registry does not name."""
    named = set(known.not_metrics)
    for metric in known.metrics:
        named |= {column + bound for column in metric.columns for bound in ("", *(BOUNDS if metric.interval else ()))}
    return {
        f"{table.name}.{column.name}"
        for table in tables
        if table.layer == "gold"
        for column in table.columns
        if column.type.startswith(("double", "decimal"))
    } - named


def rendered(known: Registry) -> str:
    """Return the page: an overview of each area, then each of its metrics."""
    return "\n".join([INTRODUCTION, *map(_area, known.areas)])


def _area(area: Area) -> str:
    overview = [
        f"| [{metric.label}](#{metric.name}) | {UNITS[metric.unit]} | {DIRECTIONS[metric.direction]} |"
        for metric in area.metrics
    ]
    head = [f"## {area.title}\n", "| metric | unit | direction |", "|---|---|---|", *overview, ""]
    return "\n".join([*head, *map(_metric, area.metrics)])


def _metric(metric: Metric) -> str:
    facts = {
        "Label": metric.label,
        "Formula": metric.formula,
        "Unit": f"{UNITS[metric.unit]}; {DIRECTIONS[metric.direction]}",
        "One value per": metric.grain,
        "Policy": metric.policy,
        "Interval": metric.interval and INTERVALS[metric.interval],
        "Published in": ", ".join(f"`{column}`" for column in metric.columns),
    }
    listed = "\n".join(f"- {name}: {text}" for name, text in facts.items() if text)
    return f"### {metric.name}\n\n{metric.definition}.\n\n{listed}\n"


if __name__ == "__main__":
    PAGE.write_text(rendered(registry()), encoding="utf-8")
