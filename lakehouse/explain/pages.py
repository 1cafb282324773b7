"""An explanation as a tree for a program, and as pages for a person."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from rich.markup import escape

from lakehouse.console import as_text, console, print_table
from lakehouse.explain.evidence import TABLES, Evidence
from lakehouse.explain.parts import Contribution, Explanation, summed, total
from lakehouse.explain.sources import Figure
from lakehouse.manifest import Manifest

# Of a movement, what has columns of its own.
_MOVED = ("new_mrr", "reactivation_mrr", "expansion_mrr", "contraction_mrr", "churned_mrr", "fx_mrr")

# More rows than anybody reads on a page.
_MOST_RECORDS = 50

# Of a record, what would make the page too wide.
_IN_TREE_ONLY = {"received", "subscription_id", "item_type", "change_type"}
_SHORT = {
    "record_id": "row",
    "start_date": "from",
    "end_date": "until",
    "monthly_amount": "a month",
    "mrr_at_start": "MRR at start",
    "mrr_at_end": "MRR at end",
}


def as_tree(explanation: Explanation, behind: Evidence, manifest: Manifest, only: str | None) -> dict[str, Any]:
    """Return the number with its parts and who adds to it (``only`` one, if it is named), down to received rows."""
    figure, metric, address = explanation.figure, explanation.figure.metric, explanation.address
    shown = _shown(explanation, only, len(explanation.contributors))
    others = [one for one in explanation.contributors if one not in shown] if only else []
    return {
        "metric": metric.name if metric else figure.column,
        "label": _label(explanation),
        "definition": _definition(explanation),
        "formula": figure.formula.text,
        "policy": metric.policy if metric else None,
        "published_in": figure.place,
        "version": explanation.version,
        "run_id": manifest.run_id,
        "as_of": manifest.as_of,
        "period": str(address.period) if address.period else None,
        "values": dict(address.values),
        "published": explanation.published,
        "numerator": explanation.numerator,
        "denominator": explanation.denominator,
        "recomputed": explanation.recomputed,
        "adds_up": explanation.adds_up,
        "rows_add_up": not behind.unlike,
        "parts": _parts(explanation),
        f"{figure.source.of}s": [_contribution(figure, one, behind) for one in shown],
        f"other_{figure.source.of}s": dict(summed(figure, others)),
    }


def _parts(explanation: Explanation) -> list[dict[str, Any]]:
    figure, amounts = explanation.figure, explanation.amounts
    sides = {"numerator": figure.formula.numerator, "denominator": figure.formula.denominator}
    return [
        {
            "part": term.name,
            "side": side,
            "factor": term.factor,
            "meaning": figure.meaning(term.part),
            "amount": amounts[term.name],
        }
        for side, terms in sides.items()
        for term in terms
    ]


def _contribution(figure: Figure, one: Contribution, behind: Evidence) -> dict[str, Any]:
    return {
        figure.source.contributor: one.contributor,
        "amounts": dict(one.amounts),
        "movements": behind.movements.get(one.contributor, []),
        "records": behind.records.get(one.contributor, []),
    }


def print_pages(explanation: Explanation, behind: Evidence, manifest: Manifest, only: str | None, top: int) -> None:
    """Print the number, its parts, its ``top`` customers or accounts (or ``only`` one) and what stands behind these."""
    shown = _shown(explanation, only, top)
    _print_number(explanation, manifest)
    _print_parts(explanation)
    _print_contributions(explanation, behind, shown)
    _print_movements(behind, shown)
    _print_records(explanation, behind, shown)
    others = len(explanation.contributors) - len(shown)
    if others and behind.records:
        of = explanation.figure.source.of
        console.print(
            f"\nThe rows of the other {others:,} {of}s: --top, --{'customer' if of == 'customer' else 'only'} or --json."
        )


def _shown(explanation: Explanation, only: str | None, top: int) -> list[Contribution]:
    chosen = [one for one in explanation.contributors if only in {None, one.contributor}]
    return chosen[:top]


def _label(explanation: Explanation) -> str:
    metric = explanation.figure.metric
    return metric.label if metric else explanation.figure.column


def _definition(explanation: Explanation) -> str:
    metric = explanation.figure.metric
    return metric.definition if metric else explanation.figure.declared.description


def _print_number(explanation: Explanation, manifest: Manifest) -> None:
    metric, place = explanation.figure.metric, explanation.address.place
    policy = f" Policy {metric.policy}." if metric and metric.policy else ""
    heading = f"{_label(explanation)}{f' ({place})' if place else ''}: {_exactly(explanation.published)}"
    console.print(f"[bold]{escape(heading)}[/]", soft_wrap=True)
    console.print(escape(f"{_definition(explanation)}.{policy}"), soft_wrap=True)
    console.print(
        f"Published in {explanation.figure.place}, version {explanation.version}, by run {manifest.run_id}.",
        soft_wrap=True,
    )


def _print_parts(explanation: Explanation) -> None:
    figure, amounts = explanation.figure, explanation.amounts
    sides = ((figure.formula.numerator, ""), (figure.formula.denominator, "÷ "))
    rows = [
        (f"{side}{_factor(term.factor)}{term.name}", amounts[term.name], figure.meaning(term.part))
        for terms, side in sides
        for term in terms
    ]
    console.print()
    print_table("Parts", ("part", "sum", "what it is"), rows)
    quotient = f"{_exactly(explanation.numerator)} ÷ {_exactly(explanation.denominator)} = "
    why = explanation.withheld if explanation.published is None else None
    verdict = "[green]The parts add up[/]" if explanation.adds_up else "[red]The parts do not add up[/]"
    console.print(
        f"\n{verdict}: {quotient if figure.formula.denominator else ''}{_exactly(explanation.recomputed)}, "
        f"published {_exactly(explanation.published)}{f', since {why}' if why else ''}.",
        soft_wrap=True,
    )


def _print_contributions(explanation: Explanation, behind: Evidence, shown: Sequence[Contribution]) -> None:
    figure, everybody = explanation.figure, explanation.contributors
    others = [one for one in everybody if one not in shown]
    sums = [*([(f"{len(others):,} others", others)] if others else []), ("all", everybody)]
    amounts = [*(one.amounts for one in shown), *(summed(figure, group) for _, group in sums)]
    moves = [*(_moves(behind, one) for one in shown), *("" for _ in sums)]
    of = figure.source.of
    table: dict[str, list[object]] = {of: [*(one.contributor for one in shown), *(name for name, _ in sums)]}
    table |= {"movement": [*moves]} if any(moves) else {}
    table |= {
        term.name: [_to_cents(each[term.name]) for each in amounts]
        for term in figure.formula.terms
        if any(one.amounts[term.name] for one in everybody)
    }
    table |= {
        name: [_to_cents(total(terms, each)) for each in amounts]
        for name, terms in (("above the line", figure.formula.numerator), ("below it", figure.formula.denominator))
        if len(terms) > 1
    }
    console.print()
    print_table(f"{of.capitalize()}s: {len(everybody):,}", list(table), zip(*table.values(), strict=True))


def _moves(behind: Evidence, one: Contribution) -> str:
    rows = behind.movements.get(one.contributor, [])
    return ", ".join(dict.fromkeys(row["movement"] for row in rows if row["movement"] != "none"))


def _print_movements(behind: Evidence, shown: Iterable[Contribution]) -> None:
    """Months in which only exchange rates moved are left to the tree, and so are movements that nobody shown made."""
    rows = [
        (one.contributor, row)
        for one in shown
        for row in behind.movements.get(one.contributor, [])
        if row["movement"] != "none"
    ]
    if not rows:
        return
    moved = [name for name in _MOVED if any(row[name] for _, row in rows)]
    names = ("opening_mrr", *moved, "closing_mrr")
    lines = [
        (customer, f"{row['month']:%Y-%m}", row["movement"], *(row[name] for name in names)) for customer, row in rows
    ]
    console.print()
    print_table("Their movements", ("customer", "month", "movement", *(n.removesuffix("_mrr") for n in names)), lines)


def _print_records(explanation: Explanation, behind: Evidence, shown: Iterable[Contribution]) -> None:
    source = explanation.figure.source
    records = [(one.contributor, row) for one in shown for row in behind.records.get(one.contributor, [])]
    if not records:
        return
    printed = records[:_MOST_RECORDS]
    columns = [name for name in records[0][1] if name not in _IN_TREE_ONLY]
    rows = [(contributor, *(_cell(row[name]) for name in columns)) for contributor, row in printed]
    console.print()
    print_table(
        f"Their rows in {TABLES[str(source.records)]}", (source.of, *(_SHORT.get(name, name) for name in columns)), rows
    )
    received = [
        (row["record_id"], one["outcome"], one["table"], one["_source"], one["_batch_id"], str(one["_row"]))
        for _, row in printed
        for one in row["received"]
    ]
    console.print()
    print_table("The rows received for these", ("of row", "outcome", "table", "source", "batch", "number"), received)
    if len(records) > len(printed):
        console.print(f"\n{len(records) - len(printed):,} more of their rows: --only or --json.")


def _factor(factor: int) -> str:
    sign = "− " if factor < 0 else ""
    return sign if abs(factor) == 1 else f"{sign}{abs(factor)} × "


def _cell(value: object) -> object:
    """Moments as days, which is as exact as a page has room for."""
    return value.date() if isinstance(value, datetime) else _to_cents(value)


def _to_cents(value: object) -> object:
    return round(value, 2) if isinstance(value, Decimal) else value


def _exactly(value: object) -> str:
    """Return a number as it is published: all its decimals, nine at most."""
    if value is None:
        return "nothing"
    if isinstance(value, Decimal) and value != round(value, 9):
        value = round(value, 9)
    elif isinstance(value, Decimal) and value == round(value, 2) and len(str(value)) > len(str(round(value, 2))):
        value = round(value, 2)
    return f"{value:,}" if isinstance(value, float) else as_text(value)
