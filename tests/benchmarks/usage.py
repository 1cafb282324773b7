"""Usage to daily facts beside DuckDB: silver.user_days and silver.usage_daily, and the same queries on the same files.

python -m tests.benchmarks.usage [--events 20000000] [--folder /tmp/usage-benchmark]

Both have as many threads, read the same Parquet files, count a repeated event once and write what they compute, Spark
to Delta and DuckDB to Parquet; what they wrote is compared. One event in a thousand is there twice.
"""

from __future__ import annotations

import argparse
import platform
import resource
import shutil
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from statistics import median

import duckdb
import pyarrow.parquet as pq
import pyspark
from deltalake import DeltaTable
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from jobs.silver import repeated_events, usage_daily, user_days
from lakehouse.events import ACTION_POINTS, COUNTED_TYPES
from lakehouse.session import get_session
from lakehouse.vocabulary import EVENT_CATEGORIES, EVENT_TYPE_CATEGORIES, EVENT_TYPES

AS_OF = date(2026, 6, 30)
FIRST_DAY, DAYS = date(2023, 7, 1), 1096
CUSTOMERS, USERS_PER_CUSTOMER, EVENTS_PER_SESSION, SESSIONS_PER_USER_DAY = 1_200, 12, 5, 2
RUNS = 3
# The JVM keeps its heap beside it.
DUCKDB_MEMORY = "6GB"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=20_000_000)
    parser.add_argument("--folder", type=Path, default=Path("/tmp/usage-benchmark"))  # noqa: S108
    options = parser.parse_args()
    folder: Path = options.folder
    shutil.rmtree(folder, ignore_errors=True)
    spark = get_session()
    threads = spark.sparkContext.defaultParallelism
    made_events(spark, options.events).write.partitionBy("event_month").parquet(f"{folder}/events")
    seconds: dict[str, list[float]] = {"Spark": [], "DuckDB": []}
    for _ in range(RUNS):
        seconds["DuckDB"].append(_timed(lambda: with_duckdb(folder, threads)))
        seconds["Spark"].append(_timed(lambda: with_spark(spark, folder)))
    compare(folder / "usage_daily", folder)
    peak_gib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    ratio = median(seconds["Spark"]) / median(seconds["DuckDB"])
    lines = (
        f"{platform.machine()}, {threads} threads, Spark {pyspark.__version__}, DuckDB {duckdb.__version__}",
        f"{options.events:,} events, peak memory of Python with DuckDB {peak_gib:.1f} GiB",
        *(f"{engine:7} {median(runs):7.1f} s of {[round(run, 1) for run in runs]}" for engine, runs in seconds.items()),
        f"Spark ÷ DuckDB = {ratio:.2f} (bar: 4)",
    )
    print(*lines, sep="\n")


