"""Which number is meant: a metric, a period and the values by which it is narrowed, or a paragraph that says why none is."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import NoReturn

from lakehouse.errors import UsageError
from lakehouse.explain.periods import Period, last_complete
from lakehouse.explain.sources import ALSO_CALLED, Figure, Source, figures, reason_of, reasons
from lakehouse.metric_registry import registry
from lakehouse.metrics.breakdown import ALL

WHAT = "The number cannot be explained"
CUSTOMER = "customer_id"


@dataclass(frozen=True)
class Address:
    """One published number: the ``figure``, its period if it has one, and ``values`` by dimension or column.

    A column that is not narrowed has the value that stands for all of it, and a slice none; ``dimension`` is None where
    all count.
    """

    figure: Figure
    period: Period | None
    dimension: str | None
    values: Mapping[str, str]

    @property
    def place(self) -> str:
        """The number in words, for a title."""
        narrowed = (f"{name} {value}" for name, value in self.values.items() if value != ALL)
        return ", ".join(filter(None, (str(self.period or ""), *narrowed)))


def address(
    metric: str, period: Period | None, narrowed: Mapping[str, str], as_of: date, customer: str | None = None
) -> Address:
    """Return the published number that is meant; of several that fit, the first in ``sources.yml``.

    ``metric`` is the name of a metric or of a published column, with its table before it if need be; without a period
    it is the last complete one. What is published per customer is that of ``customer``.

    Raises:
        UsageError: if there is no such number, naming those that there are.
    """
    named = _named(metric)
    of_customer = {CUSTOMER: customer} if customer else {}
    fitting = [
        (figure, asked)
        for figure in named
        for asked in [{**narrowed, **(of_customer if CUSTOMER in figure.source.columns else {})}]
        if _fits(figure.source, period, asked)
    ]
    if not fitting:
        _refuse(metric, period, narrowed, named)
    figure, narrowed = fitting[0]
    source = figure.source
    columns = {name: narrowed.get(name, value or ALL) for name, value in source.columns.items()}
    slices = {name: value for name, value in narrowed.items() if name in source.slices}
    dimension = next((name for name in narrowed if name in source.dimensions), None)
    values = columns | slices | ({dimension: narrowed[dimension]} if dimension else {})
    found = (period or last_complete(source.length, as_of)) if source.length else None
    return Address(figure, found, dimension, values)


def _named(metric: str) -> list[Figure]:
    known = figures()
    found = [
        figure
        for name in dict.fromkeys([metric, ALSO_CALLED.get(metric, metric)])
        # A metric comes before a column of that name that is another one, as the ARR of orders is.
        for is_metric in (True, False)
        for figure in known
        if (name == _metric_name(figure)) == is_metric and name in _names(figure)
    ]
    return found or _not_a_sum(metric, known)


def _names(figure: Figure) -> set[str | None]:
    return {_metric_name(figure), figure.column, figure.place, figure.place.removeprefix("gold.")}


def _metric_name(figure: Figure) -> str | None:
    return figure.metric.name if figure.metric else None


def _not_a_sum(metric: str, known: list[Figure]) -> NoReturn:
    entry = next((entry for entry in registry().metrics if metric == entry.name), None)
    places = entry.columns if entry else [place for place in reasons() if place.rpartition(".")[2] == metric]
    if places:
        why = next(filter(None, map(reason_of, places)), None)
        meaning = f", which is {entry.formula}, one value per {entry.grain}" if entry else ""
        raise UsageError(
            WHAT,
            found=f"{metric}{meaning}{f' ({why})' if why else ''}",
            expected="one of the sums, and ratios of sums, that docs/explain.md lists",
            do=f"It stands in {', '.join(places)}; `lakehouse show` prints these tables.",
        )
    names = sorted({figure.metric.name if figure.metric else figure.column for figure in known} | set(ALSO_CALLED))
    near = difflib.get_close_matches(metric, names)
    raise UsageError(
        WHAT,
        found=f"no metric {metric!r}",
        expected=f"one of {', '.join(names)}",
        do=f"Did you mean {' or '.join(near)}?" if near else "docs/metrics.md says what each of them is.",
    )


def _fits(source: Source, period: Period | None, narrowed: Mapping[str, str]) -> bool:
    dimensions = [name for name in narrowed if name not in source.columns and name not in source.slices]
    needed = {name for name, value in source.columns.items() if value is None}
    return (
        (period is None or period.length == source.length)
        and needed <= set(narrowed)
        and len(dimensions) <= 1
        and set(dimensions) <= set(source.dimensions)
    )


def _refuse(metric: str, period: Period | None, narrowed: Mapping[str, str], named: list[Figure]) -> NoReturn:
    found = [f"--{period.length} {period}"] if period else []
    found += [f"--dimension {name} --value {value!r}" for name, value in narrowed.items()]
    raise UsageError(
        WHAT,
        found=f"{metric} {' '.join(found) or 'alone'}",
        expected="; or ".join(dict.fromkeys(_taken(figure.source) for figure in named)),
        do="Name one dimension of these with --dimension and its value with --value, or one customer with --customer.",
    )


def _taken(source: Source) -> str:
    needed = [name for name, value in source.columns.items() if value is None]
    optional = [name for name, value in source.columns.items() if value is not None]
    said = [f"with a {source.length}" if source.length else "as of now, without a month"]
    said += ["of one --customer"] if CUSTOMER in needed else []
    others = [name for name in needed if name != CUSTOMER]
    said += [f"with a value of {' and '.join(others)}"] if others else []
    optional += source.slices
    said += [f"with one of {', '.join(optional)}"] if optional else []
    said += [f"by one of {', '.join(source.dimensions)}"] if source.dimensions else []
    return f"in {source.table} {', '.join(said)}"
