"""The one way to a Spark session."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Iterator

from pyspark import SparkContext
from pyspark.sql import SparkSession

from lakehouse.setup import CONF, LOGS, ensure_setup


def get_session() -> SparkSession:
    """Return the active session (a notebook's, a cluster's, spark-submit's), or start a local one.

    Only a session that is started here gets JVM options and jars, from ``conf/spark-defaults.conf``.

    Raises:
        UsageError: if Java or the jars are missing.
    """
    _use_utc()
    return SparkSession.getActiveSession() or _start()


def _start() -> SparkSession:
    if not _jvm_runs():
        ensure_setup()
        os.environ["SPARK_CONF_DIR"] = str(CONF)
        os.environ["PYSPARK_PYTHON"] = os.environ["PYSPARK_DRIVER_PYTHON"] = sys.executable
        # Another Spark on this machine must not lend its older jars.
        os.environ.pop("SPARK_HOME", None)
    with _standard_error_to_log():
        return SparkSession.builder.appName("lakehouse").getOrCreate()


def _jvm_runs() -> bool:
    # spark-submit has started it, with the jars and the Python that it was told: a cluster's are not this machine's.
    return SparkContext._gateway is not None or "PYSPARK_GATEWAY_PORT" in os.environ  # noqa: SLF001


def _use_utc() -> None:
    os.environ["TZ"] = "UTC"
    time.tzset()


@contextlib.contextmanager
def _standard_error_to_log() -> Iterator[None]:
    # The JVM inherits the descriptor as it is when it starts; what it says there is for the log.
    LOGS.mkdir(exist_ok=True)
    sys.stderr.flush()
    kept = os.dup(2)
    try:
        with (LOGS / "spark-start.log").open("w") as log:
            os.dup2(log.fileno(), 2)
            yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
