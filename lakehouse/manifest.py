"""The manifest of a published run: which versions of which tables belong together, and what they were made of."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from lakehouse.errors import BrokenLakeError
from lakehouse.files import replacing


class Entry(BaseModel):
    """One table of a manifest: version in Delta's log, rows, and the fingerprint of what it was computed from."""

    model_config = ConfigDict(frozen=True)

    version: int
    rows: int | None
    fingerprint: str


class Quality(BaseModel):
    """Numbers of checks behind a published run: all, those that failed, and those that failed but stop nothing."""

    model_config = ConfigDict(frozen=True)

    checks: int
    failed: int
    warned: int = 0


class Manifest(BaseModel):
    """A published run, immutable once written; ``batch`` is the newest received one, with the generator's seed and size."""

    model_config = ConfigDict(frozen=True)

    run_id: str
    published_at: datetime
    as_of: date
    code: str
    configuration: str
    batch: dict[str, Any]
    tables: dict[str, Entry]
    quality: Quality
    withdrawn: bool = False

    @classmethod
    def read(cls, path: Path) -> Manifest:
        """Read a manifest.

        Raises:
            BrokenLakeError: if it is not one.
        """
        try:
            return cls.model_validate_json(path.read_text(encoding="utf-8"))
        except (ValueError, OSError) as error:
            raise BrokenLakeError(
                f"The manifest {path} cannot be read",
                found=str(error).splitlines()[0],
                expected="the JSON that a run wrote",
                do="Run `lakehouse run` to publish the newest tables, or `lakehouse rollback` for the last run that can be read.",
            ) from error

    def write(self, folder: Path) -> Path:
        """Write the manifest into ``folder`` under its run's name and return its path."""
        path = folder / f"{self.run_id}.json"
        with replacing(path) as draft:
            draft.write_text(self.model_dump_json(indent=2) + "\n", encoding="utf-8")
        return path

    @property
    def versions(self) -> dict[str, int]:
        """The version of each table."""
        return {name: entry.version for name, entry in self.tables.items()}
