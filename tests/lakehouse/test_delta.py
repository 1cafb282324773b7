"""Tables are read at the version that was asked for, and appended to without a JVM."""

from __future__ import annotations

from dataclasses import replace as changed

import pytest

from lakehouse import delta, spark_writer
from lakehouse.lake import Lake
from tests.lakehouse.tables import ACCOUNTS, CONFIG, accounts

ROW = ("a", "small", "1.00", "2.00", 0.5)


@pytest.fixture
def lake(tmp_path):
    return Lake(tmp_path / "lake with `ticks`, 100% {odd} #names")


def test_an_append_adds_rows_without_a_jvm(lake):
    for _ in range(2):
        delta.append(accounts(ROW), lake, ACCOUNTS, CONFIG, {"run_id": "r"})
    assert delta.arrow(lake, ACCOUNTS.name).num_rows == 2
    assert lake.existing(ACCOUNTS.name).metadata == {"run_id": "r"}


def test_a_frame_reads_the_version_that_was_asked_for_partitions_and_all(spark, lake):
    parted = changed(ACCOUNTS, by_month="tier")
    for tier in ("small", "large"):
        rows = spark.createDataFrame(accounts(ROW, ("b", tier, "3.00", "4.00", None)))
        spark_writer.replace(rows, lake, parted, CONFIG, {})
    assert not delta.lacks_files(lake, parted.name, 0)
    frame = delta.read(spark, lake, parted, 0)
    assert frame.columns == ACCOUNTS.column_names
    assert sorted(tuple(map(str, row)) for row in frame.collect()) == [
        ("a", "small", "1.00", "2.00", "0.5"),
        ("b", "small", "3.00", "4.00", "None"),
    ]


def test_a_table_that_was_never_received_reads_as_empty(spark, lake):
    frame = delta.read(spark, lake, ACCOUNTS, None)
    assert frame.columns == ACCOUNTS.column_names
    assert frame.collect() == []
