"""Whether a lake is what its manifests say, down to the footer of every data file; no JVM takes part, nothing is written."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from urllib.parse import unquote

import pyarrow as pa
import pyarrow.parquet as pq
from deltalake import DeltaTable
from deltalake.exceptions import DeltaError

from lakehouse import delta
from lakehouse.errors import BrokenLakeError
from lakehouse.forgotten import erasure_after
from lakehouse.lake import CURRENT, MANIFESTS, STAGING, Lake
from lakehouse.manifest import Manifest
from lakehouse.ops import RUNS
from lakehouse.spark_writer import UNFINISHED

# Left by a process that was killed while it wrote: by files.replacing, by Spark, by delta-rs, by an ingest.
DRAFTS = (".*.new", UNFINISHED, "_commit_*.tmp", STAGING)


@dataclass(frozen=True)
class Finding:
    """One thing that was found: where, what, and whether it is damage or only worth knowing."""

    where: str
    found: str
    is_broken: bool = True


@dataclass(frozen=True)
class Report:
    """Everything that was found, and the newest earlier run that is whole, to which a rollback may go."""

    findings: list[Finding]
    whole_run: str | None

    @property
    def is_broken(self) -> bool:
        """Whether anything is damaged."""
        return any(finding.is_broken for finding in self.findings)


def fsck(lake: Lake) -> Report:
    """Follow ``CURRENT`` and every kept manifest to the versions of the tables, their logs and their data files.

    Raises:
        BrokenLakeError: if there is no lake.
    """
    if not lake.root.is_dir():
        raise BrokenLakeError(
            f"There is no lake at {lake.root}",
            found="no such folder",
            expected="the folder of a lake",
            do="Name another with --root, or run `lakehouse run` to make one.",
        )
    findings, current = _pointer(lake)
    unreadable, manifests = _manifests(lake)
    findings += unreadable
    broken: set[tuple[str, int]] = set()
    for name, versions in sorted(_versions(lake, manifests).items()):
        for fault, versions_with_it in _faults(lake, name, versions).items():
            findings.append(Finding(name, f"{fault} ({_listed(versions_with_it)})"))
            broken |= {(name, version) for version in versions_with_it}
    whole = [manifest.run_id for manifest in manifests if not broken.intersection(manifest.versions.items())]
    earlier = [run_id for run_id in whole if current is None or run_id < current.run_id]
    return Report(findings + _unpublished(lake, current) + _drafts(lake), earlier[-1] if earlier else None)


def _pointer(lake: Lake) -> tuple[list[Finding], Manifest | None]:
    try:
        current = lake.current()
    except BrokenLakeError as error:
        return [Finding(CURRENT, str(error))], None
    manifests = {path.stem for path in (lake.root / MANIFESTS).glob("*.json")}
    if current is None and manifests:
        # A second manifest is written only when the first is published.
        if len(manifests) == 1 and not manifests & _recorded_as_published(lake):
            found = "is not there yet: the first run was killed just before it was published"
            return [Finding(CURRENT, found, is_broken=False)], None
        return [Finding(CURRENT, "is gone, though runs were published")], None
    return [], current


def _recorded_as_published(lake: Lake) -> set[str]:
    with suppress(BrokenLakeError):
        if lake.head(RUNS.name):
            runs = delta.arrow(lake, RUNS.name).select(["run_id", "status"]).to_pylist()
            return {run["run_id"] for run in runs if run["status"] == "published"}
    return set()


def _manifests(lake: Lake) -> tuple[list[Finding], list[Manifest]]:
    findings, readable = [], []
    for path in sorted((lake.root / MANIFESTS).glob("*.json")):
        try:
            readable.append(Manifest.read(path))
        except BrokenLakeError as error:
            findings.append(Finding(f"{MANIFESTS}/{path.name}", str(error)))
    # What a rollback withdrew, or shows a customer who was forgotten since, is not shown again.
    return findings, [one for one in readable if not one.withdrawn and erasure_after(lake, one.published_at) is None]


def _versions(lake: Lake, manifests: list[Manifest]) -> dict[str, set[int]]:
    """Return the versions of each table that must be readable: those of the manifests, and the newest."""
    versions: dict[str, set[int]] = defaultdict(set)
    for manifest in manifests:
        for name, version in manifest.versions.items():
            versions[name].add(version)
    for name in lake.tables():
        versions[name].add(max(_commits(lake, name), default=0))
    return versions


def _commits(lake: Lake, name: str) -> list[int]:
    return [int(path.stem) for path in (lake.table_path(name) / "_delta_log").glob("[0-9]" * 20 + ".json")]


def _faults(lake: Lake, name: str, versions: Iterable[int]) -> dict[str, list[int]]:
    """Return what is wrong with the table, and with which of the versions."""
    faults: dict[str, list[int]] = defaultdict(list)
    look = cache(_fault_of_file)
    for version in sorted(versions):
        # In files that upkeep has put together, if it did: the version's own may be gone by then.
        alike = lake.newest_alike(name, version)
        try:
            actions = pa.table(DeltaTable(str(lake.table_path(name).resolve()), version=alike).get_add_actions())
        except (DeltaError, OSError, ValueError) as error:
            faults[f"its log cannot be read: {str(error).splitlines()[0]}"].append(version)
            continue
        for path, size in zip(actions["path"].to_pylist(), actions["size_bytes"].to_pylist(), strict=True):
            fault = look(lake.table_path(name) / unquote(path), size)
            if fault:
                faults[f"{unquote(path)} {fault}"].append(version)
    return faults


def _fault_of_file(path: Path, size: int) -> str | None:
    if not path.is_file():
        return "is gone"
    if path.stat().st_size != size:
        return f"has {path.stat().st_size:,} bytes, its log says {size:,}"
    try:
        pq.read_metadata(path)
    except (pa.ArrowException, OSError) as error:
        return f"is no readable Parquet file: {str(error).splitlines()[0]}"
    return None


def _listed(versions: Iterable[int]) -> str:
    numbers = list(map(str, versions))
    return f"version{'s' * (len(numbers) > 1)} {', '.join(numbers)}"


def _unpublished(lake: Lake, current: Manifest | None) -> list[Finding]:
    """Name what a run wrote and did not publish: it may have been killed, or its checks have failed."""
    findings = []
    for name, version in (current.versions if current else {}).items():
        newer = [commit for commit in _commits(lake, name) if commit > lake.newest_alike(name, version)]
        if newer:
            found = f"version {max(newer)} is not published, version {version} is"
            findings.append(Finding(name, found, is_broken=False))
    return findings


def _drafts(lake: Lake) -> list[Finding]:
    drafts = sorted(path for pattern in DRAFTS for path in lake.root.rglob(pattern))
    return [
        Finding(str(path.relative_to(lake.root)), "was left by a writer that was killed", is_broken=False)
        for path in drafts
    ]
