"""A folder to put files in, and a lake that receives them without a JVM."""

from __future__ import annotations

import pytest

from lakehouse import delta
from lakehouse.config import load
from lakehouse.console import Silence
from lakehouse.ingest.delivery import deliver
from lakehouse.ingest.sources import read_source
from lakehouse.lake import Lake
from lakehouse.project import PROJECT
from lakehouse.registry import jobs
from lakehouse.run import Run


@pytest.fixture
def lake(tmp_path):
    return Lake(tmp_path / "lake")


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "exports"
    path.mkdir()
    return path


@pytest.fixture
def ingest(lake, folder):
    """Deliver what the folder holds and return the run."""

    def run(*, as_of=None, replace=False, source=None):
        received = Run(lake, load(PROJECT / "conf"), dict(jobs()), Silence())
        tables = {job.table.short_name: job.table for job in jobs().values() if job.is_received}
        vendor = read_source(PROJECT / "conf", source, tables) if source else None
        deliver(received, folder, as_of=as_of, replace=replace, source=vendor)
        return received

    return run


@pytest.fixture
def received(lake):
    """Return the rows of a bronze table in the order of their numbers."""

    def rows(name="subscriptions"):
        return (
            delta.arrow(lake, f"bronze.{name}").sort_by([("_source", "ascending"), ("_row", "ascending")]).to_pylist()
        )

    return rows
