"""Which number is meant: a metric, a month and the values by which it is narrowed, or a paragraph that says why none is."""

from __future__ import annotations

import calendar
import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import NoReturn

from lakehouse.errors import UsageError
from lakehouse.explain.sources import ALSO_CALLED, Figure, Source, figures
from lakehouse.metric_registry import registry
from lakehouse.metrics.breakdown import ALL

WHAT = "The number cannot be explained"
CUSTOMER = "customer_id"


@dataclass(frozen=True)
class Address:
    """One published number: the ``figure``, its month if it has one, and ``values`` by dimension or column.

    A column that is not narrowed has the value that stands for all of it; ``dimension`` is None where all count.
    """

    figure: Figure
    month: date | None
    dimension: str | None
    values: Mapping[str, str]

    @property
    def place(self) -> str:
        """The number in words, for a title."""
        month = f"{self.month:%Y-%m}" if self.month else ""
        narrowed = (f"{name} {value}" for name, value in self.values.items() if value != ALL)
        return ", ".join(filter(None, (month, *narrowed)))


def address(
    metric: str, month: date | None, narrowed: Mapping[str, str], as_of: date, customer: str | None = None
) -> Address:
    """Return the published number that is meant; of several that fit, the first in ``sources.yml``.

    ``metric`` is the name of a metric or of a published column; without a month it is the last complete one. What is
    published per customer is that of ``customer``.

    Raises:
        UsageError: if there is no such number, naming those that there are.
    """
    named = _named(metric)
    of_customer = {CUSTOMER: customer} if customer else {}
    fitting = [
        (figure, asked)
        for figure in named
        for asked in [{**narrowed, **(of_customer if CUSTOMER in figure.source.columns else {})}]
        if _fits(figure.source, month, asked)
    ]
    if not fitting:
        _refuse(metric, month, narrowed, named)
    figure, narrowed = fitting[0]
    source = figure.source
    columns = {name: narrowed.get(name, value or ALL) for name, value in source.columns.items()}
    dimension = next((name for name in narrowed if name not in source.columns), None)
    values = columns | ({dimension: narrowed[dimension]} if dimension else {})
    return Address(figure, (month or last_complete_month(as_of)) if source.month else None, dimension, values)


def last_complete_month(as_of: date) -> date:
    """Return the first day of the last month that is over on the as-of day."""
    is_over = as_of.day == calendar.monthrange(as_of.year, as_of.month)[1]
    return (as_of if is_over else as_of.replace(day=1) - timedelta(days=1)).replace(day=1)


def _named(metric: str) -> list[Figure]:
    names = [metric, ALSO_CALLED.get(metric, metric)]
    known = figures()
    found = [
        figure
        for name in dict.fromkeys(names)
        for figure in known
        if name == figure.column or (figure.metric and figure.metric.name == name)
    ]
    return found or _not_a_sum(metric, known)


def _not_a_sum(metric: str, known: list[Figure]) -> NoReturn:
    names = sorted({figure.metric.name if figure.metric else figure.column for figure in known} | set(ALSO_CALLED))
    entry = next((entry for entry in registry().metrics if metric == entry.name), None)
    if entry:
        raise UsageError(
            WHAT,
            found=f"{metric}, which is {entry.formula}, one value per {entry.grain}",
            expected="one of the sums, and ratios of sums, over customers that docs/explain.md lists",
            do=f"It stands in {', '.join(entry.columns)}; `lakehouse show` prints these tables.",
        )
    near = difflib.get_close_matches(metric, names)
    raise UsageError(
        WHAT,
        found=f"no metric {metric!r}",
        expected=f"one of {', '.join(names)}",
        do=f"Did you mean {' or '.join(near)}?" if near else "docs/metrics.md says what each of them is.",
    )


def _fits(source: Source, month: date | None, narrowed: Mapping[str, str]) -> bool:
    dimensions = [name for name in narrowed if name not in source.columns]
    needed = {name for name, value in source.columns.items() if value is None}
    return (
        (source.month is not None or month is None)
        and needed <= set(narrowed)
        and len(dimensions) <= 1
        and set(dimensions) <= set(source.dimensions)
    )


def _refuse(metric: str, month: date | None, narrowed: Mapping[str, str], named: list[Figure]) -> NoReturn:
    found = [f"--month {month:%Y-%m}"] if month else []
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
    month = "with a month" if source.month else "as of now, without a month"
    said = [month]
    said += ["of one --customer"] if CUSTOMER in needed else []
    others = [name for name in needed if name != CUSTOMER]
    said += [f"with a value of {' and '.join(others)}"] if others else []
    said += [f"with one of {', '.join(optional)}"] if optional else []
    said += [f"by one of {', '.join(source.dimensions)}"] if source.dimensions else []
    return f"in {source.table} {', '.join(said)}"
