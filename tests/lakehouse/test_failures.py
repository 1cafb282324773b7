"""What others throw becomes one paragraph with the exit code that fits."""

from __future__ import annotations

import errno

import pytest
from py4j.protocol import Py4JError, Py4JNetworkError

from lakehouse.errors import LakeBusyError, LakehouseError
from lakehouse.failures import as_paragraph


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, "No space left on device"),
        RuntimeError("Job aborted: java.io.IOException: No space left on device\n\tat java.base/java.io"),
    ],
)
def test_a_full_disk_is_named_whoever_found_it(error):
    failure = as_paragraph(error, "The job of gold.accounts failed")
    assert "The job of gold.accounts failed: found a full disk" in str(failure)
    assert failure.exit_code == 1


def test_a_table_with_lost_files_is_a_broken_lake_whoever_found_it():
    error = RuntimeError("x [FAILED_READ_FILE.FILE_NOT_EXIST] Encountered error: File plans/part-0.parquet is missing")
    failure = as_paragraph(error, "The job of silver.dim_plan failed")
    assert "plans/part-0.parquet is missing" in str(failure)
    assert failure.exit_code == 4


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.EROFS, "Read-only file system"),
        RuntimeError(
            "Job aborted: java.io.FileNotFoundException: /lake/part-0.parquet (Read-only file system)\n\tat x"
        ),
    ],
)
def test_a_read_only_folder_is_named_whoever_found_it(error):
    failure = as_paragraph(error, "The job of gold.accounts failed")
    assert "The job of gold.accounts failed: found a read-only file system" in str(failure)
    assert failure.exit_code == 1


@pytest.mark.parametrize(
    "error",
    [
        ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused"),
        Py4JNetworkError("Answer from Java side is empty"),
        Py4JError("An error occurred while calling o1.x"),
    ],
    ids=["refused", "empty", "no Java exception"],
)
def test_a_jvm_that_is_gone_is_named_however_it_is_missed(error):
    failure = as_paragraph(error, "The job of gold.accounts failed")
    assert "The job of gold.accounts failed: found no JVM any more" in str(failure)
    assert failure.exit_code == 1


def test_a_jvm_that_is_gone_is_named_behind_what_came_of_it():
    error = ValueError("Unable to parse datatype")
    error.__context__ = ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused")
    assert "found no JVM any more" in str(as_paragraph(error, "The job failed"))


def test_an_unknown_failure_is_one_short_line_with_the_way_to_the_trace():
    failure = str(as_paragraph(ValueError("first\nsecond " + "x" * 1000), "The job failed"))
    assert "ValueError: first second" in failure
    assert "\n" not in failure
    assert len(failure) < 800
    assert "--debug" in failure


def test_the_projects_own_errors_pass_through():
    error = LakeBusyError("The lake is busy", found="a", expected="b", do="Wait.")
    assert as_paragraph(error, "The job failed") is error
    assert isinstance(error, LakehouseError)
