"""Options that several commands share."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

Root = Annotated[Path, typer.Option(envvar="LAKEHOUSE_ROOT", help="Folder of the lake.")]
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
