"""A published number, the sums that it is made of, and what each customer, account or other contributor adds to them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from lakehouse.explain.periods import Period
from lakehouse.explain.published import narrowing, published_number
from lakehouse.explain.question import Address
from lakehouse.explain.sources import Figure, Term
from lakehouse.explain.sql import Database
from lakehouse.types import MONEY

Amount = Decimal | int
Amounts = Mapping[str, Amount | None]

COUNTED = "counted"
"""The table that keeps the period's rows: which are in the group, and which of these add something to the number."""

# How far a quotient may be from what was published: half a unit of the last place, and what rounding twice can do.
MONEY_TOLERANCE = Decimal("0.005001")
DOUBLE_TOLERANCE = Decimal("1e-9")


@dataclass(frozen=True)
class Contribution:
    """What a customer, or who else adds to the number, adds to each part, by its name; null where there is nothing."""

    contributor: str
    amounts: Amounts


@dataclass(frozen=True)
class Explanation:
    """A published number beside what its parts come to; the contributions are complete, the weightiest first.

    ``withheld`` says why none may be published yet; it is null where there must be one.
    """

    address: Address
    version: int
    published: Decimal | int | float | None
    contributions: tuple[Contribution, ...]
    withheld: str | None

    @property
    def figure(self) -> Figure:
        """The column that holds the number."""
        return self.address.figure

    @property
    def contributors(self) -> tuple[Contribution, ...]:
        """Who adds something to a part; the others add nothing and are not listed."""
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
        is_below = recomputed is not None and declared.minimum is not None and recomputed < declared.minimum
        if self.published is None:
            return recomputed is None or is_below or (is_ratio and self.withheld is not None)
        if recomputed is None:
            return self.published == 0 and (not is_ratio or bool(self.denominator))
        if is_below:
            return self.published == declared.minimum
        difference = abs(Decimal(str(self.published)) - recomputed)
        # What is published is rounded where it is a double or a quotient; any other sum is exact.
        rounding = DOUBLE_TOLERANCE if declared.type == "double" else MONEY_TOLERANCE if is_ratio else 0
        return difference <= rounding


def explained(address: Address, published: Database) -> Explanation:
    """Return the published number at the address with what everybody adds to it.

    Raises:
        UsageError: if no number is published there, naming the periods or values that are.
    """
    figure = address.figure
    found = published_number(address, published)
    _keep_rows(address, published)
    contributions = tuple(Contribution(row.pop("contributor"), row) for row in published.rows(_by_contributor(figure)))
    return Explanation(
        address=address,
        version=published.manifest.tables[figure.source.table].version,
        published=found.value,
        contributions=tuple(sorted(contributions, key=lambda one: weight(figure, one))),
        withheld=found.withheld,
    )


def _keep_rows(address: Address, published: Database) -> None:
    """Keep the rows of the period as ``COUNTED``."""
    source, period = address.figure.source, address.period
    rows = f"rows_of_{source.rows}"
    own, all_of_it = narrowing(address, rows=True), narrowing(address, rows=True, among=source.within)
    within: tuple[str, list[str | date]] = ("", [])
    if period:
        published.set("period", period.length)
        published.set("period_start", period.start)
        # What is by day has rows for each of them, so that only those of the one are made.
        rows += f"_{period.start:%Y%m%d}" if period.length == "day" else f"_by_{period.length}"
        counted = _last_month(period, published) if source.at_close else period
        within = ("WHERE date_trunc(?, month) = ?", [counted.length, counted.start])
    published.keep_once(rows, source.sql)
    adds_something = " OR ".join(f"{term.part} <> 0" for term in address.figure.formula.terms)
    published.keep(
        COUNTED,
        f"SELECT *, {own.condition} AS is_in_group, {all_of_it.condition} AS is_in_whole,"  # noqa: S608 - names of ours
        f" is_in_group AND ({adds_something}) AS is_counted FROM {rows} {within[0]}",
        [*own.parameters, *all_of_it.parameters, *within[1]],
    )


def _last_month(period: Period, published: Database) -> Period:
    """The month at whose close a period is looked at: its last one, or that of the as-of day."""
    return Period("month", min(period.last_month, published.manifest.as_of.replace(day=1)))


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
    return -abs(moved), -abs(size), one.contributor


def _by_contributor(figure: Figure) -> str:
    contributor = figure.source.contributor
    sums = ", ".join(
        f'sum({term.part}) FILTER (WHERE {"is_in_whole" if term.is_of_all else "is_in_group"}) AS "{term.name}"'
        for term in figure.formula.terms
    )
    # Rows of which nobody of the kind is told have no part in these formulas, as spend has none in what accounts add.
    return f"SELECT {contributor} AS contributor, {sums} FROM {COUNTED} WHERE contributor IS NOT NULL GROUP BY ALL"  # noqa: S608 - names of ours


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
