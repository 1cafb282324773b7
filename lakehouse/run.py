"""The state of one run: what it was given, and what has become of it so far."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Literal, Protocol

from lakehouse.audit import Result
from lakehouse.config import Config
from lakehouse.lake import Lake
from lakehouse.manifest import Manifest
from lakehouse.registry import Job


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


def _new_run_id() -> str:
    # Sorts by time.
    return f"{datetime.now(UTC):%Y%m%dT%H%M%S%fZ}-{secrets.token_hex(3)}"


@dataclass
class Run:
    """One run over a lake: what it was given, and what has become of it so far."""

    lake: Lake
    config: Config
    jobs: dict[str, Job]
    reporter: Reporter
    run_id: str = field(default_factory=_new_run_id)
    started_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    as_of: date | None = None
    steps: list[Step] = field(default_factory=list)
    results: list[Result] = field(default_factory=list)
    status: Literal["published", "unchanged", "kept", "checked", "failed"] = "failed"
    message: str | None = None
    manifest: Manifest | None = None
