"""The command that explains a number: from a metric to its parts, customers, movements, rows and received rows."""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import Annotated

import typer

from lakehouse.commands.options import AsJson, Root
from lakehouse.config import load
from lakehouse.console import print_json
from lakehouse.errors import LakehouseError, UsageError
from lakehouse.explain.evidence import Evidence, evidence
from lakehouse.explain.pages import as_tree, print_pages
from lakehouse.explain.parts import Explanation, explained
from lakehouse.explain.periods import Period
from lakehouse.explain.question import WHAT, address
from lakehouse.explain.sql import Database
from lakehouse.lake import Lake
from lakehouse.policies import BOARD
from lakehouse.project import DEFAULT_ROOT, conf_dir

DO = "Run `lakehouse check`, and `lakehouse run --full` to build every table anew."


def explain(
    metric: Annotated[str, typer.Argument(help="Metric of docs/metrics.md, such as nrr_12m, or nrr for short.")],
    month: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m"], help="Month, such as 2026-03; the last complete one by default."),
    ] = None,
    quarter: Annotated[str | None, typer.Option(help="Calendar quarter instead, such as 2026-Q1.")] = None,
    day: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Day instead, at whose close it is looked at.")
    ] = None,
    segment: Annotated[str | None, typer.Option(help="The same as --dimension segment --value …")] = None,
    dimension: Annotated[list[str] | None, typer.Option(help="What the number is narrowed by, such as plan.")] = None,
    value: Annotated[list[str] | None, typer.Option(help="Value of the dimension, in the same order.")] = None,
    only: Annotated[
        str | None,
        typer.Option("--customer", "--only", help="The only customer (account, rep …) to follow to the received rows."),
    ] = None,
    top: Annotated[int, typer.Option(min=1, help="Customers or others to show; the rest is one line.")] = 5,
    root: Root = DEFAULT_ROOT,
    as_json: AsJson = False,
) -> None:
    """Explain a published number: its parts, customers, movements, rows and received rows, which add up to it."""
    lake, metrics = Lake(root), load(conf_dir()).metrics
    published = Database(lake, lake.published(), metrics)
    narrowed = _narrowed(segment, dimension or [], value or [])
    place = address(metric, _period(month, quarter, day), narrowed, published.manifest.as_of, only)
    explanation = explained(place, published)
    if only:
        _refuse_stranger(explanation, only)
    behind = evidence(explanation, published, metrics.policies[BOARD])
    if as_json:
        print_json(as_tree(explanation, behind, published.manifest, only))
    else:
        print_pages(explanation, behind, published.manifest, only, top)
    _refuse_difference(explanation, behind)


def _period(month: datetime | None, quarter: str | None, day: datetime | None) -> Period | None:
    asked = [*([f"--month {month:%Y-%m}"] if month else []), *([f"--quarter {quarter}"] if quarter else [])]
    asked += [f"--day {day:%Y-%m-%d}"] if day else []
    parts = re.fullmatch(r"(\d{4})-Q([1-4])", quarter or "")
    if len(asked) > 1 or (quarter and not parts):
        raise UsageError(
            WHAT, found=" ".join(asked), expected="one period, a quarter as 2026-Q1", do="Name one period, or none."
        )
    if parts:
        return Period("quarter", date(int(parts[1]), 3 * int(parts[2]) - 2, 1))
    if month:
        return Period("month", month.date())
    return Period("day", day.date()) if day else None


def _narrowed(segment: str | None, dimensions: list[str], values: list[str]) -> dict[str, str]:
    pairs = [*([("segment", segment)] if segment else []), *zip(dimensions, values, strict=False)]
    if len(dimensions) != len(values) or len(dict(pairs)) != len(pairs):
        raise UsageError(
            WHAT,
            found=f"--dimension {', '.join(dimensions) or 'nothing'} and --value {', '.join(values) or 'nothing'}"
            + (f" beside --segment {segment}" if segment else ""),
            expected="one value for each dimension, and each dimension once",
            do="Write --dimension plan --value Business; repeat both for another one.",
        )
    return dict(pairs)


def _refuse_stranger(explanation: Explanation, only: str) -> None:
    of, known = explanation.figure.source.of, [one.contributor for one in explanation.contributors]
    if only not in known:
        raise UsageError(
            WHAT,
            found=f"the {of} {only!r}, who adds nothing to it",
            expected=f"one of its {len(known):,} {of}s, such as {', '.join(known[:3]) or 'none'}",
            do="Leave --customer away for the largest of them.",
        )


def _refuse_difference(explanation: Explanation, behind: Evidence) -> None:
    title = f"{explanation.figure.column} ({explanation.address.place or 'all'})"
    if not explanation.adds_up:
        raise LakehouseError(
            f"The parts of {title} do not add up to it",
            found=f"{explanation.published} in {explanation.figure.place} and {explanation.recomputed} from the rows",
            expected="the same",
            do=DO,
        )
    if behind.unlike:
        raise LakehouseError(
            f"The subscription rows behind {title} do not come to what the ledger says",
            found=f"another MRR of {len(behind.unlike):,} customers, such as {', '.join(behind.unlike[:3])}",
            expected="the monthly amounts at the day's rate, to the cent",
            do=DO,
        )
