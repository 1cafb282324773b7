"""Two processes that write to one table at once: what is lost with the lake's lock, and what without it.

python -m tests.benchmarks.writers [--commits 1000] [--spark-commits 200] [--folder /tmp/writers-benchmark]

A commit is lost if its writer was told that it stands, and the table's log does not have it. With the lock both write as
the lake does. Without it both append with delta-rs or with Spark, each in a JVM of its own; or they write nothing but
commits, as Spark does that on a local disk, so that the two meet more often.
"""

from __future__ import annotations

import argparse
import json
import platform
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import deltalake
import pyarrow as pa
import pyspark
from deltalake.exceptions import DeltaError
from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException

from lakehouse import delta, spark_writer
from lakehouse.config import load
from lakehouse.lake import Lake
from lakehouse.lock import jvm_lock, writer_lock
from lakehouse.project import PROJECT
from lakehouse.session import get_session
from lakehouse.table import Column, Table

CONFIG = load(PROJECT / "conf").lake
WRITERS = ("left", "right")
NUMBERS = Table(
    name="gold.numbers",
    description="Commits: one row per commit.",
    grain="commit",
    key=("writer", "number"),
    columns=(
        Column("writer", "string", "Who wrote it", nullable=False),
        Column("number", "int", "Which of its commits", nullable=False),
    ),
)
Commit = Callable[[dict[str, object]], None]


@dataclass(frozen=True)
class Outcome:
    """The commits of which their writers were told that they stand, those in the log, and how many were refused."""

    told: set[tuple[str, int]]
    stored: set[tuple[str, int]]
    refused: int

    @property
    def lost(self) -> int:
        return len(self.told - self.stored)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--commits", type=int, default=1000, help="Commits of both writers together.")
    parser.add_argument("--spark-commits", type=int, default=200, help="Those of them that are whole Spark jobs.")
    parser.add_argument("--folder", type=Path, default=Path("/tmp/writers-benchmark"))  # noqa: S108
    options = parser.parse_args()
    versions = f"Spark {pyspark.__version__}, deltalake {deltalake.__version__}"
    print(f"{platform.machine()}, {versions}, two processes that write to one table")
    print(f"{'':36}{'told':>7}{'lost':>7}{'refused':>9}{'seconds':>9}")
    for way in WAYS:
        shutil.rmtree(options.folder, ignore_errors=True)
        started = time.perf_counter()
        outcome = race(way, options.folder, options.spark_commits if "Spark" in way else options.commits)
        seconds = time.perf_counter() - started
        print(f"{way:36}{len(outcome.told):7,}{outcome.lost:7,}{outcome.refused:9,}{seconds:9.1f}", flush=True)
    shutil.rmtree(options.folder, ignore_errors=True)


def race(way: str, root: Path, commits: int) -> Outcome:
    """Let two processes make so many commits, both at once."""
    lake = Lake(root)
    _with_delta_rs(lake)({"writer": "nobody", "number": 0})
    command = [sys.executable, "-m", "tests.benchmarks.writers", way, str(root), str(commits // len(WRITERS))]
    processes = [
        subprocess.Popen(
            [*command, writer],
            cwd=PROJECT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        for writer in WRITERS
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    ended = [json.loads(process.communicate()[0]) for process in processes]
    told = {(writer, number) for writer, one in zip(WRITERS, ended, strict=True) for number in one["told"]}
    return Outcome(told, committed(lake), sum(one["refused"] for one in ended))


def committed(lake: Lake) -> set[tuple[str, int]]:
    """Return the commits that the table's log holds."""
    written = (head.metadata for head in lake.heads(NUMBERS.name))
    return {(commit["writer"], commit["number"]) for commit in written if "writer" in commit}


def write(way: str, root: str, commits: str, writer: str) -> None:
    """Be one of the two processes."""
    commit, told, refused = WAYS[way](Lake(Path(root))), [], 0
    print("ready", flush=True)
    sys.stdin.readline()
    for number in range(int(commits)):
        try:
            commit({"writer": writer, "number": number})
        except (DeltaError, PySparkException, Py4JJavaError):
            refused += 1
        else:
            told.append(number)
    print(json.dumps({"told": told, "refused": refused}), flush=True)


def _locked(lake: Lake) -> Commit:
    append = _with_delta_rs(lake)

    def commit(row: dict[str, object]) -> None:
        with writer_lock(lake.root, wait=True):
            append(row)

    return commit


def _locked_with_spark(lake: Lake) -> Commit:
    spark = get_session()

    def commit(row: dict[str, object]) -> None:
        with writer_lock(lake.root, wait=True), jvm_lock(spark, lake.root):
            spark_writer.replace(spark.createDataFrame(_frame(row)), lake, NUMBERS, CONFIG, row)

    return commit


def _with_delta_rs(lake: Lake) -> Commit:
    return lambda row: delta.append(_frame(row), lake, NUMBERS, CONFIG, row)


def _with_spark(lake: Lake) -> Commit:
    spark = get_session()

    def commit(row: dict[str, object]) -> None:
        writer = spark.createDataFrame(_frame(row)).write.format("delta").mode("append")
        writer.option("userMetadata", json.dumps(row)).save(str(lake.table_path(NUMBERS.name)))

    return commit


def _commits_alone(lake: Lake) -> Commit:
    jvm = get_session()._jvm
    configuration = jvm.org.apache.hadoop.conf.Configuration()
    store = jvm.io.delta.storage.HDFSLogStore(configuration)
    log = lake.table_path(NUMBERS.name) / "_delta_log"

    def commit(row: dict[str, object]) -> None:
        content = json.dumps({"commitInfo": {"userMetadata": json.dumps(row)}})
        while True:
            version = max(int(path.stem) for path in log.glob("[0-9]*.json")) + 1
            path = jvm.org.apache.hadoop.fs.Path(f"file:{log / f'{version:020}.json'}")
            try:
                store.write(path, jvm.java.util.List.of(content).iterator(), False, configuration)
            except Py4JJavaError as error:
                if "FileAlreadyExists" not in str(error.java_exception):
                    raise
            else:
                return

    return commit


def _frame(row: dict[str, object]) -> pa.Table:
    return pa.Table.from_pylist([row], schema=NUMBERS.arrow_schema)


WAYS: dict[str, Callable[[Lake], Commit]] = {
    "with the lock, delta-rs appends": _locked,
    "with the lock, Spark replaces": _locked_with_spark,
    "without it, delta-rs appends": _with_delta_rs,
    "without it, Spark appends": _with_spark,
    "without it, commits of a JVM alone": _commits_alone,
}

if __name__ == "__main__":
    if sys.argv[1:2] and sys.argv[1] in WAYS:
        write(*sys.argv[1:])
    else:
        main()
