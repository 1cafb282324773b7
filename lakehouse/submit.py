"""The entry of ``spark-submit jobs/<layer>/<table>.py``: that one job, with the same lock, checks and publishing."""

from __future__ import annotations

import typer

from lakehouse.cli import run_and_leave
from lakehouse.commands.building import receiver
from lakehouse.commands.options import Root, Wait
from lakehouse.config import load
from lakehouse.console import Progress, print_run
from lakehouse.coverage import received
from lakehouse.generator.build import Request
from lakehouse.lake import Lake
from lakehouse.project import DEFAULT_ROOT, conf_dir
from lakehouse.registry import jobs
from lakehouse.runner import execute
from lakehouse.table import Table


def submit(table: Table) -> None:
    """Compute and write ``table``, whether it changed or not; of a generated company a received one what it lacks."""

    def command(root: Root = DEFAULT_ROOT, *, wait: Wait = False) -> None:
        lake = Lake(root)
        config = load(conf_dir(), profile=received(lake).get("profile"))
        with Progress() as progress:
            only = {table.name} if table.layer == "bronze" else set()
            run = execute(
                lake,
                config,
                dict(jobs()),
                progress,
                receive=receiver(lake, Request(), only),
                selectors=[table.name],
                full=True,
                wait=wait,
            )
        print_run(run)

    run_and_leave(lambda: typer.run(command))
