"""Processes that run the command over the small graph, and what is killed of them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from lakehouse.project import PROJECT

DEADLINE_SECONDS = 180


@contextmanager
def driver(boundary: str, stopped: Path, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Start a process group of its own that runs the command up to the boundary; nothing of it outlives the block."""
    command = [sys.executable, "-m", "tests.crash.driver", boundary, str(stopped), *arguments]
    process = subprocess.Popen(
        command, cwd=PROJECT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            kill_all(process)


def wait_until_stopped(process: subprocess.Popen[str], stopped: Path) -> None:
    """Wait until the process has come to its boundary."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not stopped.exists():
        assert process.poll() is None, f"it ended before its boundary: {process.communicate()}"
        assert time.monotonic() < deadline, "it never came to its boundary"
        time.sleep(0.02)


def kill_all(process: subprocess.Popen[str]) -> None:
    """Kill Python and its JVM at once."""
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def kill_python(process: subprocess.Popen[str]) -> None:
    """Kill Python alone; its JVM notices and ends."""
    process.kill()
    process.wait()


def kill_jvm(process: subprocess.Popen[str]) -> None:
    """Kill the JVM alone, if there is one yet."""
    for child in _children(process.pid):
        os.kill(child, signal.SIGKILL)


KILLS: dict[str, Callable[[subprocess.Popen[str]], None]] = {
    "all": kill_all,
    "python": kill_python,
    "jvm": kill_jvm,
}


def _children(pid: int) -> list[int]:
    found = subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True, check=False)
    return [int(child) for child in found.stdout.split()]
