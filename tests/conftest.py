"""One Spark session for the whole suite, and frames made from a few rows through Arrow."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from datetime import date

import pyarrow as pa
import pytest
from pyspark.sql import DataFrame, SparkSession
from typer.testing import CliRunner

from lakehouse.cli import app
from lakehouse.config import load
from lakehouse.lake import Lake
from lakehouse.project import PROJECT
from lakehouse.session import get_session
from lakehouse.settings import Settings
from lakehouse.table import Table

STATUS = pytest.StashKey[int]()


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    session.config.stash[STATUS] = int(exitstatus)


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    """End with pytest's own status, as the command does: see lakehouse.cli.run_and_leave."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(config.stash.get(STATUS, 4))


@pytest.fixture(scope="session")
def spark() -> Iterator[SparkSession]:
    """The session that the commands themselves would start."""
    session = get_session()
    session.conf.set("spark.sql.shuffle.partitions", "2")
    yield session
    session.stop()


@pytest.fixture(scope="session")
def rows(spark: SparkSession) -> Callable[..., DataFrame]:
    """Return a frame of a table's schema from dictionaries; a column that a row leaves out is null."""

    def build(table: Table, *records: dict[str, object]) -> DataFrame:
        schema = pa.schema([field.with_nullable(True) for field in table.arrow_schema])
        unknown = {name for record in records for name in record} - set(schema.names)
        assert not unknown, f"{table.name} has no column {sorted(unknown)}"
        return spark.createDataFrame(pa.Table.from_pylist(list(records), schema=schema))

    return build


@pytest.fixture(scope="session")
def settings() -> Settings:
    """The shipped configuration, as of 2026-06-30."""
    config = load(PROJECT / "conf")
    return Settings.of(date(2026, 6, 30), config.metrics, config.sla)


@pytest.fixture(scope="session")
def small_lake(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Lake:  # noqa: ARG001 - its session
    """A published lake of a small company, made as a user makes it; whoever changes it works on a copy."""
    root = tmp_path_factory.mktemp("small") / "lake"
    size = ["--customers", "40", "--months", "18", "--seed", "3"]
    result = CliRunner().invoke(app, ["run", "--root", str(root), *size], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return Lake(root)
