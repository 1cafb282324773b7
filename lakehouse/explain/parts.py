"""A published number, the sums that it is made of, and what each customer adds to them."""

from __future__ import annotations

import calendar
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, NoReturn

from lakehouse.errors import UsageError
from lakehouse.explain.question import WHAT, Address
from lakehouse.explain.sources import Figure, Term
from lakehouse.explain.sql import Database
from lakehouse.metrics.breakdown import ALL
from lakehouse.registry import job
from lakehouse.types import MONEY

Amount = Decimal | int
Amounts = Mapping[str, Amount | None]

COUNTED = "counted"
"""The table that keeps the month's rows: which are in the group, and which of these add something to the number."""

# How far a quotient may be from what was published: half a unit of the last place, and what rounding twice can do.
MONEY_TOLERANCE = Decimal("0.005001")
DOUBLE_TOLERANCE = Decimal("1e-9")


@dataclass(frozen=True)
class Contribution:
    """What a customer adds to each part, by the part's name; null where it has nothing to add."""

    customer_id: str
    amounts: Amounts


@dataclass(frozen=True)
class Explanation:
    """A published number beside what its parts come to; the contributions are complete, the weightiest first."""

    address: Address
    version: int
    published: Decimal | int | float | None
    contributions: tuple[Contribution, ...]
    is_over: bool

    @property
    def figure(self) -> Figure:
        """The column that holds the number."""
        return self.address.figure

    @property
    def contributors(self) -> tuple[Contribution, ...]:
        """The customers that add something to a part; the others add nothing and are not listed."""
        return tuple(one for one in self.contributions if any(one.amounts.values()))

    @property
    def amounts(self) -> Amounts:
        """The sum of each part over the customers, as the table adds it up; null where nobody has anything to add."""
        sums = summed(self.figure, self.contributions)
        if not self.figure.source.rounds_parts:
            return sums
        return {name: amount if amount is None else _to_places(amount, MONEY) for name, amount in sums.items()}

    @property
    def numerator(self) -> Amount | None:
        """The sum above the line, which is all of a number that is no ratio."""
        return total(self.figure.formula.numerator, self.amounts)

    @property
    def denominator(self) -> Amount | None:
        """The sum below the line; null where there is none."""
        return total(self.figure.formula.denominator, self.amounts)

    @property
    def recomputed(self) -> Amount | None:
        """What the parts come to: a sum rounded to the published places, or a quotient."""
        numerator, denominator = self.numerator, self.denominator
        if not self.figure.formula.denominator:
            return numerator if numerator is None else _to_places(numerator, self.figure.declared.type)
        return Decimal(numerator) / Decimal(denominator) if numerator is not None and denominator else None

    @property
    def adds_up(self) -> bool:
        """Whether the parts come to the published number; what is not published, for a declared reason, cannot differ."""
        declared, recomputed, is_ratio = self.figure.declared, self.recomputed, bool(self.figure.formula.denominator)
        if self.published is None:
            is_below = recomputed is not None and declared.minimum is not None and recomputed < declared.minimum
            return recomputed is None or is_below or (is_ratio and not self.is_over)
        if recomputed is None:
            return self.published == 0 and not is_ratio
        difference = abs(Decimal(str(self.published)) - recomputed)
        if not is_ratio:
            return difference == 0
        return difference <= (DOUBLE_TOLERANCE if declared.type == "double" else MONEY_TOLERANCE)


def explained(address: Address, published: Database) -> Explanation:
    """Return the published number at the address with what every customer adds to it.

    Raises:
        UsageError: if no number is published there, naming the months or values that are.
    """
    figure = address.figure
    value = _published_value(address, published)
    condition, parameters = _narrowing(address, rows=True)
    within_month = "WHERE month = ?" if address.month else ""
    rows = f"rows_of_{figure.source.rows}"
    published.keep_once(rows, figure.source.sql)
    adds_something = " OR ".join(f"{term.part} <> 0" for term in figure.formula.terms)
    published.keep(
        COUNTED,
        f"SELECT *, {condition} AS is_in_group, is_in_group AND ({adds_something}) AS is_counted"  # noqa: S608 - names of ours
        f" FROM {rows} {within_month}",
        [*parameters, *([address.month] if address.month else [])],
    )
    contributions = tuple(
        Contribution(row.pop("customer_id"), row) for row in published.rows(_by_customer(figure.formula.terms))
    )
    month_end = address.month and address.month.replace(day=calendar.monthrange(*address.month.timetuple()[:2])[1])
    return Explanation(
        address=address,
        version=published.manifest.tables[figure.source.table].version,
        published=value,
        contributions=tuple(sorted(contributions, key=lambda one: weight(figure, one))),
        is_over=month_end is None or month_end <= published.manifest.as_of,
    )


def total(terms: Iterable[Term], amounts: Amounts) -> Amount | None:
    """Return the sum of the terms; null if none of them has an amount."""
    present = [term.factor * amount for term in terms if (amount := amounts[term.name]) is not None]
    return _sum(present) if present else None


