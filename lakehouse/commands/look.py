"""The commands that read: graph, tables, show, runs, doctor, fsck."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

import typer
from rich.markup import escape

from lakehouse import delta, graph, ops
from lakehouse.commands.options import AsJson, Root
from lakehouse.console import console, print_json, print_table
from lakehouse.doctor import examine
from lakehouse.errors import BrokenLakeError
from lakehouse.fsck import Report
from lakehouse.fsck import fsck as look_through
from lakehouse.lake import Lake
from lakehouse.manifest import Manifest
from lakehouse.project import DEFAULT_ROOT
from lakehouse.publish import not_published
from lakehouse.registry import job, jobs


def show_graph(as_json: AsJson = False) -> None:
    """Show every table with what it is computed from, in the order of computation."""
    known = jobs()
    edges = {name: list(dict.fromkeys(known[name].table.inputs.values())) for name in graph.order(known)}
    if as_json:
        print_json(edges)
        return
    for name, sources in edges.items():
        console.print(f"[bold]{name}[/]" + (f" ← {', '.join(sources)}" if sources else ""))


def show_tables(root: Root = DEFAULT_ROOT, as_json: AsJson = False) -> None:
    """List the tables: what a row of each is, and the rows of the published version."""
    manifest = Lake(root).current()
    entries = manifest.tables if manifest else {}
    rows = [
        (name, known.table.grain, entries[name].rows if name in entries else None, known.table.export_as or "")
        for name, known in jobs().items()
    ]
    columns = ("table", "one_row_per", "rows", "export")
    if as_json:
        print_json([dict(zip(columns, row, strict=True)) for row in rows])
    else:
        print_table("Tables", columns, rows)


def show(
    table: Annotated[str, typer.Argument(help="Name of the table, such as gold.unit_economics_by_segment.")],
    root: Root = DEFAULT_ROOT,
    limit: Annotated[int, typer.Option(min=1, help="Rows to show.")] = 20,
    as_json: AsJson = False,
) -> None:
    """Show the first rows of a published table, by key."""
    lake, declared = Lake(root), job(table).table
    manifest = lake.published()
    if table not in manifest.tables:
        raise not_published(table, manifest)
    data = delta.arrow(lake, table, manifest.tables[table].version)
    rows = data.sort_by([(key, "ascending") for key in declared.key]).slice(0, limit).to_pylist()
    if as_json:
        print_json(rows)
        return
    # Down the page rather than across it: wide tables do not fit a terminal.
    shown = zip(*(row.values() for row in rows), strict=True) if rows else [()] * len(declared.columns)
    lines = [(column.name, *values) for column, values in zip(declared.columns, shown, strict=True)]
    print_table(f"{table}: {data.num_rows:,} rows", ("column", *(f"row {i + 1}" for i in range(len(rows)))), lines)


def runs(root: Root = DEFAULT_ROOT, as_json: AsJson = False) -> None:
    """List the runs, the newest first, and say which one is published."""
    lake = Lake(root)
    current = lake.readable_current()
    history = delta.arrow(lake, ops.RUNS.name).to_pylist() if lake.head(ops.RUNS.name) else []
    manifests = lake.manifests()
    history = _with_unrecorded(history, manifests)
    withdrawn = {manifest.run_id for manifest in manifests if manifest.withdrawn}
    for entry in history:
        entry["is_current"] = current is not None and entry["run_id"] == current.run_id
        entry["is_withdrawn"] = entry["run_id"] in withdrawn
    if as_json:
        print_json(history)
        return
    rows = [
        (
            e["run_id"],
            "current" if e["is_current"] else "withdrawn" if e["is_withdrawn"] else e["status"],
            (e["finished_at"] - e["started_at"]).total_seconds() if e["started_at"] else None,
            e["jobs_done"],
            e["jobs_skipped"],
            e["checks"],
            e["message"],
        )
        for e in history
    ]
    print_table("Runs", ("run", "status", "seconds", "done", "skipped", "checks", "message"), rows)


def _with_unrecorded(history: list[dict[str, Any]], manifests: list[Manifest]) -> list[dict[str, Any]]:
    """Return the recorded runs and those that were killed between being published and being recorded."""
    recorded = {entry["run_id"] for entry in history}
    unrecorded = [
        dict.fromkeys(ops.RUNS.column_names)
        | {
            "run_id": manifest.run_id,
            "finished_at": manifest.published_at,
            "status": "published",
            "message": "killed before it was recorded",
            "as_of": manifest.as_of,
            "checks": manifest.quality.checks,
        }
        for manifest in manifests
        if manifest.run_id not in recorded
    ]
    return sorted(history + unrecorded, key=lambda entry: str(entry["run_id"]), reverse=True)


def doctor(root: Root = DEFAULT_ROOT, as_json: AsJson = False) -> None:
    """Say what is right and wrong with this machine and this lake."""
    findings = examine(Lake(root))
    if as_json:
        print_json([vars(finding) for finding in findings])
    else:
        for finding in findings:
            console.print(
                f"{'[green]✔[/]' if finding.is_good else '[red]✘[/]'} {finding.subject:<16}{escape(finding.found)}"
            )
    if not all(finding.is_good for finding in findings):
        raise typer.Exit(2)


def fsck(root: Root = DEFAULT_ROOT, as_json: AsJson = False) -> None:
    """Follow the published run down to every data file and name whatever is broken; exit code 4 if anything is."""
    report = look_through(Lake(root))
    if as_json:
        print_json({**asdict(report), "is_broken": report.is_broken})
    else:
        for finding in report.findings:
            mark = "[red]✘[/]" if finding.is_broken else "[dim]·[/]"
            console.print(f"{mark} {escape(finding.where)}: {escape(finding.found)}", soft_wrap=True)
        console.print(escape(_advice(report)), soft_wrap=True)
    if report.is_broken:
        raise typer.Exit(BrokenLakeError.exit_code)


def _advice(report: Report) -> str:
    if not report.is_broken:
        return "Nothing is broken."
    back = (
        f"`lakehouse rollback {report.whole_run}` publishes the newest run that is whole. " if report.whole_run else ""
    )
    return (
        f"{back}Put back what is gone or damaged; or remove the folder of that table and run `lakehouse run`, "
        "which makes it anew, for a table of received files `lakehouse ingest` with all of them."
    )
