"""Replacing a table by what Spark computes: schema checked field by field, keys not null, one commit.

Spark writes the data files as plain Parquet, and delta-rs commits them in milliseconds. Delta's own writer for Spark runs
queries over the log around each write, which cost more than computing most tables does.
"""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from deltalake import DeltaTable, Schema
from deltalake.transaction import AddAction, create_table_with_add_actions
from pyspark.sql import DataFrame

from lakehouse import delta
from lakehouse.config import LakeConfig
from lakehouse.errors import LakehouseError, QualityError
from lakehouse.lake import Lake
from lakehouse.table import Table

# What Spark names the folder of rows without a value.
NO_VALUE = "__HIVE_DEFAULT_PARTITION__"
# Where Spark keeps the files of a write until it is done; a killed one leaves it behind.
UNFINISHED = "_temporary"


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
    declared = delta.declaration(table, config)
    files = _write(frame, path, table)
    recorded = {**metadata, "declaration": declared}
    if head is None or head.metadata.get("declaration") != declared:
        _create(path, files, table, config, recorded)
    else:
        if months is not None:
            _refuse_other_months(table, files, months)
        _commit(path, files, table, recorded, months)


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


def _create(path: Path, files: list[AddAction], table: Table, config: LakeConfig, metadata: Mapping[str, Any]) -> None:
    """Make the table of the files, in place of what is there under another declaration."""
    create_table_with_add_actions(
        str(path),
        Schema.from_arrow(
            pa.schema([field.with_nullable(field.name not in table.key) for field in table.arrow_schema])
        ),
        files,
        mode="overwrite",
        partition_by=table.partition_by,
        name=table.name,
        description=table.description,
        configuration=delta.table_properties(table, config),
        commit_properties=delta.commit_properties({**metadata, "rows": _rows(files)}),
    )


def _commit(
    path: Path,
    files: list[AddAction],
    table: Table,
    metadata: Mapping[str, Any],
    months: AbstractSet[date] | None,
) -> None:
    """Put the files in place of all others, or of those of the ``months``."""
    with delta.as_broken(table.name):
        target = DeltaTable(str(path))
    if months is None:
        metadata = {**metadata, "rows": _rows(files)}
    replaced = [(str(table.by_month), "in", sorted(map(str, months)))] if months else None
    # Where no month changed, the commit has no rows and only tells what they were computed from.
    mode = "append" if months is not None and not months else "overwrite"
    properties = delta.commit_properties(metadata)
    target.create_write_transaction(
        [*files], mode, target.schema(), table.partition_by, replaced, commit_properties=properties
    )


def _refuse_other_months(table: Table, files: list[AddAction], months: AbstractSet[date]) -> None:
    due = sorted(map(str, months))
    others = sorted({str(file.partition_values[str(table.by_month)]) for file in files}.difference(due))
    if others:
        raise LakehouseError(
            f"The job of {table.name} returns rows of months that were not to be computed",
            found=", ".join(others),
            expected=", ".join(due) or "no rows",
            do=f"Correct jobs/{table.layer}/{table.short_name}.py: a row's month must be that of the rows it is made from.",
        )


def _write(frame: DataFrame, folder: Path, table: Table) -> list[AddAction]:
    """Write the rows of ``frame`` as Parquet files into ``folder`` and return those; they are of no version yet.

    Who calls it holds the writer lock: a file that comes meanwhile is taken for one of them.

    Raises:
        QualityError: if a row has no value in a column of the key.
    """
    # Spark would take the files that a killed write had all but finished for its own.
    shutil.rmtree(folder / UNFINISHED, ignore_errors=True)
    # Where a folder cannot be made, Spark does not say why.
    (folder / UNFINISHED).mkdir(parents=True)
    before = _data_files(folder)
    writer = frame.write.mode("append").option("mapreduce.fileoutputcommitter.marksuccessfuljobs", "false")
    writer.partitionBy(*table.partition_by).parquet(str(folder))
    written = {path: pq.read_metadata(path) for path in sorted(_data_files(folder) - before)}
    _refuse_null_keys(table, folder, written)
    return [_action(path, folder, footer) for path, footer in written.items() if footer.num_rows]


def _rows(files: list[AddAction]) -> int:
    """Return how many rows the files hold."""
    return sum(json.loads(file.stats)["numRecords"] for file in files)


def _data_files(folder: Path) -> set[Path]:
    return set(folder.rglob("part-*.parquet"))


def _action(path: Path, folder: Path, footer: pq.FileMetaData) -> AddAction:
    status = path.stat()
    return AddAction(
        path=path.relative_to(folder).as_posix(),
        size=status.st_size,
        partition_values=_partition_values(path, folder),
        modification_time=status.st_mtime_ns // 1_000_000,
        data_change=True,
        stats=json.dumps({"numRecords": footer.num_rows}),
    )


def _partition_values(path: Path, folder: Path) -> dict[str, str | None]:
    named = (part.partition("=") for part in path.parent.relative_to(folder).parts)
    return {name: None if value == NO_VALUE else value for name, _, value in named}


def _refuse_null_keys(table: Table, folder: Path, written: Mapping[Path, pq.FileMetaData]) -> None:
    nulls = sum((_nulls(path, folder, footer) for path, footer in written.items()), Counter[str]())
    without = [f"{name} ({nulls[name]:,})" for name in table.key if nulls[name]]
    if without:
        raise QualityError(
            f"The table {table.name} was not written",
            found=f"rows without {', '.join(without)}",
            expected=f"a value in every column of the key: {', '.join(table.key)}",
            do="Correct the records or the job; the published run is as it was.",
        )


def _nulls(path: Path, folder: Path, footer: pq.FileMetaData) -> Counter[str]:
    """Return how many rows of the file have no value, by column."""
    nulls = Counter({name: footer.num_rows for name, value in _partition_values(path, folder).items() if value is None})
    for group in map(footer.row_group, range(footer.num_row_groups)):
        for column in map(group.column, range(group.num_columns)):
            nulls[column.path_in_schema] += column.statistics.null_count
    return nulls
