"""What the lake forgets: published runs beyond the configured number, and the files that only they needed."""

from __future__ import annotations

import shutil
from pathlib import Path

from deltalake import DeltaTable, PostCommitHookProperties

from lakehouse.config import LakeConfig
from lakehouse.lake import MANIFESTS, Lake
from lakehouse.spark_writer import UNFINISHED

HOURS_PER_DAY = 24
# With a checkpoint the log's oldest commits may go, and the commit of the newest data may be one of them.
LOG_AS_IT_IS = PostCommitHookProperties(create_checkpoint=False, cleanup_expired_logs=False)


def forget_old_runs(lake: Lake, config: LakeConfig) -> None:
    """Drop the manifests of the oldest runs, and then files that no kept run needs and that are old enough."""
    current = lake.readable_current()
    if drop_manifests(lake, config) and current:
        for name in current.tables:
            take_files_away(lake, name, older_than_days=config.file_retention_days)


def drop_manifests(lake: Lake, config: LakeConfig) -> int:
    """Drop the manifests of the oldest runs, never the published one's, and return how many runs are too old."""
    dropped = lake.manifests()[: -config.keep_runs]
    current = lake.readable_current()
    for manifest in dropped:
        if current is None or manifest.run_id != current.run_id:
            (lake.root / MANIFESTS / f"{manifest.run_id}.json").unlink()
    return len(dropped)


def take_files_away(lake: Lake, name: str, *, older_than_days: int) -> None:
    """Delete the files of ``name`` that no kept run needs and that are of no version, or not for so many days.

    What a killed writer left behind is of no version.
    """
    published = {manifest.versions[name] for manifest in lake.manifests() if name in manifest.versions}
    needed = {lake.newest_alike(name, version) for version in published if lake.has_version(name, version)}
    table = DeltaTable(str(lake.table_path(name)))

    def vacuum(*, dry_run: bool) -> list[str]:
        return table.vacuum(
            retention_hours=older_than_days * HOURS_PER_DAY,
            enforce_retention_duration=False,
            full=True,
            keep_versions=sorted(needed),
            dry_run=dry_run,
            post_commithook_properties=LOG_AS_IT_IS,
        )

    if vacuum(dry_run=True):
        vacuum(dry_run=False)
    _drop_what_spark_leaves(lake.table_path(name))


def _drop_what_spark_leaves(folder: Path) -> None:
    """Delete what a killed write of Spark had not finished, and what its file system keeps beside files that are gone."""
    shutil.rmtree(folder / UNFINISHED, ignore_errors=True)
    for checksum in folder.rglob(".*.crc"):
        if not checksum.with_name(checksum.name.removeprefix(".").removesuffix(".crc")).exists():
            checksum.unlink()
