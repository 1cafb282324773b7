"""One writer at a time: Delta on a local disk loses commits when two processes write.

Two kernel locks guard a lake. Python holds one with flock. The JVM that Python starts holds the other, since it
outlives a killed Python for a moment and may still commit. The kernel releases each when its holder is gone, so no
lock is ever stale; the next writer takes the first and waits for the second.
"""

from __future__ import annotations

import fcntl
import math
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout
from py4j.protocol import Py4JError
from pyspark.sql import SparkSession
from rich.markup import escape

from lakehouse.console import errors
from lakehouse.errors import LakeBusyError, UsageError

WRITER = "_lock/writer"
JVM = "_lock/jvm"
JVM_GRACE_SECONDS = 30.0


@contextmanager
def writer_lock(root: Path, *, wait: bool = False) -> Iterator[None]:
    """Hold the lake at ``root`` for writing, or first ``wait`` for whoever does.

    Raises:
        LakeBusyError: if another process, or the JVM of a killed one, is writing and it is not to be waited for.
        UsageError: if the root cannot be written.
    """
    try:
        (root / WRITER).parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(root / WRITER)
        _acquire(lock, root, wait=wait)
    except OSError as error:
        raise UsageError(
            f"The lake {root} cannot be written",
            found=error.strerror or str(error),
            expected="a folder in which this user may create files",
            do="Choose another folder with --root or LAKEHOUSE_ROOT, or correct its permissions.",
        ) from error
    try:
        _wait_for_jvm(root, math.inf if wait else JVM_GRACE_SECONDS)
        yield
    finally:
        lock.release()


@contextmanager
def jvm_lock(spark: SparkSession, root: Path) -> Iterator[None]:
    """Hold the lake at ``root`` in the JVM of ``spark``, which keeps it if Python is killed.

    Raises:
        LakeBusyError: if another JVM holds it.
    """
    jvm: Any = spark._jvm  # noqa: SLF001 - there is no public way to the JVM
    channel = jvm.java.io.RandomAccessFile(str((root / JVM).resolve()), "rw").getChannel()
    if channel.tryLock() is None:
        raise _busy(root, "a JVM that writes to it")
    # Kept where the JVM's collector cannot reach it: a collected channel lets go of its lock.
    properties = jvm.java.lang.System.getProperties()
    properties.put(JVM, channel)
    try:
        yield
    finally:
        # A JVM that is gone holds nothing, and why it went is told by whoever needed it.
        with suppress(Py4JError, ConnectionError):
            properties.remove(JVM)
            channel.close()


def _acquire(lock: FileLock, root: Path, *, wait: bool) -> None:
    try:
        lock.acquire(timeout=0)
    except Timeout:
        if not wait:
            raise _busy(root, "a process that writes to it") from None
        errors.print(f"Waiting for the process that writes to {escape(os.fspath(root))}.", soft_wrap=True)
        lock.acquire()


def _wait_for_jvm(root: Path, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    with (root / JVM).open("a") as file:
        while True:
            try:
                fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                if time.monotonic() > deadline:
                    raise _busy(root, "the JVM of an earlier run, which is still writing") from None
                time.sleep(0.2)
            else:
                fcntl.lockf(file, fcntl.LOCK_UN)
                return


def _busy(root: Path, holder: str) -> LakeBusyError:
    return LakeBusyError(
        f"The lake {os.fspath(root)} is busy",
        found=holder,
        expected="one writer at a time",
        do="Run the command again when it is done, or with --wait to wait for it; reading is possible meanwhile.",
    )
