"""The commands that write: run, generate, export, rollback, setup."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

import typer

from lakehouse import graph
from lakehouse.commands.options import AsJson, Customers, Dirt, Months, Profile, Root, Seed, Through, Wait
from lakehouse.config import Config, load
from lakehouse.console import Progress, Silence, console, print_headlines, print_json, print_run, print_table
from lakehouse.coverage import as_of, received
from lakehouse.dryrun import dry_run
from lakehouse.errors import UsageError
from lakehouse.export import export as write_exports
from lakehouse.export import exports_folder
from lakehouse.generator.build import Request, last_day, receive, views
from lakehouse.generator.report import bands
from lakehouse.headlines import headlines
from lakehouse.lake import Lake
from lakehouse.lock import writer_lock
from lakehouse.plan import make_plan
from lakehouse.project import DEFAULT_ROOT, conf_dir
from lakehouse.publish import rollback as publish_earlier
from lakehouse.registry import jobs
from lakehouse.run import Run
from lakehouse.runner import execute
from lakehouse.session import get_session
from lakehouse.settings import Settings
from lakehouse.setup import ensure_setup


def run(
    root: Root = DEFAULT_ROOT,
    customers: Customers = None,
    months: Months = None,
    seed: Seed = None,
    through: Through = None,
    profile: Profile = None,
    dirt: Dirt = None,
    select: Annotated[
        list[str] | None, typer.Option(help="A table; +table with its upstream, table+ its downstream.")
    ] = None,
    full: Annotated[bool, typer.Option("--full", help="Compute also what has not changed.")] = False,
    dry: Annotated[
        bool, typer.Option("--dry-run", help="Show what would be done, try every job on empty frames.")
    ] = False,
    wait: Wait = False,
    as_json: AsJson = False,
) -> None:
    """Generate what is missing, build what is due, check it, publish it and write the exports."""
    lake = Lake(root)
    request = Request(customers, months, seed, _day(through), profile, dirt)
    config = _config(lake, profile)
    if dry:
        _dry_run(lake, config, select, full=full, as_json=as_json)
        return
    with Silence() if as_json else Progress() as progress:
        done = execute(
            lake,
            config,
            dict(jobs()),
            progress,
            receive=lambda run: receive(run, request),
            selectors=select,
            full=full,
            wait=wait,
        )
        if lake.current() is not None:
            # The run has ended well: a writer that came in between does not make a failure of it.
            with writer_lock(root, wait=True):
                write_exports(lake, jobs())
    values = headlines(lake) if lake.current() else {}
    if as_json:
        steps = [vars(step) for step in done.steps]
        outcome = {"run_id": done.run_id, "status": done.status, "message": done.message, "as_of": done.as_of}
        warnings = [result.told for result in done.results if result.is_broken]
        checks = {"checks": len(done.results), "warnings": warnings}
        print_json({**outcome, "steps": steps, **checks, "headlines": values})
        return
    print_run(done)
    if values and done.as_of:
        print_headlines(values, done.as_of)
    console.print(f"\nTables in {root}, exports in {exports_folder(root)}.")


def generate(
    root: Root = DEFAULT_ROOT,
    customers: Customers = None,
    months: Months = None,
    seed: Seed = None,
    through: Through = None,
    profile: Profile = None,
    dirt: Dirt = None,
    report: Annotated[
        bool, typer.Option("--report", help="Print the acceptance bands beside what was measured.")
    ] = False,
    wait: Wait = False,
    as_json: AsJson = False,
) -> None:
    """Generate the synthetic company's records, or those of later days, and nothing else."""
    lake = Lake(root)
    config = _config(lake, profile)
    if report and received(lake).get("dirt", dirt):
        raise UsageError(
            "The acceptance bands are those of the company without dirt",
            found=f"--report of the dirty lake {root}",
            expected="a lake made without --dirt",
            do="Leave out --report, or generate the same company without --dirt into another --root.",
        )
    with Silence() if as_json else Progress() as progress, writer_lock(root, wait=wait):
        receive(
            Run(lake, config, dict(jobs()), progress), Request(customers, months, seed, _day(through), profile, dirt)
        )
    measured = bands(views(lake, jobs()), config.sla) if report else []
    if as_json:
        print_json({"batch": received(lake), "bands": [vars(band) for band in measured]})
    elif report:
        rows = [
            (b.name, b.low, b.high, b.measured, b.unit, {True: "yes", False: "NO", None: b.note}[b.holds])
            for b in measured
        ]
        print_table("Acceptance bands", ("band", "low", "high", "measured", "unit", "holds"), rows)


def export(root: Root = DEFAULT_ROOT, wait: Wait = False, as_json: AsJson = False) -> None:
    """Write the published gold tables and the star as CSV and Parquet."""
    with writer_lock(root, wait=wait):
        written = write_exports(Lake(root), jobs())
    if as_json:
        print_json(written)
    else:
        rows = [(name, entry["table"], entry["rows"]) for name, entry in written["tables"].items()]
        print_table(f"Exports in {exports_folder(root)}", ("file", "table", "rows"), rows)


def rollback(
    run_id: Annotated[
        str | None, typer.Argument(help="Run to publish again; the one before the current by default.")
    ] = None,
    root: Root = DEFAULT_ROOT,
    wait: Wait = False,
) -> None:
    """Publish an earlier run again, in one step, and write its exports."""
    lake = Lake(root)
    with writer_lock(root, wait=wait):
        manifest = publish_earlier(lake, run_id)
        write_exports(lake, jobs())
    console.print(f"Run {manifest.run_id} as of {manifest.as_of} is published again.")


def setup() -> None:
    """Check Java, fetch Delta's jars and write this machine's Spark settings; other commands do so when they need to."""
    ensure_setup()
    console.print(f"Ready: Spark settings in {conf_dir()}.")


def _config(lake: Lake, profile: str | None) -> Config:
    return load(conf_dir(), profile=profile or received(lake).get("profile"))


def _day(moment: datetime | None) -> date | None:
    return moment.date() if moment else None


def _dry_run(lake: Lake, config: Config, select: list[str] | None, *, full: bool, as_json: bool) -> None:
    known = dict(jobs())
    as_of_date = as_of(lake) if received(lake) else last_day(config.company.scale)
    settings = Settings.of(as_of_date, config.metrics, config.sla)
    plan = make_plan(known, lake, settings, chosen=graph.selected(known, select) if select else None, full=full)
    dry_run(get_session(), known, settings)
    if as_json:
        print_json({"due": [name for name in plan.order if name in plan.due], "order": plan.order})
        return
    for name in plan.order:
        console.print(f"{name:<34}{'due' if name in plan.due else 'skipped'}")
    console.print(f"{len(plan.due)} of {len(plan.order)} jobs due; every job returns its declared columns.")
