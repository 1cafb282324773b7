"""One Spark session for the whole suite, and frames made from a few rows through Arrow."""

from __future__ import annotations

import gc
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

# As the command does: collecting thousands of tests makes many objects and no garbage.
gc.set_threshold(100_000, 50, 50)
# Every process that a test starts would otherwise compile anew what it imports.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
# Over a few rows, compiling a plan and changing it on the way take longer than running it.
FOR_A_FEW_ROWS = {
    "spark.sql.adaptive.enabled": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.shuffle.partitions": "2",
}
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
def session() -> Iterator[SparkSession]:
    """The session that the commands themselves would start."""
    session = get_session()
    yield session
    session.stop()


@pytest.fixture(scope="session")
def shipped(session: SparkSession) -> dict[str, str]:
    """What the session was started with of the settings that tests of a few rows change."""
    return {name: session.conf.get(name) for name in FOR_A_FEW_ROWS}


@pytest.fixture(scope="session")
def spark(session: SparkSession, shipped: dict[str, str]) -> SparkSession:  # noqa: ARG001 - read before it changes
    """The session as it is for tests of a few rows."""
    configure(session, FOR_A_FEW_ROWS)
    return session


def configure(session: SparkSession, settings: dict[str, str]) -> None:
    for name, value in settings.items():
        session.conf.set(name, value)


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
def small_lake(spark: SparkSession, shipped: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """A published lake of a small company, made as a user makes it; whoever changes it works on a copy."""
    configure(spark, shipped)
    root = tmp_path_factory.mktemp("small") / "lake"
    size = ["--customers", "40", "--months", "18", "--seed", "3"]
    result = CliRunner().invoke(app, ["run", "--root", str(root), *size], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    configure(spark, FOR_A_FEW_ROWS)
    return Lake(root)
