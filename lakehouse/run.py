"""The state of one run: what it was given, and what has become of it so far."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Literal, Protocol

from lakehouse.audit import Result
from lakehouse.config import Config
from lakehouse.lake import MANIFESTS, Lake
from lakehouse.manifest import Manifest
from lakehouse.registry import Job

MOMENT = "%Y%m%dT%H%M%S%fZ"


@dataclass(frozen=True)
class Step:
    """One job of a run and what became of it."""

    table_name: str
    status: Literal["done", "skipped", "failed"]
    duration_seconds: float = 0.0
    rows: int | None = None
    version: int | None = None
    fingerprint: str | None = None


class Reporter(Protocol):
    """Hears of a run's progress."""

    def started(self, name: str) -> None:
        """Hear that a job has started."""

    def finished(self, step: Step) -> None:
        """Hear that a job was done, skipped or failed."""


def _new_run_id(lake: Lake) -> str:
    """Return an id that sorts by time, and after every known run even where the clock was set back."""
    moment = max([datetime.now(UTC), *(known + timedelta(microseconds=1) for known in _known_moments(lake))])
    return f"{moment:{MOMENT}}-{secrets.token_hex(3)}"


def _known_moments(lake: Lake) -> Iterator[datetime]:
    recorded = lake.head("ops.runs")
    ids = [str(recorded.metadata.get("run_id"))] if recorded else []
    for run_id in ids + [path.stem for path in (lake.root / MANIFESTS).glob("*.json")]:
        with suppress(ValueError):
            yield datetime.strptime(run_id.partition("-")[0], MOMENT).replace(tzinfo=UTC)


@dataclass
class Run:
    """One run over a lake: what it was given, and what has become of it so far."""

    lake: Lake
    config: Config
    jobs: dict[str, Job]
    reporter: Reporter
    run_id: str = field(init=False)
    started_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    as_of: date | None = None
    steps: list[Step] = field(default_factory=list)
    results: list[Result] = field(default_factory=list)
    status: Literal["published", "unchanged", "kept", "checked", "failed"] = "failed"
    message: str | None = None
    manifest: Manifest | None = None
    restated: int = 0

    def __post_init__(self) -> None:
        """Name the run."""
        self.run_id = _new_run_id(self.lake)
