"""Spark's own cluster on this machine: a master and two workers, each a process of its own."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pyspark

SPARK = Path(pyspark.__file__).parent
WORKERS = ("first", "second")
DEADLINE_SECONDS = 120
# What lives for seconds is not worth a second compilation.
QUICK_START = "-XX:TieredStopAtLevel=1"


@contextmanager
def standalone_cluster(folder: Path) -> Iterator[str]:
    """Yield the address of a master with two workers; their logs and work lie in ``folder``, and none outlives the block.

    They know nothing of the project, and their clocks are far from UTC.
    """
    with ExitStack() as processes:
        address = ["--host", "127.0.0.1", "--port", "0", "--webui-port", "0"]
        log = processes.enter_context(_daemon(folder, "master", ["master.Master", *address]))
        master = _said(log, r"Starting Spark master at (spark://\S+)")
        worker = ["worker.Worker", *address, "--cores", "1", "--memory", "1g"]
        logs = [
            processes.enter_context(_daemon(folder, name, [*worker, "--work-dir", str(folder / name), master]))
            for name in WORKERS
        ]
        for log in logs:
            _said(log, r"(Successfully registered with master)")
        yield master


@contextmanager
def _daemon(folder: Path, name: str, arguments: list[str]) -> Iterator[Path]:
    """Run one of Spark's daemons in a group of its own, with the executors that it starts; yield its log."""
    kept = {key: os.environ[key] for key in ("PATH", "JAVA_HOME", "HOME") if key in os.environ}
    places = {"SPARK_HOME": str(SPARK), "SPARK_CONF_DIR": str(folder), "SPARK_LOCAL_DIRS": str(folder / "local")}
    java = {"SPARK_DAEMON_MEMORY": "256m", "SPARK_DAEMON_JAVA_OPTS": QUICK_START}
    environment = kept | places | java | {"TZ": "Pacific/Auckland"}
    kind, *options = arguments
    command = [str(SPARK / "bin" / "spark-class"), f"org.apache.spark.deploy.{kind}", *options]
    log = folder / f"{name}.log"
    with log.open("w") as output:
        process = subprocess.Popen(
            command, cwd=folder, env=environment, stdout=output, stderr=output, start_new_session=True
        )
    try:
        yield log
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _said(log: Path, pattern: str) -> str:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while time.monotonic() < deadline:
        if found := re.search(pattern, log.read_text()):
            return found.group(1)
        time.sleep(0.1)
    raise TimeoutError(f"{log} does not say {pattern!r}:\n{log.read_text()}")
