"""Writing Delta tables as their declarations say: schema checked field by field, keys not null, one commit a write."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pyarrow as pa
import pyarrow.dataset as ds
from deltalake import CommitProperties, DeltaTable, Schema, write_deltalake
from deltalake.exceptions import DeltaError
from deltalake.transaction import AddAction, create_table_with_add_actions
from pyarrow import fs
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from lakehouse import data_files
from lakehouse.config import LakeConfig
from lakehouse.errors import BrokenLakeError, LakehouseError
from lakehouse.fingerprint import digest
from lakehouse.forgotten import without_forgotten
from lakehouse.lake import Head, Lake
from lakehouse.table import Table


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


def replace(
    frame: DataFrame,
    lake: Lake,
    table: Table,
    config: LakeConfig,
    metadata: Mapping[str, Any],
    *,
    months: AbstractSet[date] | None = None,
) -> None:
    """Replace the content of ``table``, or that of its ``months``, by ``frame`` in one commit that carries ``metadata``.

    A table that does not exist gets comments, keys that are not null, retention and partitioning in the same commit; so
    does one that was written under another declaration, whose earlier versions stay readable.

    Raises:
        LakehouseError: if the frame's fields are not the declared ones.
        QualityError: if a row has no value in a column of the key.
    """
    check_schema(frame, table)
    path, head = lake.table_path(table.name), lake.head(table.name)
    declared = declaration(table, config)
    files = data_files.write(frame, path, table)
    recorded = {**metadata, "declaration": declared}
    if head is None or head.metadata.get("declaration") != declared:
        _create(path, files, table, config, recorded)
    else:
        _commit(path, files, table, recorded, months)


def declaration(table: Table, config: LakeConfig) -> str:
    """Return the hash of what is declared of the stored table; another one empties it before it is written."""
    return digest([repr(table.columns), table.key, table.partition_by, _kept(table, config)])


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


def dataset(lake: Lake, name: str, version: int | None = None) -> ds.Dataset:
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
    with _as_broken(name):
        return dataset(lake, name, version).to_table()


def files(lake: Lake, name: str, version: int) -> list[Path]:
    """Return the files that ``version`` of the table ``name`` consists of.

    Raises:
        BrokenLakeError: if the log of that version is gone or damaged.
    """
    path = lake.table_path(name).resolve()
    with _as_broken(name):
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
    wanted = None if months is None else ds.field(str(table.by_month)).isin(sorted(months))
    keys = dataset(lake, table.name, version).to_table(columns=list(table.key), filter=wanted)
    return int(keys.group_by(list(table.key)).aggregate([]).num_rows)


def check_schema(frame: DataFrame, table: Table) -> None:
    """Compare the frame's fields with the declared ones.

    Raises:
        LakehouseError: naming every field that is missing, unexpected, of another type or out of place.
    """
    declared = {field.name: field.dataType.simpleString() for field in table.schema}
    found = {field.name: field.dataType.simpleString() for field in frame.schema}
    differences = [f"{name} is missing (declared {declared[name]})" for name in declared if name not in found]
    differences += [f"{name} {found[name]} is not declared" for name in found if name not in declared]
    differences += [
        f"{name} is {found[name]}, declared {declared[name]}"
        for name in declared
        if name in found and found[name] != declared[name]
    ]
    if not differences and list(found) != list(declared):
        differences = [f"the order is {', '.join(found)}"]
    if differences:
        raise LakehouseError(
            f"The job of {table.name} does not return the declared columns",
            found="; ".join(differences),
            expected=", ".join(f"{name} {kind}" for name, kind in declared.items()),
            do=f"Correct the declaration or the last select in jobs/{table.layer}/{table.short_name}.py.",
        )


@contextmanager
def _as_broken(name: str) -> Iterator[None]:
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
    with _as_broken(table.name):
        target = DeltaTable(path) if DeltaTable.is_deltatable(path) else path
    options: dict[str, Any] = {
        "name": table.name,
        "description": table.description,
        "partition_by": table.partition_by or None,
        "configuration": _kept(table, config),
        "commit_properties": _properties(metadata),
    }
    write_deltalake(target, data, **options, **how)


def _create(
    path: Path, files: list[AddAction], table: Table, config: LakeConfig, metadata: Mapping[str, Any]
) -> None:
    """Make the table of the files, in place of what is there under another declaration."""
    create_table_with_add_actions(
        str(path),
        Schema.from_arrow(pa.schema([field.with_nullable(field.name not in table.key) for field in table.arrow_schema])),
        files,
        mode="overwrite",
        partition_by=table.partition_by,
        name=table.name,
        description=table.description,
        configuration=_kept(table, config),
        commit_properties=_properties({**metadata, "rows": data_files.rows(files)}),
    )


def _commit(
    path: Path,
    files: list[AddAction],
    table: Table,
    metadata: Mapping[str, Any],
    months: AbstractSet[date] | None,
) -> None:
    """Put the files in place of all others, or of those of the ``months``."""
    with _as_broken(table.name):
        target = DeltaTable(str(path))
    if months is None:
        metadata = {**metadata, "rows": data_files.rows(files)}
    replaced = [(str(table.by_month), "in", sorted(map(str, months)))] if months else None
    # Where no month changed, the commit has no rows and only tells what they were computed from.
    mode = "append" if months is not None and not months else "overwrite"
    properties = _properties(metadata)
    target.create_write_transaction(
        files, mode, target.schema(), table.partition_by, replaced, commit_properties=properties
    )


def _properties(metadata: Mapping[str, Any]) -> CommitProperties:
    return CommitProperties(custom_metadata={"userMetadata": json.dumps(metadata)})


def _kept(table: Table, config: LakeConfig) -> dict[str, str]:
    # The log outlives the files: least and greatest names and addresses must not stand in it.
    no_statistics = {"delta.dataSkippingNumIndexedCols": "0"} if table.erasable else {}
    return no_statistics | {
        "delta.deletedFileRetentionDuration": f"interval {config.file_retention_days} days",
        "delta.logRetentionDuration": f"interval {config.log_retention_days} days",
    }
