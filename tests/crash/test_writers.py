"""Two processes that write at once lose nothing, as long as each takes the lock."""

from __future__ import annotations

import shutil

from lakehouse import delta
from lakehouse.lake import Lake
from tests.benchmarks.writers import NUMBERS, WRITERS, committed, race
from tests.crash.process import driver, wait_until_stopped

COMMITS = 40


def test_no_commit_of_two_writers_is_lost(tmp_path):
    lake = Lake(tmp_path)
    outcome = race("with the lock, delta-rs appends", lake.root, COMMITS)
    wanted = {(writer, number) for writer in WRITERS for number in range(COMMITS // 2)}
    assert outcome.told == wanted
    assert (outcome.lost, outcome.refused) == (0, 0)
    rows = [(row["writer"], row["number"]) for row in delta.arrow(lake, NUMBERS.name).to_pylist()]
    assert sorted(rows) == sorted([*wanted, ("nobody", 0)])
    assert lake.existing(NUMBERS.name).version == COMMITS

    # What two renames to one name do: a commit that was told to stand holds the other writer's.
    log = lake.table_path(NUMBERS.name) / "_delta_log"
    shutil.copy(log / f"{7:020}.json", log / f"{8:020}.json")
    assert len(wanted - committed(lake)) == 1


def test_a_second_run_without_wait_ends_with_75_and_a_sentence(case, root, tmp_path):
    stopped = tmp_path / "stopped"
    with driver("the files are read", stopped, *case.command(root)) as first:
        wait_until_stopped(first, stopped)
        with driver("-", stopped, *case.command(root)) as second:
            told = second.communicate()[1]
    assert second.returncode == 75
    assert told.startswith(f"✘ The lake {root} is busy: found a process that writes to it; expected one writer")
    assert told.count("\n") == 1
