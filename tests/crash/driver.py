"""The real command over the small graph, which stops at a named boundary until it is killed or told to go on.

python -m tests.crash.driver BOUNDARY SIGNAL ingest FOLDER --root ROOT

At the boundary the file SIGNAL is made; the process goes on when it is gone again. Without a boundary, "-", nothing stops.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, Literal

from lakehouse import ops, publish, runner, spark_writer
from lakehouse.cli import app, run_and_leave
from lakehouse.commands import building, look, work
from lakehouse.ingest import delivery
from lakehouse.lake import CURRENT
from tests.crash import graph


@dataclass(frozen=True)
class Boundary:
    """A moment of a run: before or after the so-many-th call of a function."""

    owner: ModuleType | type
    name: str
    when: Literal["before", "after"]
    call: int = 1
    #: Only calls with such an argument count.
    about: Callable[..., bool] = lambda *_: True


BOUNDARIES = {
    "the lock is taken": Boundary(runner, "Run", "before"),
    "the files are read": Boundary(delivery, "_append_all", "before"),
    "a file is received": Boundary(delivery, "_append", "after"),
    "all files are received": Boundary(runner, "_receive", "after"),
    "a table is computed": Boundary(spark_writer, "replace", "before"),
    "the files of a table are written": Boundary(spark_writer, "_write", "after"),
    "a table is declared anew": Boundary(spark_writer, "_create", "after"),
    "a table is written": Boundary(spark_writer, "replace", "after"),
    "two tables are written": Boundary(spark_writer, "replace", "after", 2),
    "the last table is written": Boundary(spark_writer, "replace", "after", 4),
    "a table is audited": Boundary(runner, "_audited", "after"),
    "all tables are audited": Boundary(runner, "audit_across_tables", "after"),
    "the manifest is due": Boundary(runner, "publish", "before"),
    "the manifest is written": Boundary(publish, "_point_to", "before"),
    "the pointer is about to be replaced": Boundary(Path, "replace", "before", about=lambda _, to: to.name == CURRENT),
    "the pointer is replaced": Boundary(publish, "_point_to", "after"),
    "the run is recorded in part": Boundary(ops, "append", "after"),
    "the run is recorded": Boundary(runner, "record", "after"),
    "the files are accounted for": Boundary(building, "account", "after"),
    "an export is about to be replaced": Boundary(Path, "replace", "before", about=lambda _, to: to.suffix == ".csv"),
    "the exports are written": Boundary(building, "write_exports", "after"),
}


def main() -> None:
    boundary, signal, *arguments = sys.argv[1:]
    use_small_graph()
    if boundary in BOUNDARIES:
        _stop_at(BOUNDARIES[boundary], Path(signal))
    sys.argv = ["lakehouse", *arguments]
    run_and_leave(app)


def use_small_graph(patch: Callable[[Any, str, Any], None] = setattr) -> None:
    """Let the commands know the small graph alone; it has none of the headlines."""
    for commands in (building, look, work):
        patch(commands, "jobs", graph.jobs)
    patch(look, "job", lambda name: graph.jobs()[name])
    patch(building, "headlines", lambda _lake: {})


def _stop_at(boundary: Boundary, signal: Path) -> None:
    original, calls = getattr(boundary.owner, boundary.name), iter(range(1, 1_000_000))

    def stopping(*arguments: Any, **options: Any) -> Any:
        is_due = boundary.about(*arguments) and next(calls) == boundary.call
        if is_due and boundary.when == "before":
            _pause(signal)
        result = original(*arguments, **options)
        if is_due and boundary.when == "after":
            _pause(signal)
        return result

    setattr(boundary.owner, boundary.name, stopping)


def _pause(signal: Path) -> None:
    draft, parent = signal.with_suffix(".new"), os.getppid()
    draft.write_text(str(os.getpid()))
    draft.replace(signal)
    # Nobody would tell it to go on once the test itself was killed.
    while signal.exists() and os.getppid() == parent:
        time.sleep(0.02)


if __name__ == "__main__":
    main()
