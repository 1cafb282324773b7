"""One Spark session for the whole suite, and frames made from a few rows through Arrow."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import pyarrow as pa
import pytest
import yaml
from pyspark.sql import DataFrame, SparkSession

from lakehouse.settings import Metrics, Settings, Sla
from lakehouse.table import Table

PROJECT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def spark() -> Iterator[SparkSession]:
    jars = ":".join(str(jar) for jar in sorted((PROJECT / ".jars").glob("*.jar")))
    session = (
        SparkSession.builder.master("local[2]")
        .config("spark.ui.enabled", "false")
        .config("spark.ui.showConsoleProgress", "false")
        .config("spark.driver.extraClassPath", jars)
        .config("spark.driver.extraJavaOptions", "-Duser.timezone=UTC")
        .config("spark.sql.extensions", "io.delta.sql.DeltaSparkSessionExtension")
        .config("spark.sql.catalog.spark_catalog", "org.apache.spark.sql.delta.catalog.DeltaCatalog")
        .config("spark.sql.session.timeZone", "UTC")
        .config("spark.sql.shuffle.partitions", "2")
        .config("spark.databricks.delta.snapshotPartitions", "1")
        .getOrCreate()
    )
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
    metrics = Metrics.model_validate(yaml.safe_load((PROJECT / "conf/metrics.yml").read_text()))
    sla = Sla.model_validate(yaml.safe_load((PROJECT / "conf/sla.yml").read_text()))
    return Settings.of(date(2026, 6, 30), metrics, sla)