def summed(figure: Figure, contributions: Iterable[Contribution]) -> Amounts:
    """Return the sum of each part over some customers; null where none of them has anything to add."""
    gathered: dict[str, list[Amount]] = {term.name: [] for term in figure.formula.terms}
    for one in contributions:
        for name, amount in one.amounts.items():
            if amount is not None:
                gathered[name].append(amount)
    return {name: _sum(amounts) if amounts else None for name, amounts in gathered.items()}


def weight(figure: Figure, one: Contribution) -> tuple[Decimal, Decimal, str]:
    """Return by what customers are ordered: what moves the number most, then what is largest, then the id.

    What stands above and below the line alike, such as the opening MRR of a retention, moves nothing.
    """
    below = {term.name for term in figure.formula.denominator}
    moving = [term for term in figure.formula.numerator if term.name not in below]
    moved = Decimal(total(moving, one.amounts) or 0)
    size = Decimal(total(figure.formula.numerator, one.amounts) or 0)
    return -abs(moved), -abs(size), one.customer_id


def _by_customer(terms: Iterable[Term]) -> str:
    sums = ", ".join(
        f'sum({term.part}){"" if term.is_of_all else " FILTER (WHERE is_in_group)"} AS "{term.name}"' for term in terms
    )
    where = "" if any(term.is_of_all for term in terms) else "WHERE is_in_group"
    return f"SELECT customer_id, {sums} FROM {COUNTED} {where} GROUP BY customer_id"  # noqa: S608 - names of ours


def _narrowing(address: Address, *, rows: bool) -> tuple[str, list[str]]:
    """Return the condition on the values, and its parameters, for the rows or else for the published table."""
    source = address.figure.source
    has_dimensions = bool(source.dimensions) and not rows
    wanted = {name: value for name, value in address.values.items() if not rows or value != ALL}
    if has_dimensions:
        value = wanted.pop(address.dimension, ALL) if address.dimension else ALL
        wanted |= {"dimension": address.dimension or ALL, "dimension_value": value}
    conditions = [f"{_text(source.table, name)} = ?" for name in wanted]
    return " AND ".join(conditions) or "true", list(wanted.values())


def _text(table: str, name: str) -> str:
    """A column as the text that a person writes: months as 2026-03."""
    is_date = any(column.name == name and column.type == "date" for column in job(table).table.columns)
    return f"strftime({name}, '%Y-%m')" if is_date else f"CAST({name} AS VARCHAR)"


def _published_value(address: Address, published: Database) -> Any:
    figure, month = address.figure, address.figure.source.month
    condition, parameters = _narrowing(address, rows=False)
    query = f"SELECT DISTINCT {figure.column} AS value FROM {figure.source.table} WHERE {condition}"  # noqa: S608 - names of ours
    if month:
        found = published.rows(f"{query} AND {month} = ?", [*parameters, address.month])
    else:
        found = published.rows(query, parameters)
    if len(found) != 1:
        _refuse(address, published)
    return found[0]["value"]


def _refuse(address: Address, published: Database) -> NoReturn:
    """Say which months the table has, or if the month is one of them, which values."""
    source = address.figure.source
    if source.month and address.month:
        query = f"SELECT DISTINCT {source.month} AS month FROM {source.table} ORDER BY 1"  # noqa: S608 - names of ours
        months = [row["month"] for row in published.rows(query)]
        if address.month not in months:
            raise UsageError(
                WHAT,
                found=f"the month {address.month:%Y-%m}",
                expected=f"a month of {source.table}: {months[0]:%Y-%m} to {months[-1]:%Y-%m}" if months else "a month",
                do="Name one of these with --month.",
            )
    raise UsageError(
        WHAT,
        found=f"no row of {source.table} for {address.place or 'all'}",
        expected="; ".join(_known_values(address, published)),
        do="Name one of these with --value.",
    )


def _known_values(address: Address, published: Database) -> Iterator[str]:
    source = address.figure.source
    for name in address.values:
        is_column = name in source.columns
        column = _text(source.table, name) if is_column else "dimension_value"
        conditions = [f"{source.month} = ?"] if source.month else []
        conditions += [] if is_column else ["dimension = ?"]
        parameters = [*([address.month] if source.month else []), *([] if is_column else [name])]
        query = f"SELECT DISTINCT {column} AS value FROM {source.table} WHERE {' AND '.join(conditions) or 'true'}"  # noqa: S608 - names of ours
        values = sorted(str(row["value"]) for row in published.rows(query, parameters))
        more = f" and {len(values) - 20:,} more" if len(values) > 20 else ""
        yield f"{name} one of {', '.join(values[:20])}{more}"


def _sum(amounts: Iterable[Amount]) -> Amount:
    together: Amount = 0
    for amount in amounts:
        together += amount
    return together


def _to_places(amount: Amount, kind: str) -> Amount:
    """Return the amount rounded half up to the places of a decimal type; of another type as it is."""
    if not kind.startswith("decimal"):
        return amount
    places = int(kind.removesuffix(")").rpartition(",")[2])
    return Decimal(amount).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
