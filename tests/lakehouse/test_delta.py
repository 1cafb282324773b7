"""Tables are written as declared: in one commit, with constraints and retention, or not at all."""

from __future__ import annotations

from dataclasses import replace as changed

import pytest
from deltalake import DeltaTable
from pyspark.sql import functions as F

from lakehouse import delta
from lakehouse.errors import LakehouseError, QualityError
from lakehouse.lake import Lake
from lakehouse.table import Column
from tests.lakehouse.tables import ACCOUNTS, CONFIG, accounts

ROW = ("a", "small", "1.00", "2.00", 0.5)


@pytest.fixture
def lake(tmp_path):
    return Lake(tmp_path / "lake with `ticks`, 100% {odd} #names")


def test_a_table_is_created_and_replaced_in_one_commit_each(spark, lake):
    for version, run_id in enumerate(["first", "second"]):
        delta.replace(spark.createDataFrame(accounts(ROW)), lake, ACCOUNTS, CONFIG, {"run_id": run_id})
        head = lake.existing(ACCOUNTS.name)
        assert (head.version, head.metadata["run_id"], head.rows) == (version, run_id, 1)
    properties = DeltaTable(str(lake.table_path(ACCOUNTS.name))).metadata().configuration
    assert properties["delta.deletedFileRetentionDuration"] == "interval 90 days"
    assert properties["delta.logRetentionDuration"] == "interval 120 days"


def test_a_null_key_is_refused_and_the_table_stays_as_it_was(spark, lake):
    delta.replace(spark.createDataFrame(accounts(ROW)), lake, ACCOUNTS, CONFIG, {})
    with pytest.raises(QualityError, match="found rows without account_id: 1") as refused:
        delta.replace(spark.createDataFrame(accounts((None, *ROW[1:]))), lake, ACCOUNTS, CONFIG, {})
    assert refused.value.exit_code == 3
    assert lake.existing(ACCOUNTS.name).version == 0


def test_a_changed_declaration_takes_effect_and_keeps_earlier_versions(spark, lake):
    delta.replace(spark.createDataFrame(accounts(ROW)), lake, ACCOUNTS, CONFIG, {})
    wider = changed(ACCOUNTS, columns=(*ACCOUNTS.columns, Column("note", "string", "A note")), by_month="tier")
    delta.replace(spark.createDataFrame(accounts(ROW)).withColumn("note", F.lit("x")), lake, wider, CONFIG, {})
    assert delta.arrow(lake, ACCOUNTS.name)["note"].to_pylist() == ["x"]
    assert DeltaTable(str(lake.table_path(ACCOUNTS.name))).metadata().partition_columns == ["tier"]
    assert "note" not in delta.arrow(lake, ACCOUNTS.name, 0).column_names


def test_wrong_fields_are_told_one_by_one(spark):
    frame = (
        spark.createDataFrame(accounts(ROW)).withColumn("share", F.lit("much")).drop("tier").withColumn("x", F.lit(1))
    )
    with pytest.raises(LakehouseError) as refused:
        delta.check_schema(frame, ACCOUNTS)
    message = str(refused.value)
    assert "tier is missing (declared string)" in message
    assert "x int is not declared" in message
    assert "share is string, declared double" in message


def test_the_descriptions_become_comments(spark, lake):
    delta.replace(spark.createDataFrame(accounts(ROW)), lake, ACCOUNTS, CONFIG, {})
    fields = DeltaTable(str(lake.table_path(ACCOUNTS.name))).schema().fields
    assert {field.name: field.metadata["comment"] for field in fields}["closing"] == "Closing balance"


def test_an_append_adds_rows_without_a_jvm(lake):
    for _ in range(2):
        delta.append(accounts(ROW), lake, ACCOUNTS, CONFIG, {"run_id": "r"})
    assert delta.arrow(lake, ACCOUNTS.name).num_rows == 2
    assert lake.existing(ACCOUNTS.name).metadata == {"run_id": "r"}


def test_a_frame_reads_the_version_that_was_asked_for_partitions_and_all(spark, lake):
    parted = changed(ACCOUNTS, by_month="tier")
    for tier in ("small", "large"):
        rows = spark.createDataFrame(accounts(ROW, ("b", tier, "3.00", "4.00", None)))
        delta.replace(rows, lake, parted, CONFIG, {})
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


def test_an_empty_table_replaced_by_an_empty_one_records_what_it_was_computed_from(spark, lake):
    for run_id in ("first", "second"):
        delta.replace(spark.createDataFrame(accounts()), lake, ACCOUNTS, CONFIG, {"run_id": run_id})
    assert lake.existing(ACCOUNTS.name).metadata["run_id"] == "second"
