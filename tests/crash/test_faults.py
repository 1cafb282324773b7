"""A disk that is full or partly read-only, files that are damaged, a clock that goes back: it is said, and nothing is lost."""

from __future__ import annotations

import shutil
import subprocess
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
from typer.testing import CliRunner

from lakehouse import delta, publish, run
from lakehouse.cli import app
from lakehouse.failures import as_paragraph
from lakehouse.fsck import fsck
from lakehouse.lake import Lake
from lakehouse.ops import RUNS
from lakehouse.reader import published
from tests.crash.conftest import assert_made_good, command, exports, files, rows, without_ops

pytestmark = [pytest.mark.soak, pytest.mark.usefixtures("small_graph")]

PAGE = 4096
ROOM_IN_PAGES = (0, 2, 8, 16, 32, 48, 64, 96, 128, 192)


@pytest.fixture
def mount():
    """Mount something on a folder, for as long as a block lasts."""

    @contextmanager
    def mounted(folder, *options):
        if subprocess.run(["mount", *options, folder], check=False, capture_output=True).returncode:
            pytest.skip("this user may not mount a disk")
        try:
            yield
        finally:
            subprocess.run(["umount", "--lazy", folder], check=True)

    return mounted


def failure(*arguments):
    """Run a command that fails, and return its exit code and what it says."""
    done = CliRunner().invoke(app, [*map(str, arguments)])
    assert done.exit_code != 0, done.output
    if isinstance(done.exception, SystemExit):
        return done.exit_code, done.output
    told = as_paragraph(done.exception, "The command failed")
    return told.exit_code, str(told)


def test_wherever_a_run_finds_the_disk_full_it_says_so_and_the_next_one_loses_nothing(case, tmp_path, mount):
    disk = tmp_path / "disk"
    disk.mkdir()
    with mount(disk, "-t", "tmpfs", "-o", "size=16m", "tmpfs"):
        failed = [failure_with_room(case, disk, pages) for pages in ROOM_IN_PAGES]
    assert len(set(failed)) > 3, failed
    assert failed[-1] is None


def failure_with_room(case, disk, pages):
    root, filler = disk / "lake", disk / "filler"
    shutil.copytree(case.root, root)
    filler.write_bytes(bytes(shutil.disk_usage(disk).free - pages * PAGE))
    done = CliRunner().invoke(app, case.command(root))
    told = as_paragraph(done.exception, "The command failed") if done.exception else None
    if told:
        assert told.exit_code == 1
        assert "found a full disk" in str(told)
        assert rows(published(root)) in (case.before, without_ops(case.after))
    assert not fsck(Lake(root)).is_broken
    filler.unlink()
    assert_made_good(case, root)
    shutil.rmtree(root)
    return str(told).partition(":")[0] if told else None


def test_a_folder_that_is_read_only_is_said_and_nothing_published_changes(case, root, mount):
    folder = root / "silver" / "customers"
    with mount(folder, "--bind", str(folder)):
        subprocess.run(["mount", "-o", "remount,bind,ro", folder], check=True)
        code, told = failure(*case.command(root))
    assert code == 1
    assert told.startswith("The job of silver.customers failed: found a read-only file system"), told
    assert rows(published(root)) == case.before
    last = max(delta.arrow(Lake(root), RUNS.name).to_pylist(), key=lambda run: run["run_id"])
    assert (last["status"], last["message"]) == ("failed", told)
    assert_made_good(case, root)


@pytest.fixture
def two_runs(case, root):
    command(*case.command(root))
    return Lake(root)


def newest_file(lake, name):
    head = lake.existing(name).version
    return min(set(delta.files(lake, name, head)) - set(delta.files(lake, name, 0)))


def newest_commit(lake, name):
    return lake.table_path(name) / "_delta_log" / f"{lake.existing(name).version:020}.json"


def shorten(path):
    path.write_bytes(path.read_bytes()[:-9])


DAMAGE = {
    "a data file is short": ("silver.customers", lambda lake, name: shorten(newest_file(lake, name))),
    "a data file is gone": ("silver.usage_monthly", lambda lake, name: newest_file(lake, name).unlink()),
    "a log is short": ("silver.customers", lambda lake, name: shorten(newest_commit(lake, name))),
    "a received file is gone": ("bronze.usage_events", lambda lake, name: newest_file(lake, name).unlink()),
    "a received log is short": ("bronze.subscriptions", lambda lake, name: shorten(newest_commit(lake, name))),
}


@pytest.mark.parametrize(("name", "damage"), DAMAGE.values(), ids=DAMAGE)
def test_damage_is_told_a_rollback_shows_the_run_before_and_what_was_lost_comes_again(case, two_runs, name, damage):
    lake, root = two_runs, two_runs.root
    damage(lake, name)
    current = lake.current()
    code, told = failure("show", name, "--root", root)
    assert (code, "`lakehouse fsck`" in told) == (4, True), told
    assert told.startswith(f"The table {name} cannot be read")
    if name.startswith("bronze."):
        code, told = failure("run", "--full", "--root", root)
        assert code == 4, told
    assert lake.current() == current

    code, told = failure("fsck", "--root", root)
    assert code == 4
    assert f"✘ {name}: " in told
    command("rollback", fsck(lake).whole_run, "--root", root)
    assert rows(published(root)) == case.before

    # Computed tables are made anew; received ones from the files, one delivery after the other.
    shutil.rmtree(lake.table_path(name))
    if name.startswith("bronze."):
        command("ingest", case.first, "--replace", "--root", root)
    command(*case.command(root))
    assert rows(published(root)) == without_ops(case.after)
    assert exports(root) == case.exports
    assert not fsck(lake).is_broken


def test_a_run_whose_clock_was_set_back_is_published_after_the_earlier_ones(case, root, monkeypatch):
    class Earlier(datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime.now(tz) - timedelta(days=400)

    before = published(root).manifest
    for module in (run, publish):
        monkeypatch.setattr(module, "datetime", Earlier)
    command(*case.command(root))
    after = published(root).manifest
    assert before.run_id < after.run_id
    assert after.published_at < datetime.now(UTC) - timedelta(days=399)
    assert rows(published(root)) | files(root) == case.after
    assert not fsck(Lake(root)).is_broken
    command("rollback", "--root", root)
    assert published(root).manifest == before
