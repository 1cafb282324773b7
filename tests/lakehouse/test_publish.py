"""One pointer decides what everybody sees; a rollback moves it, and what was withdrawn stays so."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from lakehouse import delta
from lakehouse.errors import BrokenLakeError, UsageError
from lakehouse.lake import CURRENT, Lake
from lakehouse.manifest import Entry, Manifest, Quality
from lakehouse.publish import is_withdrawn, publish, rollback
from lakehouse.retention import forget_old_runs
from tests.lakehouse.tables import ACCOUNTS, CONFIG, accounts

ROW = ("a", "small", "1.00", "2.00", 0.5)


@pytest.fixture
def lake(tmp_path):
    return Lake(tmp_path)


def published(lake, run_id, version):
    """Write one version of the table and publish it as a run of its own."""
    delta.append(accounts(ROW), lake, ACCOUNTS, CONFIG, {"run_id": run_id})
    manifest = Manifest(
        run_id=run_id,
        published_at=datetime(2026, 7, 1, tzinfo=UTC),
        as_of=date(2026, 6, 30),
        code="c",
        configuration="f",
        batch={},
        tables={ACCOUNTS.name: Entry(version=version, rows=version + 1, fingerprint=run_id)},
        quality=Quality(checks=1, failed=0),
    )
    publish(lake, manifest)
    return manifest


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
    assert is_withdrawn(lake, second)
    assert not is_withdrawn(lake, first)


def test_a_rollback_skips_what_was_withdrawn_before(lake):
    for version, run_id in enumerate(["run1", "run2", "run3"]):
        published(lake, run_id, version)
    rollback(lake)
    assert rollback(lake).run_id == "run1"


def test_a_rollback_to_a_named_run_withdraws_all_after_it(lake):
    manifests = [published(lake, run_id, version) for version, run_id in enumerate(["run1", "run2", "run3"])]
    assert rollback(lake, "run1").run_id == "run1"
    assert [is_withdrawn(lake, manifest) for manifest in manifests] == [False, True, True]


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
