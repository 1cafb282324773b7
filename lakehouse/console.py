"""What the commands print: progress while a run goes on, tables of results, or JSON."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Self

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from lakehouse.headlines import labelled
from lakehouse.run import Run, Step

console = Console(highlight=False)
errors = Console(stderr=True, highlight=False)

MARKS = {"done": "[green]✔[/]", "skipped": "[dim]·[/]", "failed": "[red]✘[/]"}


class Progress:
    """Prints a line for every job that ends, and on a terminal names those that are running."""

    def __init__(self) -> None:
        """Start with nothing running."""
        self._running: list[str] = []
        self._status = console.status("")

    def __enter__(self) -> Self:
        """Show the line of what is running, where there is a terminal."""
        if console.is_terminal:
            self._status.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Take the line away."""
        self._status.stop()

    def started(self, name: str) -> None:
        """Show that a job is running."""
        self._running.append(name)
        self._status.update(", ".join(self._running))

    def finished(self, step: Step) -> None:
        """Print a job's line."""
        if step.table_name in self._running:
            self._running.remove(step.table_name)
        self._status.update(", ".join(self._running))
        rows = "" if step.rows is None else f"{step.rows:>12,} rows"
        seconds = f"{step.duration_seconds:>7.1f} s" if step.status == "done" else step.status
        console.print(f"{MARKS[step.status]} {step.table_name:<34}{rows:>17}  {seconds:>9}")


class Silence:
    """Hears of progress and says nothing, where a program reads the output."""

    def __enter__(self) -> Self:
        """Start."""
        return self

    def __exit__(self, *_: object) -> None:
        """End."""

    def started(self, name: str) -> None:
        """Say nothing."""

    def finished(self, step: Step) -> None:
        """Say nothing."""


def print_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a table; numbers are set to the right."""
    body = [list(row) for row in rows]
    table = Table(title=title, title_justify="left", box=None, header_style="bold", pad_edge=False)
    for index, column in enumerate(columns):
        is_number = any(isinstance(row[index], int | float | Decimal) for row in body)
        table.add_column(column, justify="right" if is_number else "left", overflow="fold")
    for row in body:
        table.add_row(*(as_text(value) for value in row))
    console.print(table)


def print_json(value: Any) -> None:
    """Print JSON for a program: decimals and dates as text, as they are written in the exports."""
    json.dump(value, sys.stdout, indent=2, default=str)
    sys.stdout.write("\n")


def print_files(files: Iterable[Mapping[str, Any]]) -> None:
    """Print what became of the rows of each file that was received."""
    columns = ("file", "table_name", "received", "kept", "superseded", "quarantined")
    rows = [[file[column] for column in columns] for file in files]
    if rows:
        print_table("Files", [column.replace("_name", "") for column in columns], rows)
    for file in files:
        if file["left_out"]:
            console.print(f"[yellow]![/] {escape(file['file'])}: left out {escape(file['left_out'])}", soft_wrap=True)
    if any(file["quarantined"] for file in files):
        console.print("`lakehouse quarantine list` shows what was rejected, and why.")


def print_headlines(values: Mapping[str, object], as_of: date) -> None:
    """Print the headline metrics as of a day."""
    table = Table(title=f"As of {as_of}", title_justify="left", box=None, show_header=False, pad_edge=False)
    table.add_column()
    table.add_column(justify="right")
    for row in labelled(values):
        table.add_row(*row)
    console.print()
    console.print(table)


def print_run(run: Run) -> None:
    """Print how a run ended."""
    done = sum(step.status == "done" for step in run.steps)
    warned = sum(result.is_broken for result in run.results)
    checks = f"{len(run.results) - warned} checks passed" + (f", {warned} warned" if warned else "")
    counts = f"{done} jobs done, {len(run.steps) - done} skipped, {checks}"
    outcome = {
        "published": f"[green]Published[/] run {run.run_id}: {counts}.",
        "unchanged": f"Nothing new: {counts}; run {run.manifest.run_id if run.manifest else ''} stays published.",
        "kept": f"[yellow]Kept[/] the published run ({counts}): {run.message}.",
    }
    console.print(outcome.get(run.status, run.status), soft_wrap=True)
    if run.restated:
        console.print(
            f"{run.restated:,} figures of months that were published before are others now: gold.restatements."
        )
    for result in run.results:
        if result.is_broken:
            console.print(f"[yellow]![/] {escape(result.told)}", soft_wrap=True)


def as_text(value: object) -> str:
    """Return a cell's text."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:,.4g}" if abs(value) < 1000 else f"{value:,.0f}"
    if isinstance(value, int | Decimal):
        return f"{value:,}"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S}"
    return str(value)
