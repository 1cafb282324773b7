"""The commands about the user's own records: ingest and template."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from lakehouse.commands.building import build
from lakehouse.commands.options import AsJson, Root, Wait
from lakehouse.config import load
from lakehouse.console import console
from lakehouse.ingest.contract import received_table, write_template
from lakehouse.ingest.delivery import deliver
from lakehouse.ingest.sources import read_source
from lakehouse.lake import Lake
from lakehouse.project import DEFAULT_ROOT, conf_dir
from lakehouse.registry import jobs
from lakehouse.run import Run


def ingest(
    folder: Annotated[Path, typer.Argument(help="Folder with files named after tables, such as subscriptions.csv.")],
    root: Root = DEFAULT_ROOT,
    source: Annotated[
        str | None, typer.Option(help="Vendor that wrote the files, of conf/sources, such as stripe.")
    ] = None,
    as_of: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Day up to which the records reach.")
    ] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="A changed file takes the place of the earlier one of its name.")
    ] = False,
    wait: Wait = False,
    as_json: AsJson = False,
) -> None:
    """Receive the files that are new, build what they touch, check it, publish it and write the exports."""
    reach = as_of.date() if as_of else None
    tables = {job.table.short_name: job.table for job in jobs().values() if job.is_received}
    vendor = read_source(conf_dir(), source, tables) if source else None

    def receive(run: Run) -> None:
        deliver(run, folder, as_of=reach, replace=replace, source=vendor)

    build(Lake(root), load(conf_dir()), receive, wait=wait, as_json=as_json)


def template(
    table: Annotated[str, typer.Argument(help="Table whose columns the file is to have, such as subscriptions.")],
    folder: Annotated[Path, typer.Option(help="Folder to write into.")] = Path(),
) -> None:
    """Write an empty file of a table, with its header, to be filled in and ingested."""
    console.print(f"Written: {write_template(received_table(table), folder)}", soft_wrap=True)
