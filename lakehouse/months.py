"""The months of a table that have to be computed anew, known exactly from what changed in the versions it is made from.

Every commit of a table that is kept by month says what its months were computed from: its ``basis``. Only months of the
published version are taken over, since those alone have passed the checks.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from lakehouse import delta, fingerprint
from lakehouse.config import LakeConfig
from lakehouse.lake import Lake
from lakehouse.registry import Job
from lakehouse.settings import Settings


def basis(
    job: Job, jobs: Mapping[str, Job], lake: Lake, settings: Settings, config: LakeConfig
) -> dict[str, Any] | None:
    """Return what the months of ``job`` are computed from over the newest versions, or None if it has no months.

    ``whole`` is the hash of what concerns every month: code, settings, declaration, the inputs that are not kept by
    month. ``as_of`` and the identities of the other ``inputs`` concern some months only.
    """
    if job.table.by_month is None:
        return None
    heads = {name: lake.head(name) for name in job.table.inputs.values()}
    identities = {name: head.identity if head else None for name, head in heads.items()}
    inputs = {name: identity for name, identity in identities.items() if jobs[name].table.by_month}
    used = {name: getattr(settings, name) for name in job.table.settings if name != "as_of"}
    of_rest = {name: identity for name, identity in identities.items() if name not in inputs}
    whole = [fingerprint.of_job(job.path, used, of_rest), delta.declaration(job.table, config)]
    as_of = settings.as_of.isoformat() if "as_of" in job.table.settings else None
    return {"whole": fingerprint.digest(whole), "as_of": as_of, "inputs": inputs}


def due_months(job: Job, jobs: Mapping[str, Job], lake: Lake, now: Mapping[str, Any] | None) -> frozenset[date] | None:
    """Return the months of ``job`` that differ by the basis ``now`` from its published version; None if all may."""
    head, published = lake.head(job.name), lake.readable_current()
    then = head.metadata.get("basis") if head else None
    if now is None or then is None or head is None or published is None:
        return None
    if published.versions.get(job.name) != head.version or then["whole"] != now["whole"]:
        return None
    due = _between(then["as_of"], now["as_of"])
    for name, identity in now["inputs"].items():
        changed = _changed(lake, name, str(jobs[name].table.by_month), then["inputs"][name], identity)
        if changed is None:
            return None
        due |= changed
    return frozenset(due)


def _between(then: str | None, now: str | None) -> set[date]:
    """Return the months with days that only one of the two as-of days is not before."""
    if then is None or now is None or then == now:
        return set()
    first, last = sorted((date.fromisoformat(then), date.fromisoformat(now)))
    days = ((first + timedelta(days=ahead)) for ahead in range(1, (last - first).days + 1))
    return {day.replace(day=1) for day in days}


def _changed(lake: Lake, name: str, by_month: str, since: str | None, until: str | None) -> set[date] | None:
    """Return the months of which files came or went between two versions; None if the log cannot tell."""
    months: set[date] = set()
    if since == until:
        return months
    for head in lake.heads(name):
        if head.identity == since:
            return months
        for values in _partitions(lake.commit(name, head.version)):
            if values is None or by_month not in values:
                return None
            # Rows without a month are in none.
            months |= {date.fromisoformat(month) for month in [values[by_month]] if month}
    return None


def _partitions(commit: Path) -> Iterator[Mapping[str, str | None] | None]:
    """Yield the partition of each file that a commit added or removed, and None for a change of the whole table."""
    with commit.open(encoding="utf-8") as lines:
        for line in lines:
            action = json.loads(line)
            if "metaData" in action:
                yield None
            for kind in action.keys() & {"add", "remove"}:
                yield action[kind].get("partitionValues")
