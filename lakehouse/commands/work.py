"""The commands that write: run, generate, export, rollback, maintain, forget, setup."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

import typer

from lakehouse import graph
from lakehouse.commands.building import build, receiver
from lakehouse.commands.options import AsJson, Customers, Dirt, Months, Profile, Root, Seed, Through, Wait
from lakehouse.config import Config, load
from lakehouse.console import Progress, Silence, console, print_json, print_table
from lakehouse.coverage import as_of, received
from lakehouse.dryrun import dry_run
from lakehouse.errors import UsageError
from lakehouse.export import export as write_exports
from lakehouse.export import exports_folder
from lakehouse.forget import forget as forget_customer
from lakehouse.generator.build import Request, last_day, receive, views
from lakehouse.generator.report import bands
from lakehouse.lake import Lake
from lakehouse.lock import writer_lock
from lakehouse.maintain import maintain as maintain_tables
from lakehouse.ops import TABLES as OPS
from lakehouse.plan import make_plan
from lakehouse.project import DEFAULT_ROOT, conf_dir
from lakehouse.publish import rollback as publish_earlier
from lakehouse.registry import jobs
from lakehouse.run import Run
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
    build(lake, config, receiver(lake, request), selectors=select, full=full, wait=wait, as_json=as_json)


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


def maintain(root: Root = DEFAULT_ROOT, wait: Wait = False, as_json: AsJson = False) -> None:
    """Put many small files together and delete files that no kept run needs and that are old enough; no row changes."""
    lake = Lake(root)
    names = [*jobs(), *(table.name for table in OPS)]
    with writer_lock(root, wait=wait):
        done = maintain_tables(lake, _config(lake, None).lake, names)
    if as_json:
        print_json([vars(upkeep) for upkeep in done])
        return
    touched = [u for u in done if (u.files_before, u.bytes_before) != (u.files_after, u.bytes_after)]
    columns = ("table", "files before", "files after", "bytes freed")
    rows = [(u.table_name, u.files_before, u.files_after, u.bytes_before - u.bytes_after) for u in touched]
    print_table(f"Upkeep of {root}", columns, rows)
    freed = sum(upkeep.bytes_before - upkeep.bytes_after for upkeep in done)
    console.print(f"{len(touched)} of {len(done)} tables changed on disk, {freed:,} bytes freed.")


def forget(
    customer: Annotated[str, typer.Argument(help="customer_id of the customer, such as C0000012.")],
    root: Root = DEFAULT_ROOT,
    wait: Wait = False,
    as_json: AsJson = False,
) -> None:
    """Erase for good what tells who a customer is from every layer, export and log; earlier runs cannot be shown again."""
    lake = Lake(root)
    with Silence() if as_json else Progress() as progress:
        done = forget_customer(lake, _config(lake, None), dict(jobs()), progress, customer, wait=wait)
    if as_json:
        print_json(vars(done))
    elif not done.is_new:
        console.print(f"{customer} was forgotten before: nothing tells who it was.")
    else:
        print_table(f"Erased of {customer}", ("table", "rows"), done.rows.items())
        shown = f"run {done.run_id} shows the lake without it" if done.run_id else "nothing had been published"
        console.print(f"{customer} is forgotten: {shown}, and no older version is left.")


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
