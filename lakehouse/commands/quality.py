"""The commands about the quality of a lake: check, and quarantine list and release."""

from __future__ import annotations

import json
from collections.abc import Iterable
from itertools import groupby
from pathlib import Path
from typing import Annotated, Any

import typer

from lakehouse import delta
from lakehouse.audit import Result
from lakehouse.commands.options import AsJson, Root, Wait
from lakehouse.config import load
from lakehouse.console import Silence, console, print_json, print_table
from lakehouse.corrections import release as release_corrections
from lakehouse.coverage import received
from lakehouse.lake import Lake
from lakehouse.lock import writer_lock
from lakehouse.project import DEFAULT_ROOT, conf_dir
from lakehouse.publish import not_published
from lakehouse.quality import check_lake, refuse_broken
from lakehouse.registry import job, jobs
from lakehouse.rules import QUARANTINE
from lakehouse.run import Run

quarantine = typer.Typer(no_args_is_help=True, help="Look at rejected rows, and put corrected ones in their place.")


def check(
    table: Annotated[list[str] | None, typer.Option(help="A table; all by default.")] = None,
    root: Root = DEFAULT_ROOT,
    wait: Wait = False,
    as_json: AsJson = False,
) -> None:
    """Apply every check to the published tables anew, without building anything; exit code 3 if an error is found."""
    names = [job(name).name for name in table or jobs()]
    lake = Lake(root)
    manifest = lake.published()
    missing = [name for name in table or () if name not in manifest.tables]
    if missing:
        raise not_published(missing[0], manifest)
    run = Run(lake, load(conf_dir(), profile=received(lake).get("profile")), dict(jobs()), Silence())
    check_lake(run, names, wait=wait)
    if as_json:
        print_json({"run_id": run.run_id, "status": run.status, "results": [vars(result) for result in run.results]})
    else:
        columns = ("table", "checks", "passed", "warned", "failed", "skipped", "worst")
        print_table(f"Checks of run {manifest.run_id}", columns, _by_table(run.results))
    refuse_broken(
        run.results,
        f"Checks of the published run {manifest.run_id} failed",
        "Correct the records or the job and run again, or publish an earlier run with `lakehouse rollback`.",
    )


@quarantine.command("list")
def show_quarantine(
    table: Annotated[str | None, typer.Option(help="Bronze table whose rejected rows are shown.")] = None,
    root: Root = DEFAULT_ROOT,
    as_json: AsJson = False,
) -> None:
    """Show how many rows of which table are rejected by which rule; with --json the rows, ready to be corrected."""
    rows = _waiting(Lake(root), table)
    if as_json:
        print_json([{**row, "row": json.loads(row.pop("row_json"))} for row in rows])
        return
    rejections = [
        (*names, len(found := list(group)), found[0]["reason"])
        for names, group in groupby(rows, key=lambda row: (row["table_name"], row["rule"]))
    ]
    print_table(f"{len(rows):,} rejected rows", ("table", "rule", "rows", "for instance"), rejections)


@quarantine.command()
def release(
    file: Annotated[Path, typer.Option(help="Corrected rows as `list --json` shows them, one JSON object a line.")],
    root: Root = DEFAULT_ROOT,
    wait: Wait = False,
) -> None:
    """Append corrected rows to the tables that received them; the next run judges them like any others."""
    lake = Lake(root)
    with writer_lock(root, wait=wait):
        counts = release_corrections(lake, load(conf_dir()).lake, jobs(), file)
    for name, count in counts.items():
        console.print(f"{count:,} corrected rows appended to {name}.")
    console.print("Run `lakehouse run` to build what they change.")


def _waiting(lake: Lake, table: str | None) -> list[dict[str, Any]]:
    manifest = lake.published()
    if QUARANTINE not in manifest.tables:
        raise not_published(QUARANTINE, manifest)
    rejected = delta.arrow(lake, QUARANTINE, manifest.tables[QUARANTINE].version).to_pylist()
    rows = [row for row in rejected if not row.get("is_corrected") and table in (None, row["table_name"])]
    return sorted(rows, key=lambda row: (row["table_name"], row["rule"], row["_source"], row["_batch_id"], row["_row"]))


def _by_table(results: Iterable[Result]) -> list[tuple[object, ...]]:
    in_order = sorted(results, key=lambda result: result.table_name)
    return [_summed(name, list(group)) for name, group in groupby(in_order, key=lambda result: result.table_name)]


def _summed(name: str, results: list[Result]) -> tuple[object, ...]:
    worst = max(results, key=lambda result: (result.stops, result.is_broken, result.failed))
    return (
        name,
        len(results),
        sum(result.status == "pass" for result in results),
        sum(result.is_broken and not result.stops for result in results),
        sum(result.stops for result in results),
        sum(result.status == "skipped" for result in results),
        worst.told if worst.is_broken else "",
    )
