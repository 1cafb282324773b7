"""A lake on disk: where its tables lie, what the newest version of each is, and which versions are published.

Everything here reads Delta's log as the JSON that it is, so that deciding what to do needs no JVM.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lakehouse.errors import BrokenLakeError
from lakehouse.manifest import Manifest

CURRENT = "CURRENT"
MANIFESTS = "_manifests"
TRUTH = "_truth"
# Files on their way into the bronze tables.
STAGING = "_staging"


@dataclass(frozen=True)
class Head:
    """A version of a table: its number, what its writer recorded beside it, and its rows if the commit wrote them all."""

    version: int
    metadata: dict[str, Any]
    rows: int | None

    @property
    def identity(self) -> str:
        """What tells this version from every other one, also of a table that was made anew."""
        return f"{self.version}@{self.metadata.get('run_id', '')}"


@dataclass(frozen=True)
class Lake:
    """The lake in the folder ``root``."""

    root: Path

    def table_path(self, name: str) -> Path:
        """Return the folder of the table ``name`` (``layer.table``)."""
        layer, _, short_name = name.partition(".")
        return self.root / layer / short_name

    def tables(self) -> list[str]:
        """Return the names of the tables that lie in the lake, whether declared or not."""
        return sorted(f"{log.parts[-3]}.{log.parts[-2]}" for log in self.root.glob("*/*/_delta_log"))

    def head(self, name: str) -> Head | None:
        """Return the newest version of ``name``, or None if the table does not exist."""
        return next(self.heads(name), None)

    def heads(self, name: str) -> Iterator[Head]:
        """Yield the versions of ``name``, newest first, as far back as its log goes."""
        log = self.table_path(name) / "_delta_log"
        for commit in sorted(log.glob("[0-9]" * 20 + ".json"), reverse=True):
            info = _commit_info(commit)
            if not _is_upkeep(info):
                recorded = _recorded(info)
                yield Head(int(commit.stem), recorded, recorded.get("rows"))

    def first_run(self, name: str) -> str | None:
        """Return the run that made ``name``, "" if its log does not go back so far, or None if there is no table."""
        made = self.commit(name, 0)
        if made.is_file():
            return str(_recorded(_commit_info(made)).get("run_id", ""))
        return "" if self.head(name) else None

    def newest_alike(self, name: str, version: int) -> int:
        """Return the newest version of ``name`` with the same rows as ``version``, in files that were put together."""
        # A damaged commit is no matter for who reads a version before it.
        with suppress(BrokenLakeError):
            while (following := self.commit(name, version + 1)).is_file() and _is_upkeep(_commit_info(following)):
                version += 1
        return version

    def existing(self, name: str) -> Head:
        """Return the newest version of ``name``.

        Raises:
            BrokenLakeError: if the table does not exist.
        """
        head = self.head(name)
        if head is None:
            raise BrokenLakeError(
                f"The lake {self.root} lacks a table",
                found=f"no log in {self.table_path(name)}",
                expected=f"the table {name}",
                do="Put the folder back, or run `lakehouse run --full` to build every table anew.",
            )
        return head

    def current(self) -> Manifest | None:
        """Return the published manifest, or None if nothing has been published.

        Raises:
            BrokenLakeError: if ``CURRENT`` does not lead to a readable manifest.
        """
        pointer = self.root / CURRENT
        if not pointer.exists():
            return None
        try:
            name = pointer.read_bytes().decode(errors="replace").strip()
            target = (self.root / name).resolve()
            is_manifest = target.is_relative_to(self.root.resolve() / MANIFESTS) and target.is_file()
            found = f"{CURRENT} naming {name!r}"
        except (OSError, ValueError) as error:
            is_manifest, found = False, f"{CURRENT}, which cannot be read: {error}"
        if not is_manifest:
            raise BrokenLakeError(
                f"The lake {self.root} has no readable published run",
                found=found,
                expected=f"the name of a file in {MANIFESTS}/",
                do="Run `lakehouse run` to publish the newest tables, or `lakehouse rollback` for the last run that can be read.",
            )
        return Manifest.read(target)

    def readable_current(self) -> Manifest | None:
        """Return the published manifest, or None if there is none that can be read: who writes then publishes anew."""
        try:
            return self.current()
        except BrokenLakeError:
            return None

    def published(self) -> Manifest:
        """Return the published manifest.

        Raises:
            BrokenLakeError: if there is none, or if a table is not where the manifest says.
        """
        manifest = self.current()
        if manifest is None:
            raise BrokenLakeError(
                f"The lake {self.root} has nothing to show",
                found="no published run" if self.root.is_dir() else "no such folder",
                expected="a run that passed its checks",
                do="Run `lakehouse run` first, or name another lake with --root.",
            )
        missing = [name for name in manifest.tables if not self.has_version(name, manifest.tables[name].version)]
        if missing:
            raise BrokenLakeError(
                f"The lake {self.root} lacks tables that its published run {manifest.run_id} names",
                found=f"no readable version of {', '.join(missing)}",
                expected="every table at the version that the run names",
                do="Put the folders back, or run `lakehouse run --full` to build every table anew.",
            )
        return manifest

    def commit(self, name: str, version: int) -> Path:
        """Return the file of the log of ``name`` that made ``version``."""
        return self.table_path(name) / "_delta_log" / f"{version:020}.json"

    def has_version(self, name: str, version: int) -> bool:
        """Say whether the log of ``name`` still holds ``version``, as a commit or in a checkpoint."""
        commit = self.commit(name, version)
        return commit.is_file() or any(commit.parent.glob(f"{commit.stem}.checkpoint*.parquet"))

    def manifests(self) -> list[Manifest]:
        """Return all published manifests that are kept and can be read, oldest first."""
        readable = []
        for path in sorted((self.root / MANIFESTS).glob("*.json")):
            with suppress(BrokenLakeError):
                readable.append(Manifest.read(path))
        return readable


def _is_upkeep(info: dict[str, Any]) -> bool:
    """Say whether a commit only put files together or took away those that no version needs: no version of the data."""
    return str(info.get("operation", "")).startswith(("OPTIMIZE", "VACUUM"))


def _commit_info(commit: Path) -> dict[str, Any]:
    found = "no commitInfo"
    try:
        with commit.open(encoding="utf-8") as lines:
            for line in lines:
                action = json.loads(line)
                if "commitInfo" in action:
                    return dict(action["commitInfo"])
    except (OSError, ValueError) as error:
        found = str(error)
    raise BrokenLakeError(
        f"The log of a table cannot be read: {commit}",
        found=found,
        expected="the lines of JSON that a commit writes",
        do=f"Put the file back, or remove {commit.parents[1]} and run `lakehouse run`, which makes the table anew.",
    )


def _recorded(info: dict[str, Any]) -> dict[str, Any]:
    try:
        recorded = json.loads(info.get("userMetadata", "{}"))
    except json.JSONDecodeError:
        return {}
    return recorded if isinstance(recorded, dict) else {}
