"""kill -9 at every boundary of a run: readers go on seeing a published run, and the next run makes good what was lost."""

from __future__ import annotations

import hashlib
import re
import shutil
import time

import pytest

from lakehouse.fsck import fsck
from lakehouse.lake import Lake
from lakehouse.lock import writer_lock
from lakehouse.reader import published
from tests.crash.conftest import assert_made_good, command, files, rows, without_ops
from tests.crash.driver import BOUNDARIES, use_small_graph
from tests.crash.process import DEADLINE_SECONDS, KILLS, driver, kill_all, wait_until_stopped

NAMES = list(BOUNDARIES)
WITH_A_JVM = NAMES[NAMES.index("a table is computed") :]
WITHOUT_A_JVM_AGAIN = NAMES[NAMES.index("all tables are audited") :]
PUBLISHED = NAMES[NAMES.index("the pointer is replaced") :]
BY_PYTHON_ALONE = ("a table is computed", "a table is written")
RANDOM_MOMENTS, SEED = 30, 11
IN_A_FIRST_RUN = ("the lock is taken", "a file is received", "a table is written", "the manifest is written")
IN_SHORT = ("a file is received", "all")
MATRIX = [
    pytest.param(boundary, kill, marks=() if (boundary, kill) == IN_SHORT else pytest.mark.soak)
    for boundary in BOUNDARIES
    for kill in KILLS
    if boundary in {"all": NAMES, "jvm": WITH_A_JVM, "python": BY_PYTHON_ALONE}[kill]
]


@pytest.mark.usefixtures("small_graph")
@pytest.mark.parametrize(("boundary", "kill"), MATRIX)
def test_a_run_that_is_killed_loses_nothing(case, root, tmp_path, boundary, kill):
    stopped = tmp_path / "stopped"
    with driver(boundary, stopped, *case.command(root)) as process:
        wait_until_stopped(process, stopped)
        KILLS[kill](process)
        assert rows(published(root)) == (without_ops(case.after) if boundary in PUBLISHED else case.before)
        stopped.unlink()
        told = process.communicate(timeout=DEADLINE_SECONDS)[1]
    if kill == "jvm":
        assert_it_was_told(process.returncode, told, boundary)
    assert_whole(root)
    assert_made_good(case, root)


@pytest.fixture(scope="module")
def first_rows(case, tmp_path_factory):
    """What the first run of a lake publishes if nobody kills it."""
    root = tmp_path_factory.mktemp("first") / "lake"
    with pytest.MonkeyPatch.context() as patch:
        use_small_graph(patch.setattr)
        command(*case.first_command(root))
    return rows(published(root)) | files(root)


@pytest.mark.soak
@pytest.mark.usefixtures("small_graph")
@pytest.mark.parametrize("boundary", IN_A_FIRST_RUN)
def test_a_first_run_that_is_killed_publishes_nothing_and_the_next_one_everything(case, first_rows, tmp_path, boundary):
    root, stopped = tmp_path / "lake", tmp_path / "stopped"
    with driver(boundary, stopped, *case.first_command(root)) as process:
        wait_until_stopped(process, stopped)
        kill_all(process)
    assert Lake(root).current() is None
    assert_whole(root)
    command(*case.first_command(root))
    assert rows(published(root)) | files(root) == first_rows


@pytest.mark.soak
@pytest.mark.usefixtures("small_graph")
@pytest.mark.parametrize("boundary", ["the manifest is written", "the pointer is about to be replaced"])
def test_a_rollback_that_is_killed_has_not_happened_and_can_be_repeated(case, root, tmp_path, boundary):
    command(*case.command(root))
    with driver(boundary, tmp_path / "stopped", "rollback", "--root", str(root)) as process:
        wait_until_stopped(process, tmp_path / "stopped")
        kill_all(process)
    assert rows(published(root)) == without_ops(case.after)
    assert_whole(root)
    command("rollback", "--root", root)
    assert rows(published(root)) == case.before


@pytest.fixture(scope="module")
def undisturbed_seconds(case, tmp_path_factory):
    """How long a run takes that nobody kills."""
    folder = tmp_path_factory.mktemp("timed")
    shutil.copytree(case.root, folder / "lake")
    started = time.monotonic()
    with driver("-", folder / "stopped", *case.command(folder / "lake")) as process:
        told = process.communicate(timeout=DEADLINE_SECONDS)
    assert process.returncode == 0, told
    return time.monotonic() - started


@pytest.mark.soak
@pytest.mark.usefixtures("small_graph")
@pytest.mark.parametrize("number", range(RANDOM_MOMENTS))
def test_a_run_that_is_killed_at_any_moment_loses_nothing(case, root, tmp_path, undisturbed_seconds, number):
    kill = list(KILLS)[number % len(KILLS)]
    with driver("-", tmp_path / "stopped", *case.command(root)) as process:
        time.sleep(share_of_the_run(number) * undisturbed_seconds)
        KILLS[kill](process)
        assert rows(published(root)) in (case.before, without_ops(case.after))
        process.communicate(timeout=DEADLINE_SECONDS)
    assert rows(published(root)) in (case.before, without_ops(case.after))
    assert_whole(root)
    assert_made_good(case, root)


def share_of_the_run(number):
    return int.from_bytes(hashlib.sha256(f"{SEED} {number}".encode()).digest()[:4]) / 2**32


def assert_it_was_told(code, told, boundary):
    """Without its JVM a run fails with one paragraph, as long as it needs one; from then on it does not notice."""
    if boundary in WITHOUT_A_JVM_AGAIN:
        assert (code, told) == (0, "")
    else:
        assert code == 1
        assert re.fullmatch(r"✘ .+ failed: found no JVM any more.+\n", told), told


def assert_whole(root):
    assert not fsck(Lake(root)).is_broken
    with writer_lock(root):
        pass
