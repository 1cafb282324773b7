"""One pointer decides what everybody sees; a rollback moves it, and what was withdrawn stays so."""

from __future__ import annotations

import resource
from contextlib import contextmanager

import pyarrow as pa
import pytest

from lakehouse import delta
from lakehouse.config import load
from lakehouse.console import Silence
from lakehouse.errors import BrokenLakeError, UsageError
from lakehouse.lake import CURRENT, Lake
from lakehouse.ops import RUNS
from lakehouse.project import PROJECT
from lakehouse.publish import is_withdrawn, publish, rollback
from lakehouse.retention import forget_old_runs
from lakehouse.run import Run
from tests.lakehouse.tables import ACCOUNTS, CONFIG, published


@pytest.fixture
def lake(tmp_path):
    return Lake(tmp_path)


def test_a_lake_without_a_run_says_what_to_do(lake):
    with pytest.raises(BrokenLakeError, match="Run `lakehouse run` first") as refused:
        lake.published()
    assert refused.value.exit_code == 4


def test_a_published_run_is_what_readers_get(lake):
    manifest = published(lake, "run1", 0)
    assert lake.published() == manifest


def test_a_table_that_is_not_where_the_manifest_says_is_named(lake):
    published(lake, "run1", 0)
    lake.table_path(ACCOUNTS.name).rename(lake.root / "elsewhere")
    with pytest.raises(BrokenLakeError, match=r"no readable version of gold\.accounts"):
        lake.published()


@pytest.mark.parametrize(
    "pointer", [b"", b"_manifests/none.json", b"../outside.json", b"/etc/passwd", b"\xff\xfe", b"\0"], ids=repr
)
def test_a_pointer_to_nowhere_or_outside_is_refused_and_a_rollback_mends_it(lake, pointer):
    first, second = published(lake, "run1", 0), published(lake, "run2", 1)
    (lake.root / CURRENT).write_bytes(pointer)
    with pytest.raises(BrokenLakeError, match="no readable published run"):
        lake.current()
    assert rollback(lake) == second
    assert lake.published() == second
    assert lake.manifests() == [first, second], "nothing was withdrawn"


def test_a_pointer_that_is_a_folder_is_refused(lake):
    (lake.root / CURRENT).mkdir()
    with pytest.raises(BrokenLakeError, match="which cannot be read"):
        lake.current()


@pytest.mark.parametrize("content", [b"", b"{", b'{"run_id": "run2"}', b"\xff\xfe"], ids=repr)
def test_a_damaged_manifest_is_refused_and_a_rollback_passes_over_it(lake, content):
    first = published(lake, "run1", 0)
    published(lake, "run2", 1)
    (lake.root / "_manifests" / "run2.json").write_bytes(content)
    with pytest.raises(BrokenLakeError, match="cannot be read"):
        lake.current()
    assert rollback(lake) == first
    assert lake.published() == first


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b'{"add": {}}'], ids=repr)
def test_a_damaged_log_is_named_with_the_folder_to_remove(lake, content):
    published(lake, "run1", 0)
    next(lake.table_path(ACCOUNTS.name).glob("_delta_log/*.json")).write_bytes(content)
    with pytest.raises(BrokenLakeError, match=rf"0000\.json.* remove {lake.table_path(ACCOUNTS.name)} and run"):
        lake.head(ACCOUNTS.name)


def test_a_table_whose_files_are_gone_is_named(lake):
    published(lake, "run1", 0)
    assert not delta.lacks_files(lake, ACCOUNTS.name, 0)
    next(lake.table_path(ACCOUNTS.name).glob("*.parquet")).unlink()
    assert delta.lacks_files(lake, ACCOUNTS.name, 0)
    with pytest.raises(BrokenLakeError, match=r"The table gold\.accounts cannot be read"):
        delta.arrow(lake, ACCOUNTS.name, 0)


def test_a_rollback_shows_the_run_before_and_withdraws_the_one_after(lake):
    first = published(lake, "run1", 0)
    second = published(lake, "run2", 1)
    assert rollback(lake).run_id == "run1"
    assert lake.published().versions == first.versions
    assert is_withdrawn({}, lake, second)
    assert not is_withdrawn({}, lake, first)


def test_a_rollback_skips_what_was_withdrawn_before(lake):
    for version, run_id in enumerate(["run1", "run2", "run3"]):
        published(lake, run_id, version)
    rollback(lake)
    assert rollback(lake).run_id == "run1"


def test_a_rollback_to_a_named_run_withdraws_all_after_it(lake):
    manifests = [published(lake, run_id, version) for version, run_id in enumerate(["run1", "run2", "run3"])]
    assert rollback(lake, "run1").run_id == "run1"
    assert [is_withdrawn({}, lake, manifest) for manifest in manifests] == [False, True, True]


def test_a_rollback_from_the_first_run_is_refused(lake):
    published(lake, "run1", 0)
    with pytest.raises(UsageError, match="0 earlier published runs"):
        rollback(lake)
    assert lake.published().run_id == "run1"


def test_runs_beyond_the_configured_number_are_forgotten(lake):
    for version, run_id in enumerate(["run1", "run2", "run3"]):
        published(lake, run_id, version)
    forget_old_runs(lake, CONFIG)
    assert [manifest.run_id for manifest in lake.manifests()] == ["run2", "run3"]
    assert delta.arrow(lake, ACCOUNTS.name, 1).num_rows == 2
    assert lake.existing(ACCOUNTS.name).version == 2, "taking files away is not a version of the data"


def test_a_run_whose_clock_was_set_back_is_still_the_newest(lake):
    first, second = (published(lake, f"20990101T00000000000{n}Z-aaaaaa", n) for n in range(2))
    assert new_run(lake).run_id > second.run_id
    third = published(lake, new_run(lake).run_id, 2)
    forget_old_runs(lake, CONFIG)
    assert [manifest.run_id for manifest in lake.manifests()] == [second.run_id, third.run_id]
    assert rollback(lake) == second
    with pytest.raises(UsageError, match="0 earlier published runs"):
        rollback(lake, first.run_id)


def test_a_run_sorts_after_one_that_failed_under_a_clock_that_was_ahead(lake):
    failed = "20990101T000000000000Z-aaaaaa"
    delta.append(pa.Table.from_pylist([], schema=RUNS.arrow_schema), lake, RUNS, CONFIG, {"run_id": failed})
    assert new_run(lake).run_id > failed


def test_a_disk_that_takes_no_more_leaves_the_pointer_and_no_draft(lake):
    first = published(lake, "run1", 0)
    with files_of_at_most(100), pytest.raises(OSError, match="File too large"):
        publish(lake, first.model_copy(update={"run_id": "run2"}))
    assert lake.published() == first
    assert [path.name for path in (lake.root / "_manifests").iterdir()] == ["run1.json"]


@contextmanager
def files_of_at_most(size):
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def new_run(lake):
    return Run(lake, load(PROJECT / "conf"), {}, Silence())
