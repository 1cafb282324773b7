"""What the commands that build have in common: the run, the exports, and what is shown of both."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lakehouse.config import Config
from lakehouse.console import Progress, Silence, console, print_files, print_headlines, print_json, print_run
from lakehouse.coverage import FILES, received
from lakehouse.export import export as write_exports
from lakehouse.export import exports_folder
from lakehouse.headlines import headlines
from lakehouse.ingest.batches import account
from lakehouse.lake import Lake
from lakehouse.lock import writer_lock
from lakehouse.registry import jobs
from lakehouse.run import Run
from lakehouse.runner import execute


def build(
    lake: Lake,
    config: Config,
    receive: Callable[[Run], None] | None,
    *,
    selectors: list[str] | None = None,
    full: bool = False,
    wait: bool = False,
    as_json: bool = False,
) -> None:
    """Receive, build what is due, check it, publish it, write the exports, and show what was done."""
    with Silence() if as_json else Progress() as progress:
        done = execute(lake, config, dict(jobs()), progress, receive=receive, selectors=selectors, full=full, wait=wait)
        # The run has ended well: a writer that came in between does not make a failure of it.
        with writer_lock(lake.root, wait=True):
            files = account(done) if received(lake)["source"] == FILES else []
            if lake.current() is not None:
                write_exports(lake, jobs())
    values = headlines(lake) if lake.current() else {}
    if as_json:
        print_json(_outcome(done, files, values))
        return
    print_files(files)
    print_run(done)
    if values and done.as_of:
        print_headlines(values, done.as_of)
    console.print(f"\nTables in {lake.root}, exports in {exports_folder(lake.root)}.")


def _outcome(done: Run, files: list[dict[str, Any]], values: dict[str, Any]) -> dict[str, Any]:
    return {
        "run_id": done.run_id,
        "status": done.status,
        "message": done.message,
        "as_of": done.as_of,
        "files": files,
        "steps": [vars(step) for step in done.steps],
        "checks": len(done.results),
        "warnings": [result.told for result in done.results if result.is_broken],
        "headlines": values,
    }
