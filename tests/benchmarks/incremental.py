"""One more month beside all of them, of the tables that are as large as the events, with few and with many months before it.

python -m tests.benchmarks.incremental [--events-per-month 500000] [--months 36 72] [--customers 1200] [--compared]

With --compared, only the tables that DuckDB computes as well are built.

Events are those of tests.benchmarks.usage. All months but the last are received and built; then the last one is, by the
same road as every run but one job at a time. DuckDB computes user days and daily facts of all months from the same Parquet
files after it, and the daily facts of both are compared.
"""

from __future__ import annotations

import argparse
import json
import platform
import shutil
import time
from datetime import date
from functools import partial
from pathlib import Path

import duckdb
import pyspark
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lakehouse import runner
from lakehouse.config import load
from lakehouse.console import Silence
from lakehouse.lake import Lake
from lakehouse.project import PROJECT
from lakehouse.registry import Job
from lakehouse.session import get_session
from tests.benchmarks.usage import CUSTOMERS, compare, made_events, with_duckdb
from tests.event_graph import EVENTS, GRAPH, NAMES

LAST_MONTH = date(2026, 6, 1)
# What DuckDB computes as well.
COMPARED = ("silver.repeated_events", "silver.user_days", "silver.usage_daily")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events-per-month", type=int, default=500_000)
    parser.add_argument("--months", type=int, nargs="+", default=[36, 72])
    parser.add_argument("--customers", type=int, default=CUSTOMERS)
    parser.add_argument("--folder", type=Path, default=Path("/tmp/incremental-benchmark"))  # noqa: S108
    parser.add_argument("--compared", action="store_true")
    options = parser.parse_args()
    left_out = {*NAMES} - {EVENTS, *COMPARED} if options.compared else set()
    graph = {name: job for name, job in GRAPH.items() if name not in left_out}
    # One job after the other, so that none waits for the processors that another has.
    runner.WORKERS = 1
    print(f"{platform.machine()}, {_threads()} threads, Spark {pyspark.__version__}, DuckDB {duckdb.__version__}")
    for months in options.months:
        _measure(graph, options.folder, months, months * options.events_per_month, options.customers)


def _measure(graph: dict[str, Job], folder: Path, months: int, events: int, customers: int) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    spark, lake = get_session(), Lake(folder)
    first_day = date(LAST_MONTH.year - months // 12, LAST_MONTH.month + 1, 1)
    before, days = (LAST_MONTH - first_day).days, (LAST_MONTH - first_day).days + 30
    made = partial(made_events, spark, events, first_day, days, customers)
    _receive(lake, made(of_days=range(before)), date(2026, 5, 31))
    started = time.monotonic()
    full = _built(lake, graph)
    per_event = (time.monotonic() - started) / (events * (months - 1) / months)
    _receive(lake, made(of_days=range(before, days)), date(2026, 6, 30))
    month = _built(lake, graph)
    print(
        f"\n{months} months, {events:,} events of {customers:,} customers: {per_event * 1e6:.2f} s per million events; "
        f"peak memory of the JVM {_peak_gib(spark):.1f} GiB",
        flush=True,
    )
    for name in (name for name in graph if name in full and name != EVENTS):
        print(f"{name:24} all {full[name]:7.1f} s   one more {month[name]:7.1f} s   {month[name] / full[name]:.3f}")
    (folder / "events").symlink_to(lake.table_path(EVENTS))
    started = time.monotonic()
    with_duckdb(folder, _threads())
    duckdb_seconds = time.monotonic() - started
    seconds = sum(month[name] for name in COMPARED)
    print(
        f"{'user days and daily facts':24} one more {seconds:.1f} s   DuckDB, all {duckdb_seconds:.1f} s   {seconds / duckdb_seconds:.2f}"
    )
    compare(lake.table_path("silver.usage_daily"), folder)


def _receive(lake: Lake, events: DataFrame, covered_to: date) -> None:
    table = GRAPH[EVENTS].table
    provenance = {
        "_source": F.lit("benchmark"),
        "_batch_id": F.lit(str(covered_to)),
        "_row": F.lit(0),
        "_ingested_at": F.lit(covered_to).cast("timestamp"),
        "_unread": F.lit(None),
    }
    batch = {"source": "files", "covered_to": covered_to.isoformat()}
    writer = table.select(events.withColumns(provenance)).write.format("delta").mode("append")
    metadata = json.dumps({"run_id": str(covered_to), "batch": batch})
    writer.partitionBy(*table.partition_by).option("userMetadata", metadata).save(str(lake.table_path(EVENTS)))


def _built(lake: Lake, graph: dict[str, Job]) -> dict[str, float]:
    run = runner.execute(lake, load(PROJECT / "conf"), graph, Silence())
    if run.status != "published":
        raise SystemExit(f"The run ended as {run.status}: {run.message}")
    return {step.table_name: step.duration_seconds for step in run.steps}


def _threads() -> int:
    return get_session().sparkContext.defaultParallelism


def _peak_gib(spark: pyspark.sql.SparkSession) -> float:
    process = spark.sparkContext._jvm.ProcessHandle.current().pid()
    status = Path(f"/proc/{process}/status").read_text()
    (kib,) = (int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))
    return kib / 2**20


if __name__ == "__main__":
    main()
