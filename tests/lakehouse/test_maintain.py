"""Upkeep changes files and no row: what is published stays readable, and what nobody needs goes when it is old."""

from __future__ import annotations

import os
import re
import shutil
import time
from dataclasses import replace as changed
from datetime import UTC, date, datetime

import pyarrow.parquet as pq
import pytest

from lakehouse import delta
from lakehouse.lake import Lake
from lakehouse.maintain import maintain
from lakehouse.manifest import Entry, Manifest, Quality
from lakehouse.publish import publish, rollback
from lakehouse.spark_writer import UNFINISHED
from tests.lakehouse.tables import ACCOUNTS, CONFIG, accounts

NAME = ACCOUNTS.name
MONTHS = 12


@pytest.fixture
def lake(tmp_path):
    """Twelve months came one after another; the 2nd, 6th and 12th were published."""
    lake = Lake(tmp_path)
    for month in range(MONTHS):
        delta.append(accounts(row(month)), lake, ACCOUNTS, CONFIG, {"run_id": f"r{month}", "batch": {"month": month}})
        if month in (1, 5, 11):
            publish(lake, manifest(month))
    return lake


def row(month):
    return (f"a{month}", "small", "1.00", "2.00", 0.5)


def manifest(version):
    return Manifest(
        run_id=f"run{version:02}",
        published_at=datetime(2026, 7, 1, tzinfo=UTC),
        as_of=date(2026, 6, 30),
        code="c",
        configuration="f",
        batch={},
        tables={NAME: Entry(version=version, rows=version + 1, fingerprint="f")},
        quality=Quality(checks=1, failed=0),
    )


def let_pass(lake, days):
    """Let the files and what the log says of them be older by some days."""
    for commit in lake.table_path(NAME).glob("_delta_log/*.json"):
        commit.write_text(
            re.sub(
                r'(?<="deletionTimestamp":)\d+', lambda told: str(int(told[0]) - days * 86_400_000), commit.read_text()
            )
        )
    for file in lake.table_path(NAME).rglob("*.parquet"):
        moment = file.stat().st_mtime - days * 86_400
        os.utime(file, (moment, moment))


def data_files(lake):
    return sorted(lake.table_path(NAME).rglob("*.parquet"))


def keys(lake, version=None):
    return sorted(delta.arrow(lake, NAME, version)["account_id"].to_pylist())


def months(count):
    return sorted(f"a{month}" for month in range(count))


def test_small_files_are_put_together_and_nothing_else_changes(lake):
    head, published = lake.existing(NAME), lake.published()
    (upkeep,) = maintain(lake, CONFIG, [NAME, "gold.not_there"])
    assert (upkeep.files_before, upkeep.files_after) == (MONTHS, MONTHS + 1), "those before stay until they are old"
    assert len(delta.files(lake, NAME, head.version)) == 1
    assert lake.existing(NAME) == head, "so no job that reads it becomes due"
    assert lake.published() == published
    assert keys(lake, 11) == keys(lake) == months(12)
    assert keys(lake, 5) == months(6)


def test_a_second_upkeep_finds_nothing_to_do(lake):
    maintain(lake, CONFIG, [NAME])
    commits = sorted(lake.table_path(NAME).glob("_delta_log/*"))
    (upkeep,) = maintain(lake, CONFIG, [NAME])
    assert (upkeep.files_before, upkeep.bytes_before) == (upkeep.files_after, upkeep.bytes_after)
    assert sorted(lake.table_path(NAME).glob("_delta_log/*")) == commits


def test_records_go_on_coming_after_it(lake):
    maintain(lake, CONFIG, [NAME])
    delta.append(accounts(row(MONTHS)), lake, ACCOUNTS, CONFIG, {"run_id": "next"})
    assert lake.existing(NAME).metadata == {"run_id": "next"}
    assert keys(lake) == months(MONTHS + 1)
    assert keys(lake, 11) == months(12)


def test_a_published_version_is_readable_before_a_damaged_commit(lake):
    (lake.table_path(NAME) / "_delta_log" / f"{6:020}.json").write_bytes(b"{")
    assert lake.newest_alike(NAME, 5) == 5
    assert keys(lake, 5) == months(6)


def test_few_files_are_not_worth_it(tmp_path):
    lake = Lake(tmp_path)
    for month in range(9):
        delta.append(accounts(row(month)), lake, ACCOUNTS, CONFIG, {})
    maintain(lake, CONFIG, [NAME])
    assert len(data_files(lake)) == 9


def test_only_the_partition_with_many_files_is_rewritten(tmp_path):
    lake, parted = Lake(tmp_path), changed(ACCOUNTS, by_month="tier")
    for month in range(10):
        rows = [row(month)] + [(f"b{month}", "large", "1.00", "2.00", 0.5)] * (month < 3)
        delta.append(accounts(*rows), lake, parted, CONFIG, {})
    maintain(lake, CONFIG, [NAME])
    folders = [file.parent.name for file in delta.files(lake, NAME, 9)]
    assert sorted(folders) == ["tier=large"] * 3 + ["tier=small"]
    assert len(keys(lake)) == 13


def test_old_files_go_unless_a_kept_run_needs_them(lake):
    maintain(lake, CONFIG, [NAME])
    let_pass(lake, CONFIG.file_retention_days - 1)
    assert maintain(lake, CONFIG, [NAME])[0].files_after == MONTHS + 1, "too young"
    let_pass(lake, 2)
    (upkeep,) = maintain(lake, CONFIG, [NAME])
    assert upkeep.files_after == 6 + 1, "six of the kept run of the 6th month, and the one that holds all twelve"
    assert upkeep.bytes_after < upkeep.bytes_before
    assert keys(lake, 11) == keys(lake) == months(12)
    assert rollback(lake).run_id == "run05"
    assert keys(lake, lake.published().versions[NAME]) == months(6)
    assert [kept.run_id for kept in lake.manifests()] == ["run05", "run11"], "only so many runs are kept"


def test_what_a_killed_writer_left_goes_when_it_is_old(lake):
    old, young = (lake.table_path(NAME) / f"part-{age}.parquet" for age in ("old", "young"))
    for file in (old, young):
        shutil.copy(data_files(lake)[0], file)
    moment = time.time() - (CONFIG.file_retention_days + 1) * 86_400
    os.utime(old, (moment, moment))
    (lake.table_path(NAME) / ".part-old.parquet.crc").write_bytes(b"sum")
    unfinished = lake.table_path(NAME) / UNFINISHED / "0" / "part-young.parquet"
    unfinished.parent.mkdir(parents=True)
    shutil.copy(young, unfinished)
    maintain(lake, CONFIG, [NAME])
    assert not unfinished.exists()
    assert not old.exists()
    assert young.exists()
    assert not list(lake.table_path(NAME).glob(".*.crc"))


def test_the_head_outlives_any_number_of_upkeeps(lake):
    """The newest data must never seem to be gone: they would be received again."""
    head = lake.existing(NAME)
    for number in range(15):
        orphan = lake.table_path(NAME) / f"part-{number}.parquet"
        pq.write_table(accounts(row(0)), orphan)
        os.utime(orphan, (0, 0))
        for commit in lake.table_path(NAME).glob("_delta_log/*.json"):
            os.utime(commit, (0, 0))
        maintain(lake, CONFIG, [NAME])
    assert lake.existing(NAME) == head
    assert keys(lake) == months(12)