def made_events(
    spark: SparkSession,
    events: int,
    first_day: date = FIRST_DAY,
    days: int = DAYS,
    customers: int = CUSTOMERS,
    *,
    of_days: range | None = None,
) -> DataFrame:
    """Return rows of bronze.usage_events in order of time, every value a hash of the event's number.

    They are those ``of_days``, counted from the first, if that is given.
    """
    number = F.col("id")
    session = F.floor(number / EVENTS_PER_SESSION)
    user_day = F.floor(session / SESSIONS_PER_USER_DAY)
    user = _drawn(user_day, "user", customers * USERS_PER_CUSTOMER)
    second = F.floor(number * days / events) * 86_400 + _drawn(number, "second", 86_400)
    event_type = _one_of(_drawn(number, "type", len(EVENT_TYPES)), EVENT_TYPES)
    made_days = of_days or range(days)
    # The first event of a day is the first whose number, in days, reaches it.
    first, last = (-(-day * events // days) for day in (made_days.start, made_days.stop))
    made = spark.range(first, last).select(
        F.lower(F.hex(F.xxhash64(number))).alias("event_id"),
        _named("C", user % customers, 7).alias("customer_id"),
        _named("U", user, 8).alias("user_id"),
        _named("S", session, 11).alias("session_id"),
        F.timestamp_seconds(F.unix_seconds(F.lit(first_day).cast("timestamp")) + second).alias("occurred_at"),
        event_type.alias("event_type"),
        F.concat(F.lit("feature_"), _drawn(number, "feature", 32)).alias("feature"),
        F.when(_drawn(number, "outcome", 100) == 0, "error").otherwise("ok").alias("outcome"),
        (_drawn(number, "duration", 600_000) / 1000).alias("duration_seconds"),
    )
    category = F.coalesce(
        *(F.when(F.col("event_type") == name, value) for name, value in EVENT_TYPE_CATEGORIES.items() if value)
    )
    described = made.withColumns({"event_category": category, "event_date": F.to_date("occurred_at")})
    complete = described.withColumn("event_month", F.trunc("event_date", "month"))
    return complete.unionByName(complete.filter(_drawn(F.col("event_id"), "repeated", 1000) == 0))


def _named(letter: str, number: Column, digits: int) -> Column:
    return F.concat(F.lit(letter), F.lpad(number.cast("string"), digits, "0"))


def with_spark(spark: SparkSession, folder: Path) -> None:
    """Run the three jobs and write Delta."""
    events = spark.read.parquet(f"{folder}/events")
    _write(repeated_events.transform(events=events), f"{folder}/repeated_events", repeated_events.table.partition_by)
    repeated = spark.read.format("delta").load(f"{folder}/repeated_events")
    days = user_days.transform(events=events, repeated_events=repeated, as_of=AS_OF)
    _write(days, f"{folder}/user_days", user_days.table.partition_by)
    stored = spark.read.format("delta").load(f"{folder}/user_days")
    _write(usage_daily.transform(user_days=stored), f"{folder}/usage_daily", usage_daily.table.partition_by)


def with_duckdb(folder: Path, threads: int) -> None:
    """Compute the same two tables and write Parquet."""
    counts = ", ".join(f"count(*) FILTER (event_type = '{kind}') AS {name}" for name, kind in COUNTED_TYPES.items())
    bits = " ".join(f"WHEN '{name}' THEN {1 << bit}" for bit, name in enumerate(EVENT_CATEGORIES))
    points = ", ".join(
        f"CASE WHEN {' + '.join(shown_by)} > 0 THEN {points} ELSE 0 END AS {name}"
        for name, (points, shown_by) in ACTION_POINTS.items()
    )
    sums = ", ".join(f"sum({name}) AS {name}" for name in usage_daily.SUMMED)
    used = """event_id, customer_id, user_id, session_id, occurred_at, event_date, event_type, event_category, outcome,
        duration_seconds"""
    limits = {"threads": threads, "memory_limit": DUCKDB_MEMORY, "temp_directory": f"{folder}/duckdb.tmp"}
    with duckdb.connect(config=limits) as connection:
        connection.execute("SET TimeZone = 'UTC'; SET preserve_insertion_order = false")
        connection.execute(f"""COPY (
            WITH once AS (
                SELECT DISTINCT {used} FROM read_parquet('{folder}/events/*/*.parquet')
                WHERE event_date <= DATE '{AS_OF}' AND event_id IS NOT NULL AND customer_id IS NOT NULL
                    AND user_id IS NOT NULL AND event_type IS NOT NULL
            ), days AS (
                SELECT customer_id, user_id, event_date AS activity_date,
                    date_trunc('month', event_date) AS activity_month, count(*) AS events,
                    count(*) FILTER (event_type <> 'login') AS active_events,
                    count(DISTINCT session_id) AS sessions,
                    sum(CAST(round(duration_seconds * 1000) AS BIGINT)) / 1000 AS seconds,
                    count(*) FILTER (outcome = 'error') AS errors,
                    bit_or(CASE event_category {bits} ELSE 0 END) AS category_mask, {counts},
                    min(occurred_at) AS first_event_at, max(occurred_at) AS last_event_at
                FROM once GROUP BY ALL
            ) SELECT *, active_events > 0 AS is_active, bit_count(category_mask) AS categories_used, {points} FROM days
        ) TO '{folder}/user_days.parquet' (CODEC zstd)""")  # noqa: S608 - names from the declarations
        connection.execute(f"""COPY (
            SELECT customer_id, activity_date AS usage_date, activity_month AS usage_month, {sums},
                count(*) AS users, count(*) FILTER (is_active) AS active_users,
                count(*) FILTER (logins > 0) AS logged_in_users, bit_or(category_mask) AS category_mask,
                bit_count(bit_or(category_mask)) AS categories_used
            FROM '{folder}/user_days.parquet' GROUP BY ALL
        ) TO '{folder}/usage_daily.parquet' (CODEC zstd)""")  # noqa: S608


def compare(stored: Path, folder: Path) -> None:
    """Compare the daily facts in the Delta table ``stored`` with those that DuckDB wrote into ``folder``.

    Raises:
        SystemExit: if they differ, or there are none.
    """
    columns = ", ".join(
        f"sum(CAST({name} AS DECIMAL(38, 3)))"
        for name in (*usage_daily.SUMMED, "users", "active_users", "categories_used")
    )
    found = []
    with duckdb.connect() as connection:
        connection.register("spark", DeltaTable(str(stored)).to_pyarrow_table())
        connection.register("duckdb", pq.read_table(f"{folder}/usage_daily.parquet"))
        for source in ("spark", "duckdb"):
            query = f"SELECT count(*), {columns} FROM {source}"  # noqa: S608 - names from the declarations
            found += connection.execute(query).fetchall()
    if found[0] != found[1] or found[0][0] == 0:
        raise SystemExit(f"Spark and DuckDB disagree: {found}")


def _write(frame: DataFrame, path: str, partition_by: list[str]) -> None:
    frame.write.format("delta").mode("overwrite").partitionBy(*partition_by).save(path)


def _timed(work: Callable[[], None]) -> float:
    started = time.monotonic()
    work()
    return time.monotonic() - started


def _drawn(counter: Column, stream: str, below: int) -> Column:
    return F.pmod(F.xxhash64(counter, F.lit(stream)), F.lit(below))


def _one_of(position: Column, values: tuple[str, ...]) -> Column:
    return F.element_at(F.array(*map(F.lit, values)), position.cast("int") + 1)


if __name__ == "__main__":
    main()
