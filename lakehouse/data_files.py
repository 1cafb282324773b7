"""The data files that Spark writes for a table, as the actions that its log takes.

Delta's own writer for Spark runs queries over the log around each write, which cost more than most tables do. Spark's
writer of Parquet knows nothing of the log; the commit is then delta-rs's, in milliseconds.
"""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow.parquet as pq
from deltalake.transaction import AddAction
from pyspark.sql import DataFrame

from lakehouse.errors import QualityError
from lakehouse.table import Table

# What Spark names the folder of rows without a value.
NO_VALUE = "__HIVE_DEFAULT_PARTITION__"
# Where Spark keeps the files of a write until it is done; a killed one leaves it behind, and the next one takes it away.
UNFINISHED = "_temporary"


def write(frame: DataFrame, folder: Path, table: Table) -> list[AddAction]:
    """Write the rows of ``frame`` as Parquet files into ``folder`` and return those; they are of no version yet.

    Who calls it holds the writer lock: a file that comes meanwhile is taken for one of them.

    Raises:
        QualityError: if a row has no value in a column of the key.
    """
    before = _data_files(folder)
    writer = frame.write.mode("append").option("mapreduce.fileoutputcommitter.marksuccessfuljobs", "false")
    writer.partitionBy(*table.partition_by).parquet(str(folder))
    written = {path: pq.read_metadata(path) for path in sorted(_data_files(folder) - before)}
    _refuse_null_keys(table, folder, written)
    return [_action(path, folder, footer) for path, footer in written.items() if footer.num_rows]


def rows(files: list[AddAction]) -> int:
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


def _refuse_null_keys(table: Table, folder: Path, written: dict[Path, pq.FileMetaData]) -> None:
    nulls = {name: 0 for name in table.key}
    for path, footer in written.items():
        for name, value in _partition_values(path, folder).items():
            if name in nulls and value is None:
                nulls[name] += footer.num_rows
        for group in map(footer.row_group, range(footer.num_row_groups)):
            for column in map(group.column, range(group.num_columns)):
                if column.path_in_schema in nulls:
                    nulls[column.path_in_schema] += column.statistics.null_count
    if any(nulls.values()):
        found = ", ".join(f"rows without {name}: {count:,}" for name, count in nulls.items() if count)
        raise QualityError(
            f"The table {table.name} was not written",
            found=found,
            expected=f"a value in every column of the key: {', '.join(table.key)}",
            do="Correct the records or the job; the published run is as it was.",
        )
