"""One writer at a time, and no lock that outlives its holder."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from lakehouse import lock
from lakehouse.cli import app
from lakehouse.errors import LakeBusyError, UsageError

HOLD = """
import sys, time
from pathlib import Path
from lakehouse.lock import writer_lock
with writer_lock(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(float(sys.argv[2]))
"""

HOLD_AS_JVM = """
import fcntl, sys, time
file = open(sys.argv[1], "a")
fcntl.lockf(file, fcntl.LOCK_EX)
print("held", flush=True)
time.sleep(float(sys.argv[2]))
"""


def holder(code, *arguments):
    process = subprocess.Popen([sys.executable, "-c", code, *map(str, arguments)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_a_second_writer_is_told_that_the_lake_is_busy(tmp_path):
    process = holder(HOLD, tmp_path, 60)
    try:
        with pytest.raises(LakeBusyError) as refused, lock.writer_lock(tmp_path):
            pass
        assert refused.value.exit_code == 75
    finally:
        process.kill()
        process.wait()


def test_a_killed_writer_leaves_no_lock_behind(tmp_path):
    process = holder(HOLD, tmp_path, 60)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    with lock.writer_lock(tmp_path):
        pass


def test_a_writer_waits_for_the_jvm_of_a_killed_one(tmp_path):
    (tmp_path / "_lock").mkdir()
    process = holder(HOLD_AS_JVM, tmp_path / lock.JVM, 1.0)
    with lock.writer_lock(tmp_path):
        process.wait(timeout=5)  # its lock is gone, so it is ending


def test_a_jvm_that_goes_on_writing_keeps_the_lake_busy(tmp_path, monkeypatch):
    monkeypatch.setattr(lock, "JVM_GRACE_SECONDS", 0.5)
    (tmp_path / "_lock").mkdir()
    process = holder(HOLD_AS_JVM, tmp_path / lock.JVM, 60)
    try:
        with pytest.raises(LakeBusyError, match="JVM"), lock.writer_lock(tmp_path):
            pass
    finally:
        process.kill()
        process.wait()


def test_the_jvm_of_a_session_holds_its_lock_until_it_lets_go(tmp_path, spark, monkeypatch):
    monkeypatch.setattr(lock, "JVM_GRACE_SECONDS", 0.3)
    (tmp_path / "_lock").mkdir()
    with lock.jvm_lock(spark, tmp_path), pytest.raises(LakeBusyError), lock.writer_lock(tmp_path):
        pass
    with lock.writer_lock(tmp_path):
        pass


def test_a_root_that_is_a_file_is_named(tmp_path):
    (tmp_path / "lake").write_text("a file")
    with pytest.raises(UsageError, match="Not a directory") as refused, lock.writer_lock(tmp_path / "lake"):
        pass
    assert refused.value.exit_code == 2


def test_a_root_that_cannot_be_made_is_named():
    root = Path("/proc/nowhere")
    with pytest.raises(UsageError, match=r"/proc/nowhere.*cannot be written"), lock.writer_lock(root):
        pass


def test_a_writer_that_is_to_wait_writes_when_the_other_is_done(tmp_path, capfd):
    process = holder(HOLD, tmp_path, 1.0)
    with lock.writer_lock(tmp_path, wait=True):
        process.wait(timeout=5)  # its lock is gone, so it is ending
    assert f"Waiting for the process that writes to {tmp_path}." in " ".join(capfd.readouterr().err.split())


def test_a_writer_that_is_to_wait_waits_for_a_jvm_beyond_its_grace(tmp_path, monkeypatch):
    monkeypatch.setattr(lock, "JVM_GRACE_SECONDS", 0.1)
    (tmp_path / "_lock").mkdir()
    process = holder(HOLD_AS_JVM, tmp_path / lock.JVM, 1.0)
    with lock.writer_lock(tmp_path, wait=True):
        process.wait(timeout=5)


@pytest.mark.soak
def test_every_command_that_writes_can_wait_and_ends_with_75_otherwise(tmp_path):
    (tmp_path / "corrected.jsonl").touch()
    (tmp_path / "exports").mkdir()
    root = tmp_path / "lake"
    process = holder(HOLD, root, 60)
    release = ("quarantine", "release", "--file", str(tmp_path / "corrected.jsonl"))
    others = (("ingest", str(tmp_path / "exports")), ("maintain",), ("forget", "C1"), release)
    try:
        for command in (("run",), ("generate",), ("export",), ("rollback",), *others):
            with pytest.raises(LakeBusyError):
                CliRunner().invoke(app, [*command, "--root", str(root)], catch_exceptions=False)
            waiting = subprocess.Popen(
                [Path(sys.executable).parent / "lakehouse", *command, "--root", root, "--wait"],
                stderr=subprocess.PIPE,
                text=True,
            )
            assert waiting.stderr is not None
            assert waiting.stderr.readline().startswith("Waiting for the process that writes to")
            waiting.kill()
            waiting.wait()
    finally:
        process.kill()
        process.wait()
