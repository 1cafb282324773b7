"""The command that compares two policies: the same month under both, and what accounts for each difference."""

from __future__ import annotations

import calendar
from datetime import date, datetime
from typing import Annotated

import typer

from lakehouse import delta
from lakehouse.cleaning import kept
from lakehouse.commands.options import AsJson, Root
from lakehouse.comparison import AMOUNTS, Comparison, compare
from lakehouse.config import load
from lakehouse.console import as_text, console, print_json, print_table
from lakehouse.errors import UsageError
from lakehouse.lake import Lake
from lakehouse.manifest import Manifest
from lakehouse.policies import Policy, steps
from lakehouse.project import DEFAULT_ROOT, conf_dir
from lakehouse.publish import not_published
from lakehouse.registry import job
from lakehouse.session import get_session
from lakehouse.settings import Metrics

Switches = dict[str, tuple[object, object]]  # what the two profiles say, by switch

_LEDGER = "silver.customer_months"
_INPUTS = ("silver.subscriptions", "bronze.exchange_rates", "bronze.plans")


def compare_policies(
    first: Annotated[str, typer.Argument(help="Profile of conf/metrics.yml, such as stripe.")],
    second: Annotated[str, typer.Argument(help="Profile to compare it with, such as board.")],
    month: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m"], help="Month, such as 2026-03; the last one by default.")
    ] = None,
    root: Root = DEFAULT_ROOT,
    as_json: AsJson = False,
) -> None:
    """Show a month's recurring revenue under two policies, and the customers and the switch behind each difference."""
    lake, metrics = Lake(root), load(conf_dir()).metrics
    policies = [_profile(metrics, name) for name in (first, second)]
    manifest = lake.published()
    month_end = _month_end(lake, manifest, month.date() if month else manifest.as_of)
    comparison = _compared(lake, manifest, metrics, policies, month_end)
    way = steps(*policies)
    switches = {switch: (getattr(policies[0], switch), getattr(policy, switch)) for switch, policy in way.items()}
    if as_json:
        _print_json(first, second, switches, month_end, comparison)
    else:
        _print(first, second, switches, month_end, comparison)


def _profile(metrics: Metrics, name: str) -> Policy:
    if name not in metrics.policies:
        raise UsageError(
            "The profiles cannot be compared",
            found=f"no profile {name!r} under `policies` in conf/metrics.yml",
            expected=f"one of {', '.join(metrics.policies)}",
            do="Name one of these, or add the profile.",
        )
    return metrics.policies[name]


def _month_end(lake: Lake, manifest: Manifest, day: date) -> date:
    """Return the last day of the day's month, of which the published ledger must hold the whole."""
    if _LEDGER not in manifest.tables:
        raise not_published(_LEDGER, manifest)
    ledger = delta.dataset(lake, _LEDGER, manifest.tables[_LEDGER].version)
    months = sorted(set(ledger.to_table(columns=["month"])["month"].to_pylist()))
    month_end = day.replace(day=calendar.monthrange(day.year, day.month)[1])
    if day.replace(day=1) not in months or month_end > manifest.as_of:
        raise UsageError(
            "The profiles cannot be compared",
            found=f"the month {day:%Y-%m}",
            expected=f"a complete month of the published ledger: {_span(months, manifest.as_of)}",
            do="Name one of these with --month.",
        )
    return month_end


def _span(months: list[date], as_of: date) -> str:
    return f"{months[0]:%Y-%m} to {as_of:%Y-%m}" if months else "it has none"


def _compared(lake: Lake, manifest: Manifest, metrics: Metrics, policies: list[Policy], month_end: date) -> Comparison:
    spark = get_session()
    tables = {name: job(name).table for name in _INPUTS}
    versions = manifest.versions
    subscriptions, rates, plans = (delta.read(spark, lake, table, versions.get(name)) for name, table in tables.items())
    return compare(
        subscriptions,
        kept(rates, tables["bronze.exchange_rates"]),
        kept(plans, tables["bronze.plans"]),
        first=policies[0],
        second=policies[1],
        month_end=month_end,
        reporting_currency=metrics.reporting_currency,
    )


def _print_json(first: str, second: str, switches: Switches, month_end: date, comparison: Comparison) -> None:
    print_json(
        {
            "month": f"{month_end:%Y-%m}",
            "profiles": [first, second],
            "bridges": {first: comparison.first, second: comparison.second},
            "switches": [
                {"switch": switch, "first": old, "second": new, "changes": comparison.changes[switch]}
                for switch, (old, new) in switches.items()
            ],
            "lines": [vars(line) for line in comparison.lines],
        }
    )


def _print(first: str, second: str, switches: Switches, month_end: date, comparison: Comparison) -> None:
    changes = comparison.changes
    rows = [
        (name, value, *(change[name] for change in changes.values()), comparison.second[name])
        for name, value in comparison.first.items()
    ]
    columns = ("", first, *(f"by {switch}" for switch in changes), second)
    print_table(f"Recurring revenue of {month_end:%Y-%m}, from {first} to {second}", columns, rows)
    console.print()
    for switch, (old, new) in switches.items():
        console.print(f"{switch}: {as_text(old)} → {as_text(new)}")
    console.print()
    if not comparison.lines:
        console.print("No customer's figures differ.")
        return
    lines = [
        (
            line.switch,
            line.customer_id,
            ", ".join(f"{name} {'+' if difference > 0 else ''}{as_text(difference)}" for name, difference in shown),
        )
        for line in comparison.lines
        # What is retained follows from the movements, except where the switch is about nothing else.
        if (shown := [item for item in line.differences.items() if item[0] in AMOUNTS] or line.differences.items())
    ]
    print_table("What each switch changes for whom", ("switch", "customer", "difference"), lines)
