"""Options that several commands share."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from lakehouse.errors import UsageError


def _on_a_file_system(root: Path) -> Path:
    # As a path, the address of a bucket would name a folder of this machine that nobody meant.
    if re.match(r"[A-Za-z][\w+.-]+:/", str(root)):
        raise UsageError(
            "A lake lies in a folder",
            found=f"the address {root}",
            expected="a path of a file system of this machine",
            do="Name a folder with --root or LAKEHOUSE_ROOT; docs/deployment.md says how a lake gets to an object store.",
        )
    return root


Root = Annotated[Path, typer.Option(envvar="LAKEHOUSE_ROOT", help="Folder of the lake.", callback=_on_a_file_system)]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for a program.")]
Wait = Annotated[bool, typer.Option("--wait", help="Wait for the process that writes to the lake, if one does.")]
Customers = Annotated[int | None, typer.Option(min=1, max=10_000_000, help="Customers won by the end of --months.")]
Months = Annotated[int | None, typer.Option(min=1, max=240, help="Months of history.")]
Seed = Annotated[int | None, typer.Option(min=0, help="Seed of the generated company.")]
Through = Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Last day of the records.")]
Profile = Annotated[str | None, typer.Option(help="Profile of conf/company.yml.")]
Dirt = Annotated[
    bool | None,
    typer.Option("--dirt/--no-dirt", help="Plant faults among the records, counted in _truth/dirt.parquet."),
]
