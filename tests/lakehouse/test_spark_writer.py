"""Tables are written as declared: in one commit, with keys and retention, or not at all."""

from __future__ import annotations

from dataclasses import replace as changed

import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable
from pyspark.sql import functions as F

from lakehouse import delta, spark_writer
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
        spark_writer.replace(spark.createDataFrame(accounts(ROW)), lake, ACCOUNTS, CONFIG, {"run_id": run_id})
        head = lake.existing(ACCOUNTS.name)
        assert (head.version, head.metadata["run_id"], head.rows) == (version, run_id, 1)
    properties = DeltaTable(str(lake.table_path(ACCOUNTS.name))).metadata().configuration
    assert properties["delta.deletedFileRetentionDuration"] == "interval 90 days"
    assert properties["delta.logRetentionDuration"] == "interval 120 days"


def test_a_null_key_is_refused_and_the_table_stays_as_it_was(spark, lake):
    spark_writer.replace(spark.createDataFrame(accounts(ROW)), lake, ACCOUNTS, CONFIG, {})
    with pytest.raises(QualityError, match=r"found rows without account_id \(1\)") as refused:
        spark_writer.replace(spark.createDataFrame(accounts((None, *ROW[1:]))), lake, ACCOUNTS, CONFIG, {})
    assert refused.value.exit_code == 3
    assert lake.existing(ACCOUNTS.name).version == 0


def test_a_changed_declaration_takes_effect_and_keeps_earlier_versions(spark, lake):
    spark_writer.replace(spark.createDataFrame(accounts(ROW)), lake, ACCOUNTS, CONFIG, {})
    wider = changed(ACCOUNTS, columns=(*ACCOUNTS.columns, Column("note", "string", "A note")), by_month="tier")
    spark_writer.replace(spark.createDataFrame(accounts(ROW)).withColumn("note", F.lit("x")), lake, wider, CONFIG, {})
    assert delta.arrow(lake, ACCOUNTS.name)["note"].to_pylist() == ["x"]
    assert DeltaTable(str(lake.table_path(ACCOUNTS.name))).metadata().partition_columns == ["tier"]
    assert "note" not in delta.arrow(lake, ACCOUNTS.name, 0).column_names


def test_wrong_fields_are_told_one_by_one(spark):
    frame = (
        spark.createDataFrame(accounts(ROW)).withColumn("share", F.lit("much")).drop("tier").withColumn("x", F.lit(1))
    )
    with pytest.raises(LakehouseError) as refused:
        spark_writer.check_schema(frame, ACCOUNTS)
    message = str(refused.value)
    assert "tier is missing (declared string)" in message
    assert "x int is not declared" in message
    assert "share is string, declared double" in message


def test_the_descriptions_become_comments(spark, lake):
    spark_writer.replace(spark.createDataFrame(accounts(ROW)), lake, ACCOUNTS, CONFIG, {})
    fields = DeltaTable(str(lake.table_path(ACCOUNTS.name))).schema().fields
    assert {field.name: field.metadata["comment"] for field in fields}["closing"] == "Closing balance"


def test_an_empty_table_replaced_by_an_empty_one_records_what_it_was_computed_from(spark, lake):
    for run_id in ("first", "second"):
        spark_writer.replace(spark.createDataFrame(accounts()), lake, ACCOUNTS, CONFIG, {"run_id": run_id})
    assert lake.existing(ACCOUNTS.name).metadata["run_id"] == "second"


def test_rows_of_other_months_than_those_that_are_due_are_refused(spark, lake):
    parted = changed(ACCOUNTS, by_month="tier")
    spark_writer.replace(spark.createDataFrame(accounts(ROW)), lake, parted, CONFIG, {})
    stray = spark.createDataFrame(accounts(ROW, ("b", "large", "3.00", "4.00", None)))
    with pytest.raises(LakehouseError, match="found large; expected small"):
        spark_writer.replace(stray, lake, parted, CONFIG, {}, months={"small"})
    assert lake.existing(ACCOUNTS.name).version == 0


def test_a_month_without_a_key_is_refused_as_well(spark, lake):
    parted = changed(ACCOUNTS, by_month="tier", key=("account_id", "tier"))
    rows = accounts(ROW, ("b", None, "3.00", "4.00", None), ("c", None, "3.00", "4.00", None))
    with pytest.raises(QualityError, match="found rows without tier \\(2\\)"):
        spark_writer.replace(spark.createDataFrame(rows), lake, parted, CONFIG, {})
    assert lake.head(ACCOUNTS.name) is None


def test_what_a_killed_write_left_is_taken_away_and_is_of_no_version(spark, lake):
    path = lake.table_path(ACCOUNTS.name)
    left = path / spark_writer.UNFINISHED / "0" / "task_000000000000000000_0000_m_000000"
    left.mkdir(parents=True)
    pq.write_table(accounts(("killed", *ROW[1:])), left / "part-00000-killed.parquet")
    spark_writer.replace(spark.createDataFrame(accounts(ROW)), lake, ACCOUNTS, CONFIG, {})
    assert delta.arrow(lake, ACCOUNTS.name)["account_id"].to_pylist() == ["a"]
    assert not list(path.rglob("*killed*"))


def test_delta_itself_reads_what_was_written(spark, lake):
    spark_writer.replace(spark.createDataFrame(accounts(ROW)), lake, ACCOUNTS, CONFIG, {})
    frame = spark.read.format("delta").load(str(lake.table_path(ACCOUNTS.name)))
    assert [tuple(map(str, row)) for row in frame.collect()] == [(*ROW[:4], "0.5")]
    assert [field.nullable for field in frame.schema][:2] == [False, True]
