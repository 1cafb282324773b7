"""Upkeep: many small files are put together, and files go that no kept run needs. The rows stay as they are."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
from deltalake import DeltaTable

from lakehouse.config import LakeConfig
from lakehouse.lake import Lake
from lakehouse.retention import LOG_AS_IT_IS, drop_manifests, take_files_away

# Below this size, opening a file costs more than reading it.
SMALL_BYTES = 16 * 2**20
# Fewer small files are not worth a rewrite.
MANY = 10


@dataclass(frozen=True)
class Upkeep:
    """What became of a table: the data files on disk, and the bytes of its whole folder, before and after."""

    table_name: str
    files_before: int
    files_after: int
    bytes_before: int
    bytes_after: int


def maintain(lake: Lake, config: LakeConfig, names: Iterable[str]) -> list[Upkeep]:
    """Put together the small files of the named tables and delete what no kept run needs; return what became of each.

    Who calls it holds the writer lock. The files that were put together go when they are ``file_retention_days`` old.
    """
    drop_manifests(lake, config)
    return [_maintained(lake, config, name) for name in names if lake.head(name)]


def _maintained(lake: Lake, config: LakeConfig, name: str) -> Upkeep:
    files_before, bytes_before = _measured(lake.table_path(name))
    _compact(lake, name)
    take_files_away(lake, name, older_than_days=config.file_retention_days)
    files_after, bytes_after = _measured(lake.table_path(name))
    return Upkeep(name, files_before, files_after, bytes_before, bytes_after)


def _compact(lake: Lake, name: str) -> None:
    """Put the small files of each partition together where they are many."""
    table = DeltaTable(str(lake.table_path(name)))
    partitions = [f"partition.{column}" for column in table.metadata().partition_columns]
    files = pa.table(table.get_add_actions(flatten=True))
    small = files.filter(pc.less(files["size_bytes"], SMALL_BYTES))
    for partition in small.group_by(partitions).aggregate([([], "count_all")]).to_pylist():
        if partition.pop("count_all") >= MANY:
            chosen = [(key.removeprefix("partition."), "=", str(value)) for key, value in partition.items()]
            table.optimize.compact(partition_filters=chosen or None, post_commithook_properties=LOG_AS_IT_IS)


def _measured(folder: Path) -> tuple[int, int]:
    """Return how many data files are in the folder, and the bytes of everything in it."""
    sizes = {path: path.stat().st_size for path in folder.rglob("*") if path.is_file()}
    data = [path for path in sizes if path.suffix == ".parquet" and path.parent.name != "_delta_log"]
    return len(data), sum(sizes.values())
