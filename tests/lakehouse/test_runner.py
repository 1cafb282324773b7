"""However a run ends, it is recorded, and what the record says is why."""

from __future__ import annotations

import errno
from dataclasses import replace as changed

import pytest

from lakehouse import delta, runner
from lakehouse.config import load
from lakehouse.console import Silence
from lakehouse.errors import UsageError
from lakehouse.lake import Lake
from lakehouse.ops import RUNS
from lakehouse.project import PROJECT
from lakehouse.registry import Job, jobs
from lakehouse.run import Run
from lakehouse.runner import execute
from lakehouse.table import Check
from tests.lakehouse.tables import ACCOUNTS, ROW, accounts


def recorded(lake):
    (entry,) = delta.arrow(lake, RUNS.name).to_pylist()
    return entry


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (OSError(errno.EIO, "Input/output error"), "OSError: [Errno 5] Input/output error"),
        (ZeroDivisionError("a bug\nin two lines"), "ZeroDivisionError: a bug in two lines"),
        (KeyboardInterrupt(), "found KeyboardInterrupt;"),
    ],
    ids=["the disk", "a bug", "the person"],
)
def test_a_run_that_fails_is_recorded_with_its_message_whatever_ended_it(tmp_path, error, told):
    def receive(_run):
        raise error

    with pytest.raises(type(error)) as raised:
        execute(Lake(tmp_path), load(PROJECT / "conf"), {}, Silence(), receive=receive)
    assert raised.value is error
    entry = recorded(Lake(tmp_path))
    assert entry["status"] == "failed"
    assert told in entry["message"]
    assert "\n" not in entry["message"]


def test_a_run_over_a_lake_without_records_says_what_to_do(tmp_path):
    with pytest.raises(UsageError, match=r"nothing to compute from: found no records.* Run `lakehouse run`") as refused:
        execute(Lake(tmp_path), load(PROJECT / "conf"), dict(jobs()), Silence())
    assert recorded(Lake(tmp_path))["message"] == str(refused.value)


def test_a_run_that_cannot_be_recorded_ends_with_its_own_failure(tmp_path):
    (tmp_path / "ops").write_text("a file where the folder would be")

    def receive(_run):
        raise ZeroDivisionError("a bug")

    with pytest.raises(ZeroDivisionError, match="a bug") as raised:
        execute(Lake(tmp_path), load(PROJECT / "conf"), {}, Silence(), receive=receive)
    assert "Nor could the run be recorded" in raised.value.__notes__[0]


def test_a_rule_that_crashes_does_not_keep_its_table_from_being_written(spark, tmp_path):
    table = changed(ACCOUNTS, checks=(Check("crashes", "1 / (opening - opening) > 0"),))
    run = Run(Lake(tmp_path), load(PROJECT / "conf"), {}, Silence())
    rows = spark.createDataFrame(accounts(ROW))
    assert runner._written(run, Job(table, None, PROJECT), rows, {}, None) == {}
    assert delta.arrow(run.lake, table.name).num_rows == 1
    assert run.lake.existing(table.name).version == 0
