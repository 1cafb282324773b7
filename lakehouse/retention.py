"""What the lake forgets: published runs beyond the configured number, and the files that only they needed."""

from __future__ import annotations

from deltalake import DeltaTable

from lakehouse.config import LakeConfig
from lakehouse.lake import MANIFESTS, Lake

HOURS_PER_DAY = 24


def forget_old_runs(lake: Lake, config: LakeConfig) -> None:
    """Drop the manifests of the oldest runs, and then files that no kept run needs and that are old enough."""
    manifests = lake.manifests()
    kept, dropped = manifests[-config.keep_runs :], manifests[: -config.keep_runs]
    current = lake.readable_current()
    for manifest in dropped:
        if current is None or manifest.run_id != current.run_id:
            (lake.root / MANIFESTS / f"{manifest.run_id}.json").unlink()
    if dropped and current:
        for name in current.tables:
            needed = {m.versions[name] for m in [*kept, current] if name in m.versions}
            DeltaTable(str(lake.table_path(name))).vacuum(
                retention_hours=config.file_retention_days * HOURS_PER_DAY, dry_run=False, keep_versions=sorted(needed)
            )
