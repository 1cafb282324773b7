"""The jobs that exist, found by their place: ``jobs/<layer>/<table>.py`` declares a table and how it is computed."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType

from pyspark.sql import DataFrame

from lakehouse.errors import UsageError
from lakehouse.fingerprint import PACKAGES
from lakehouse.project import CODE, PROJECT
from lakehouse.table import Table

LAYERS = ("bronze", "silver", "gold")


@dataclass(frozen=True)
class Job:
    """A table with the file that declares it; ``transform`` is None for what is received, or recorded by the run."""

    table: Table
    transform: Callable[..., DataFrame] | None
    path: Path

    @property
    def name(self) -> str:
        """The table's name."""
        return self.table.name

    @property
    def is_received(self) -> bool:
        """Whether its rows come from outside: a bronze table."""
        return self.table.layer == "bronze"

    @property
    def is_recorded(self) -> bool:
        """Whether the run itself writes its rows, of what it publishes."""
        return self.transform is None and not self.is_received


@cache
def jobs() -> Mapping[str, Job]:
    """Return every job by its table's name, bronze first, in order of name.

    Raises:
        UsageError: if a file declares another table than its name says, or the code that runs is not the project's.
    """
    _require_code_of(PROJECT)
    found = [_job(f"jobs.{layer}.{path.stem}") for layer in LAYERS for path in _files(layer)]
    return {job.name: job for job in found}


def job(name: str) -> Job:
    """Return the job of the table ``name``.

    Raises:
        UsageError: if there is none.
    """
    if name not in jobs():
        raise UsageError(
            "The table is not known",
            found=repr(name),
            expected=f"one of {', '.join(jobs())}",
            do="Run `lakehouse tables` for what each of them holds.",
        )
    return jobs()[name]


def _require_code_of(project: Path) -> None:
    """Refuse packages from elsewhere that differ from the project's files, of which fingerprints are taken."""
    files = [] if project == CODE else [path for package in PACKAGES for path in (project / package).rglob("*.py")]
    differing = sorted(
        str(path.relative_to(project)) for path in files if path.read_bytes() != _imported(path, project)
    )
    if differing:
        raise UsageError(
            f"The packages in {CODE} are not those of {project}",
            found=f"other code in {', '.join(differing[:3])}" + (" and more" if len(differing) > 3 else ""),
            expected="the same code in both",
            do="Make the package anew with `make package`, or let LAKEHOUSE_HOME name the checkout that it was made of.",
        )


def _imported(path: Path, project: Path) -> bytes | None:
    """Return the code that an import takes for the project's file ``path``; None if there is none."""
    package, *inner = path.relative_to(project).parts
    try:
        return pkgutil.get_data(package, "/".join(inner))
    except OSError:
        return None


def _files(layer: str) -> list[Path]:
    return [path for path in sorted((PROJECT / "jobs" / layer).glob("*.py")) if not path.stem.startswith("_")]


def _job(module_name: str) -> Job:
    module = importlib.import_module(module_name)
    path = _path_under_project(module)
    table: Table = module.table
    if table.name != f"{path.parent.name}.{path.stem}":
        raise UsageError(
            f"The job file {path} declares another table",
            found=table.name,
            expected=f"{path.parent.name}.{path.stem}",
            do="Rename the file or the table: a table is one file.",
        )
    return Job(table, getattr(module, "transform", None), path)


def _path_under_project(module: ModuleType) -> Path:
    path = Path(str(module.__file__)).resolve()
    # A folder `jobs` beside a started script would stand before the project's own.
    if not path.is_relative_to(CODE):
        raise UsageError(
            "The job files are not the project's own",
            found=str(path),
            expected=f"a file under {CODE}",
            do="Start the command from another folder, or rename the `jobs` folder that stands in the way.",
        )
    return PROJECT / path.relative_to(CODE)
