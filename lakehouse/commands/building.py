"""What the commands that build have in common: the run, the exports, and what is shown of both."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from lakehouse.config import Config
from lakehouse.console import Progress, Silence, console, print_files, print_headlines, print_json, print_run
from lakehouse.coverage import FILES, received
from lakehouse.errors import UsageError
from lakehouse.export import export as write_exports
from lakehouse.export import exports_folder
from lakehouse.generator.build import Request
from lakehouse.generator.build import receive as generate
from lakehouse.headlines import headlines
from lakehouse.ingest.batches import account
from lakehouse.lake import Lake
from lakehouse.lock import writer_lock
from lakehouse.registry import jobs
from lakehouse.run import Run
from lakehouse.runner import execute


def receiver(lake: Lake, request: Request, only: Collection[str] = ()) -> Callable[[Run], None] | None:
    """Return what brings the generated records that are missing (of ``only`` some tables); none into a lake of files.

    Raises:
        UsageError: if something is requested of the generated company, and the lake holds files.
    """
    if received(lake).get("source") != FILES:
        return lambda run: generate(run, request, only)
    if request != Request():
        raise UsageError(
            f"The lake {lake.root} holds ingested files",
            found="options of the generated company",
            expected="none of --customers, --months, --seed, --through, --profile and --dirt",
            do="Leave them out, or name another folder with --root: the two are never mixed.",
        )
    return None


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
