"""Events of the generator beside dbldatagen: the same ten columns, both written to Delta by month, one after the other.

python -m tests.benchmarks.generator [--rows 3000000] [--folder /tmp/generator-benchmark]

The generator's events follow from customers, users and sessions; dbldatagen draws each column by itself. Rates are rows
per second, the median of three runs after one to warm up.
"""

from __future__ import annotations

import argparse
import platform
import resource
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median

import dbldatagen
import numpy as np
import pyarrow as pa
from deltalake import DeltaTable, write_deltalake
from pyspark.sql import SparkSession

from lakehouse.generator.usage import month_events
from lakehouse.generator.users import ProductState, month_users
from lakehouse.session import get_session
from lakehouse.vocabulary import EVENT_CATEGORIES, EVENT_TYPES
from tests.product import EVENTS, PARAMETERS, SEED, USERS, state_of

COLUMNS = (
    "event_id",
    "customer_id",
    "user_id",
    "session_id",
    "occurred_at",
    "event_month",
    "event_type",
    "event_category",
    "outcome",
    "duration_seconds",
)
TEN = pa.schema([EVENTS.field(name) for name in COLUMNS])
MONTHS, EVENTS_PER_CUSTOMER_MONTH = 3, 380
RUNS = 3


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=3_000_000)
    parser.add_argument("--folder", type=Path, default=Path("/tmp/generator-benchmark"))  # noqa: S108
    options = parser.parse_args()
    customers = options.rows // MONTHS // EVENTS_PER_CUSTOMER_MONTH
    path = str(options.folder / "events")

    def rows_per_second(make: Callable[[], int]) -> float:
        rates = []
        for _ in range(1 + RUNS):
            shutil.rmtree(options.folder, ignore_errors=True)
            started = time.monotonic()
            rows = make()
            rates.append(rows / (time.monotonic() - started))
        return median(rates[1:])

    generated = rows_per_second(lambda: sum(batch.num_rows for batch in events(customers)))
    written = rows_per_second(lambda: write_events(customers, path))
    peak_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    spark = get_session()
    other = rows_per_second(lambda: write_with_dbldatagen(spark, options.rows, path))
    shutil.rmtree(options.folder, ignore_errors=True)
    threads = spark.sparkContext.defaultParallelism
    print(
        f"{platform.machine()}, {threads} threads of Spark, dbldatagen {dbldatagen.__version__}, {options.rows:,} rows"
    )
    print(f"generator, in memory   {generated / 1e6:6.2f} M rows/s")
    print(f"generator, to Delta    {written / 1e6:6.2f} M rows/s, peak memory {peak_mib:,.0f} MiB")
    print(f"dbldatagen, to Delta   {other / 1e6:6.2f} M rows/s")
    print(f"ratio                  {written / other:6.2f} (bar: 2)")


def events(customers: int) -> Iterator[pa.RecordBatch]:
    """Yield the events of three months of so many customers with twenty seats."""
    state = ProductState.empty()
    for number in range(MONTHS):
        month = state_of(number, np.arange(customers))
        _, roster, state = month_users(PARAMETERS, SEED, month, state, schema=USERS)
        yield from month_events(PARAMETERS, SEED, roster, schema=TEN)


def write_events(customers: int, path: str) -> int:
    """Write the generator's events; return how many there are."""
    write_deltalake(path, pa.RecordBatchReader.from_batches(TEN, events(customers)), partition_by=["event_month"])
    return DeltaTable(path).count()


def write_with_dbldatagen(spark: SparkSession, rows: int, path: str) -> int:
    """Write as many events by dbldatagen; return how many there are."""
    spec = (
        dbldatagen.DataGenerator(spark, name="events", rows=rows, partitions=spark.sparkContext.defaultParallelism)
        .withColumn("event_id", "string", expr="lpad(hex(id), 16, '0')")
        .withColumn("customer_id", "string", minValue=0, maxValue=1200, prefix="C", random=True)
        .withColumn("user_id", "string", minValue=0, maxValue=24_000, prefix="U", random=True)
        .withColumn("session_id", "string", minValue=0, maxValue=rows // 5, prefix="S", random=True)
        .withColumn(
            "occurred_at", "timestamp", begin="2025-10-01 00:00:00", end="2025-12-31 23:59:59", interval="1 second",
            random=True,
        )
        .withColumn("event_month", "date", expr="trunc(occurred_at, 'MM')", baseColumn="occurred_at")
        .withColumn("event_type", "string", values=list(EVENT_TYPES), random=True)
        .withColumn("event_category", "string", values=list(EVENT_CATEGORIES), random=True)
        .withColumn("outcome", "string", values=["ok", "error"], weights=[98, 2], random=True)
        .withColumn("duration_seconds", "double", minValue=0.0, maxValue=600.0, random=True)
    )  # fmt: skip
    spec.build().write.format("delta").partitionBy("event_month").save(path)
    return DeltaTable(path).count()


if __name__ == "__main__":
    main()
