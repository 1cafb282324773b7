"""A lake of the small graph with one published run, what the next delivery makes of it undisturbed, and how to look."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from lakehouse import delta
from lakehouse.cli import app
from lakehouse.commands import building
from lakehouse.fsck import fsck
from lakehouse.lake import Lake
from lakehouse.ops import BATCHES
from lakehouse.reader import Published, published
from tests.crash import graph
from tests.crash.driver import use_small_graph

Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class Case:
    """A lake, the command that is disturbed in it, and what an undisturbed one publishes."""

    root: Path
    first: Path
    second: Path
    before: dict[str, Rows]
    after: dict[str, Rows]
    exports: dict[str, bytes]

    def first_command(self, root: Path) -> list[str]:
        return ["ingest", str(self.first), "--root", str(root)]

    def command(self, root: Path) -> list[str]:
        return ["ingest", str(self.second), "--replace", "--root", str(root)]


@pytest.fixture
def small_graph(monkeypatch):
    """Let the commands of this process build the small graph."""
    use_small_graph(monkeypatch.setattr)


@pytest.fixture(scope="session")
def case(spark, tmp_path_factory):  # noqa: ARG001 - its session
    folder = tmp_path_factory.mktemp("crash")
    first, second = graph.first_delivery(folder / "first"), graph.second_delivery(folder / "second")
    with pytest.MonkeyPatch.context() as patch:
        use_small_graph(patch.setattr)
        patch.setattr(building, "jobs", graph.earlier_jobs)
        command("ingest", first, "--root", folder / "lake")
        patch.setattr(building, "jobs", graph.jobs)
        shutil.copytree(folder / "lake", folder / "undisturbed")
        command("ingest", second, "--replace", "--root", folder / "undisturbed")
    before, after = (rows(published(folder / name)) for name in ("lake", "undisturbed"))
    assert len(after) == len(before) + 1 == 6
    assert all(after.values())
    assert {name for name in before if before[name] != after[name]} == set(before)
    undisturbed = folder / "undisturbed"
    return Case(folder / "lake", first, second, before, after | files(undisturbed), exports(undisturbed))


@pytest.fixture
def root(case, tmp_path):
    """The root of a copy of the lake."""
    return Path(shutil.copytree(case.root, tmp_path / "lake"))


def command(*arguments):
    """Run the command in this process, and in its session."""
    done = CliRunner().invoke(app, [*map(str, arguments)], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def rows(run: Published) -> dict[str, Rows]:
    """Return what readers see: every table's rows, without the columns that depend on the run."""
    return {name: _sorted(delta.arrow(run.lake, name, run.version(name))) for name in run.tables}


def files(root: Path) -> dict[str, Rows]:
    """Return what is recorded of the files that were received."""
    return {BATCHES.name: _sorted(delta.arrow(published(root).lake, BATCHES.name).drop_columns("run_id"))}


def exports(root: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (root / "exports").glob("*.csv")}


def without_ops(tables: dict[str, Rows]) -> dict[str, Rows]:
    return {name: of_table for name, of_table in tables.items() if not name.startswith("ops.")}


def assert_made_good(case: Case, root: Path) -> None:
    """Run the command once more: nothing of what an undisturbed lake holds is missing, and nothing is there twice."""
    command(*case.command(root))
    assert rows(published(root)) | files(root) == case.after
    assert exports(root) == case.exports
    assert not fsck(Lake(root)).is_broken


def _sorted(data) -> Rows:
    told = data.select([name for name in data.column_names if not name.startswith("_")])
    return sorted(told.to_pylist(), key=repr)
