"""The number that is published at an address, or a paragraph that says which others are."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NoReturn

from lakehouse.errors import UsageError
from lakehouse.explain.periods import Period
from lakehouse.explain.question import WHAT, Address
from lakehouse.explain.sql import Database
from lakehouse.metrics.breakdown import ALL
from lakehouse.registry import job

MOST_NAMED = 20


@dataclass(frozen=True)
class Number:
    """A published value, and why there may be none."""

    value: Decimal | int | float | None
    withheld: str | None = None


@dataclass(frozen=True)
class Narrowing:
    """A condition on the values of an address, with its parameters."""

    condition: str
    parameters: list[Any]


def published_number(address: Address, published: Database) -> Number:
    """Return the number that the table publishes; where slices are not narrowed, its rows added up.

    Raises:
        UsageError: if it publishes none there.
    """
    figure, source = address.figure, address.figure.source
    own = narrowing(address, rows=False)
    parameters = [*own.parameters, *([address.period.start] if address.period else [])]
    within = f"{own.condition} AND {source.where}" + (f" AND {source.period_column} = ?" if address.period else "")
    withheld = source.withheld.get(figure.column, "false")
    found = published.rows(
        f"SELECT DISTINCT {figure.column} AS value, {withheld} AS is_withheld FROM {source.table} WHERE {within}",  # noqa: S608 - names of ours
        parameters,
    )
    if found and not set(source.slices) <= set(address.values):
        whole = f"SELECT {_over_slices(address)} AS value FROM {source.table} WHERE {within}"  # noqa: S608 - names of ours
        return Number(published.rows(whole, parameters)[0]["value"], _not_over(address, published))
    if len(found) != 1:
        _refuse(address, published)
    value, is_withheld = found[0]["value"], found[0]["is_withheld"]
    return Number(value, withheld if is_withheld else _not_over(address, published))


def _not_over(address: Address, published: Database) -> str | None:
    period = address.period
    return f"the {period.length} is not over" if period and period.end > published.manifest.as_of else None


def _over_slices(address: Address) -> str:
    """The number over several published rows: their sum, or the quotient of the sums that the formula names."""
    formula = address.figure.formula
    if not formula.denominator:
        return f"sum({address.figure.column})"
    above, below = (
        " + ".join(f"{term.factor} * coalesce(sum({term.part}), 0)" for term in terms)
        for terms in (formula.numerator, formula.denominator)
    )
    return f"({above})::DOUBLE / nullif({below}, 0)"


def narrowing(address: Address, *, rows: bool, among: Collection[str] | None = None) -> Narrowing:
    """Return the condition on the values (``among`` some names only) for the rows or else for the published table."""
    source = address.figure.source
    has_dimensions = bool(source.dimensions) and not rows
    wanted = {
        name: value
        for name, value in address.values.items()
        if not (rows and value == ALL) and (among is None or name in among)
    }
    if has_dimensions:
        value = wanted.pop(address.dimension, ALL) if address.dimension else ALL
        wanted |= {"dimension": address.dimension or ALL, "dimension_value": value}
    conditions = [f"{_text(source.table, name)} = ?" for name in wanted]
    return Narrowing(" AND ".join(conditions) or "true", list(wanted.values()))


def _text(table: str, name: str) -> str:
    """A column as the text that a person writes: months as 2026-03."""
    is_date = any(column.name == name and column.type == "date" for column in job(table).table.columns)
    return f"strftime({name}, '%Y-%m')" if is_date else f"CAST({name} AS VARCHAR)"


def _refuse(address: Address, published: Database) -> NoReturn:
    """Say which periods the table has, or if the period is one of them, which values."""
    source, period = address.figure.source, address.period
    if period:
        query = f"SELECT DISTINCT {source.period_column} AS start FROM {source.table} WHERE {source.where} ORDER BY 1"  # noqa: S608 - names of ours
        periods = [Period(period.length, row["start"]) for row in published.rows(query)]
        if period not in periods:
            last = ", ".join(map(str, periods[-MOST_NAMED:]))
            raise UsageError(
                WHAT,
                found=f"the {period.length} {period}",
                expected=f"a {period.length} of {source.table}, which has {len(periods):,}: {last or 'none'}",
                do=f"Name one of these with --{period.length}.",
            )
    raise UsageError(
        WHAT,
        found=f"no row of {source.table} for {address.place or 'all'}",
        expected="; ".join(_known_values(address, published)) or "a period with any",
        do="Name one of these with --value.",
    )


def _known_values(address: Address, published: Database) -> Iterator[str]:
    source, period = address.figure.source, address.period
    for name in address.values:
        is_dimension = name in source.dimensions
        column = "dimension_value" if is_dimension else _text(source.table, name)
        conditions = [source.where, *([f"{source.period_column} = ?"] if period else [])]
        conditions += ["dimension = ?"] if is_dimension else []
        parameters = [*([period.start] if period else []), *([name] if is_dimension else [])]
        query = f"SELECT DISTINCT {column} AS value FROM {source.table} WHERE {' AND '.join(conditions)}"  # noqa: S608 - names of ours
        values = sorted(str(row["value"]) for row in published.rows(query, parameters))
        more = f" and {len(values) - MOST_NAMED:,} more" if len(values) > MOST_NAMED else ""
        yield f"{name} one of {', '.join(values[:MOST_NAMED])}{more}"
