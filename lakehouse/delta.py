"""Delta tables as their declarations say, read and written without a JVM; by Spark they are read here, too."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import pyarrow as pa
import pyarrow.compute as pc
from deltalake import CommitProperties, DeltaTable, write_deltalake
from deltalake.exceptions import DeltaError
from pyarrow import fs
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from lakehouse.config import LakeConfig
from lakehouse.errors import BrokenLakeError
from lakehouse.fingerprint import digest
from lakehouse.forgotten import without_forgotten
from lakehouse.lake import Head, Lake
from lakehouse.table import Table

if TYPE_CHECKING:
    # It brings pandas, half of what the commands that read nothing would wait for.
    from pyarrow.dataset import Dataset


def read(
    spark: SparkSession, lake: Lake, table: Table, version: int | None, months: AbstractSet[date] | None = None
) -> DataFrame:
    """Return ``table`` at ``version``; a table that was never received is an empty frame of its schema.

    Of a table that is kept by month, the frame holds just the ``months``, if these are given.

    The frame reads the very files that the version names. To find them Delta's own reader takes a Spark job a scan, which
    was half of all the queries of a run; the log itself tells at once.
    """
    paths = [] if version is None else files(lake, table.name, version)
    if not paths:
        # Limited, so that the optimizer knows that it is empty and leaves out what would be made of it.
        return spark.createDataFrame(table.arrow_schema.empty_table()).limit(0)
    # Paths are names here, not patterns, whatever characters the root has.
    options = {"basePath": str(lake.table_path(table.name).resolve()), "__globPaths__": "false"}
    stored = spark.read.schema(table.schema).options(**options).parquet(*map(str, paths)).select(*table.column_names)
    if months is None or table.by_month is None:
        return stored
    return stored.filter(F.col(table.by_month).isin(sorted(months)))


def declaration(table: Table, config: LakeConfig) -> str:
    """Return the hash of what is declared of the stored table; under another one it is made anew when it is written."""
    return digest([repr(table.columns), table.key, table.partition_by, table_properties(table, config)])


def commit_properties(metadata: Mapping[str, Any]) -> CommitProperties:
    """Return what makes a commit carry ``metadata``, where :meth:`lakehouse.lake.Lake.head` finds it."""
    return CommitProperties(custom_metadata={"userMetadata": json.dumps(metadata)})


def table_properties(table: Table, config: LakeConfig) -> dict[str, str]:
    """Return the properties with which the table is stored: how long what it was is kept, and what its log may tell."""
    # The log outlives the files: least and greatest names and addresses must not stand in it.
    no_statistics = {"delta.dataSkippingNumIndexedCols": "0"} if table.erasable else {}
    return no_statistics | {
        "delta.deletedFileRetentionDuration": f"interval {config.file_retention_days} days",
        "delta.logRetentionDuration": f"interval {config.log_retention_days} days",
    }


def append(
    data: pa.Table | pa.RecordBatchReader,
    lake: Lake,
    table: Table,
    config: LakeConfig,
    metadata: Mapping[str, Any],
    *,
    replaces: str | None = None,
) -> None:
    """Append ``data``, which has the declared fields, in one commit that carries ``metadata``; no JVM takes part.

    With ``replaces``, a ``_source``, the commit also takes away the rows that came from it before. What would bring
    back a customer who was forgotten stays out.

    Raises:
        BrokenLakeError: if the table's log cannot be read.
    """
    rows = without_forgotten(data, lake, table)
    # The records of runs outlive the code that wrote them, so a column that came later is null in the older ones.
    merging = {"schema_mode": "merge"} if table.layer == "ops" else {}
    if replaces is None:
        _write(rows, lake, table, config, metadata, mode="append", **merging)
    else:
        source = replaces.replace("'", "''")
        _write(rows, lake, table, config, metadata, mode="overwrite", predicate=f"_source = '{source}'")


def overwrite(data: pa.Table, lake: Lake, table: Table, config: LakeConfig, metadata: Mapping[str, Any]) -> None:
    """Replace the content of ``table`` by ``data``, as :func:`append` adds to it."""
    recorded = {**metadata, "rows": data.num_rows}
    _write(data, lake, table, config, recorded, mode="overwrite", schema_mode="overwrite")


def dataset(lake: Lake, name: str, version: int | None = None) -> Dataset:
    """Return the table ``name`` at ``version`` (its newest, if none is given), to be scanned without a JVM."""
    path = str(lake.table_path(name).resolve())
    if version is not None:
        version = lake.newest_alike(name, version)
    # Arrow's own file system, so that its threads need no Python to close a file, least of all while Python ends.
    folder = fs.SubTreeFileSystem(path, fs.LocalFileSystem())
    return DeltaTable(path, version=version).to_pyarrow_dataset(filesystem=folder)


def arrow(lake: Lake, name: str, version: int | None = None) -> pa.Table:
    """Return the rows of the table ``name`` at ``version`` (its newest, if none is given) without a JVM.

    Raises:
        BrokenLakeError: if a file of that version is gone or damaged, or its log is.
    """
    with as_broken(name):
        return dataset(lake, name, version).to_table()


def files(lake: Lake, name: str, version: int) -> list[Path]:
    """Return the files that ``version`` of the table ``name`` consists of.

    Raises:
        BrokenLakeError: if the log of that version is gone or damaged.
    """
    path = lake.table_path(name).resolve()
    with as_broken(name):
        actions = pa.table(DeltaTable(str(path), version=lake.newest_alike(name, version)).get_add_actions())
    # The log writes them as parts of a URI.
    return [path / unquote(file) for file in actions["path"].to_pylist()]


def lacks_files(lake: Lake, name: str, version: int) -> bool:
    """Say whether a file that ``version`` of the table ``name`` consists of is gone."""
    return not all(path.is_file() for path in files(lake, name, version))


def stored_rows(lake: Lake, name: str, head: Head) -> int:
    """Return how many rows the table ``name`` has at ``head``."""
    return head.rows if head.rows is not None else DeltaTable(str(lake.table_path(name)), version=head.version).count()


def distinct_keys(lake: Lake, table: Table, version: int, months: AbstractSet[date] | None = None) -> int:
    """Return how many different keys the stored ``version`` of ``table``, or its ``months``, holds, without a JVM."""
    wanted = None if months is None else pc.field(str(table.by_month)).isin(sorted(months))
    keys = dataset(lake, table.name, version).to_table(columns=list(table.key), filter=wanted)
    return int(keys.group_by(list(table.key)).aggregate([]).num_rows)


@contextmanager
def as_broken(name: str) -> Iterator[None]:
    """Tell what is wrong with the table ``name`` as one paragraph, where its files or its log cannot be read."""
    try:
        yield
    except (OSError, pa.ArrowInvalid, DeltaError) as error:
        raise BrokenLakeError(
            f"The table {name} cannot be read",
            found=str(error).splitlines()[0],
            expected="every file that its log names, whole",
            do="Run `lakehouse fsck`, which names all that is broken and says what to do.",
        ) from error


def _write(
    data: pa.Table | pa.RecordBatchReader,
    lake: Lake,
    table: Table,
    config: LakeConfig,
    metadata: Mapping[str, Any],
    **how: Any,
) -> None:
    path = str(lake.table_path(table.name))
    with as_broken(table.name):
        target = DeltaTable(path) if DeltaTable.is_deltatable(path) else path
    options: dict[str, Any] = {
        "name": table.name,
        "description": table.description,
        "partition_by": table.partition_by or None,
        "configuration": table_properties(table, config),
        "commit_properties": commit_properties(metadata),
    }
    write_deltalake(target, data, **options, **how)
