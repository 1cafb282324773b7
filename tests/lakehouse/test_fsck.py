"""Whatever is damaged in a lake is named, all at once, with the run to go back to."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime

import pyarrow as pa
import pytest
from deltalake import DeltaTable
from typer.testing import CliRunner

from lakehouse import delta
from lakehouse.cli import app
from lakehouse.errors import BrokenLakeError
from lakehouse.forgotten import Erasure, remember
from lakehouse.fsck import fsck
from lakehouse.lake import CURRENT, Lake
from lakehouse.maintain import MANY, maintain
from lakehouse.ops import RUNS
from lakehouse.publish import publish, rollback
from lakehouse.retention import take_files_away
from tests.lakehouse.tables import ACCOUNTS, CONFIG, ROW, accounts, published

TABLE = ACCOUNTS.name


@pytest.fixture
def lake(tmp_path):
    """Two published runs: the first with one file, the second with that and another."""
    lake = Lake(tmp_path)
    published(lake, "run1", 0)
    published(lake, "run2", 1)
    return lake


def second_file(lake):
    (path,) = set(delta.files(lake, TABLE, 1)) - set(delta.files(lake, TABLE, 0))
    return path


def commit(lake, version):
    return lake.table_path(TABLE) / "_delta_log" / f"{version:020}.json"


def truncate(path):
    path.write_bytes(path.read_bytes()[:-9])


def _files_of(lake, version):
    actions = pa.table(DeltaTable(str(lake.table_path(TABLE)), version=version).get_add_actions())
    return [lake.table_path(TABLE) / path for path in actions["path"].to_pylist()]


def _compact_and_take_away(lake):
    maintain(lake, CONFIG, [TABLE])
    take_files_away(lake, TABLE, older_than_days=0)


def spoil_footer(path):
    content = path.read_bytes()
    path.write_bytes(content[:-4] + b"XXXX")


DAMAGE = {
    "a data file is gone": (lambda lake: second_file(lake).unlink(), TABLE, "is gone (version 1)"),
    "a data file is short": (lambda lake: truncate(second_file(lake)), TABLE, "bytes, its log says"),
    "a footer is spoilt": (lambda lake: spoil_footer(second_file(lake)), TABLE, "is no readable Parquet file"),
    "a commit is gone": (lambda lake: commit(lake, 1).unlink(), TABLE, "its log cannot be read"),
    "a commit is short": (lambda lake: truncate(commit(lake, 1)), TABLE, "its log cannot be read"),
    "a pointer to nowhere": (lambda lake: (lake.root / CURRENT).write_text("x"), CURRENT, "no readable published run"),
    "a manifest is short": (
        lambda lake: truncate(lake.root / "_manifests" / "run2.json"),
        "_manifests/run2.json",
        "cannot be read",
    ),
}


def test_a_sound_lake_has_nothing_broken(lake):
    report = fsck(lake)
    assert report.findings == []
    assert not report.is_broken
    assert report.whole_run == "run1"


@pytest.mark.parametrize(("damage", "where", "found"), DAMAGE.values(), ids=DAMAGE)
def test_each_kind_of_damage_is_named_and_a_rollback_leads_to_a_run_that_is_whole(lake, damage, where, found):
    damage(lake)
    report = fsck(lake)
    assert any(one.is_broken and one.where == where and found in one.found for one in report.findings)
    assert report.whole_run is not None
    rollback(lake, report.whole_run)
    assert delta.arrow(lake, TABLE, lake.published().versions[TABLE]).num_rows > 0


@pytest.mark.parametrize(
    "kind", ["a data file is gone", "a data file is short", "a commit is gone", "a commit is short"]
)
def test_whoever_reads_a_damaged_table_is_told_in_a_line_to_look_through_the_lake(lake, kind):
    DAMAGE[kind][0](lake)
    with pytest.raises(BrokenLakeError, match=rf"The table {TABLE} cannot be read.*`lakehouse fsck`") as refused:
        delta.arrow(lake, TABLE, 1)
    assert refused.value.exit_code == 4


def test_nothing_is_appended_to_a_table_whose_log_is_damaged(lake):
    truncate(commit(lake, 0))
    with pytest.raises(BrokenLakeError, match=rf"The table {TABLE} cannot be read"):
        delta.append(accounts(ROW), lake, ACCOUNTS, CONFIG, {"run_id": "run3"})
    assert not commit(lake, 2).exists()


def test_damage_that_both_runs_share_leaves_none_to_go_back_to(lake):
    (shared,) = delta.files(lake, TABLE, 0)
    shared.unlink()
    report = fsck(lake)
    assert [(one.where, one.found) for one in report.findings] == [(TABLE, f"{shared.name} is gone (versions 0, 1)")]
    assert report.whole_run is None


def test_all_damage_is_named_in_one_list(lake):
    second_file(lake).unlink()
    truncate(lake.root / "_manifests" / "run1.json")
    assert {one.where for one in fsck(lake).findings if one.is_broken} == {TABLE, "_manifests/run1.json"}


def test_a_missing_folder_of_a_table_and_a_missing_pointer_are_named(lake):
    shutil.rmtree(lake.table_path(TABLE))
    (lake.root / CURRENT).unlink()
    found = {one.where: one.found for one in fsck(lake).findings}
    assert "is gone, though runs were published" in found[CURRENT]
    assert "its log cannot be read" in found[TABLE]


@pytest.mark.parametrize("is_recorded", [True, False])
def test_a_first_run_without_a_pointer_was_killed_if_nothing_says_that_it_was_published(tmp_path, is_recorded):
    lake = Lake(tmp_path)
    published(lake, "run1", 0)
    (lake.root / CURRENT).unlink()
    if is_recorded:
        record = {"run_id": "run1", "status": "published"}
        delta.append(pa.Table.from_pylist([record]), lake, RUNS, CONFIG, {})
    (found,) = fsck(lake).findings
    assert (found.where, found.is_broken) == (CURRENT, is_recorded)


def test_what_a_killed_run_leaves_is_named_and_is_no_damage(lake):
    delta.append(accounts(ROW), lake, ACCOUNTS, CONFIG, {"run_id": "run3"})
    (lake.root / ".CURRENT.new").write_text("half")
    (lake.table_path(TABLE) / "_temporary").mkdir()
    report = fsck(lake)
    assert not report.is_broken
    assert [(one.where, one.found) for one in report.findings] == [
        (TABLE, "version 2 is not published, version 1 is"),
        (".CURRENT.new", "was left by a writer that was killed"),
        ("gold/accounts/_temporary", "was left by a writer that was killed"),
    ]


def test_damage_of_what_is_not_published_is_damage_since_the_next_run_builds_on_it(lake):
    delta.append(accounts(ROW), lake, ACCOUNTS, CONFIG, {"run_id": "run3"})
    (new,) = set(delta.files(lake, TABLE, 2)) - set(delta.files(lake, TABLE, 1))
    new.unlink()
    assert [one.found for one in fsck(lake).findings if one.is_broken] == [f"{new.name} is gone (version 2)"]


def test_runs_that_were_withdrawn_are_not_offered(lake):
    published(lake, "run3", 2)
    rollback(lake)
    assert lake.published().run_id == "run2"
    assert fsck(lake).whole_run == "run1"


def test_a_lake_that_is_not_there_is_said(tmp_path):
    with pytest.raises(BrokenLakeError, match="There is no lake"):
        fsck(Lake(tmp_path / "nowhere"))


def test_a_run_that_was_killed_before_it_was_recorded_is_listed_with_the_others(lake):
    listed = json.loads(CliRunner().invoke(app, ["runs", "--root", str(lake.root), "--json"]).output)
    assert [(run["run_id"], run["is_current"], run["checks"]) for run in listed] == [
        ("run2", True, 1),
        ("run1", False, 1),
    ]
    assert "killed before it was recorded" in CliRunner().invoke(app, ["runs", "--root", str(lake.root)]).output


def test_the_command_ends_with_4_if_anything_is_broken_and_says_what_to_do(lake):
    fine = CliRunner().invoke(app, ["fsck", "--root", str(lake.root)])
    assert (fine.exit_code, fine.output) == (0, "Nothing is broken.\n")
    second_file(lake).unlink()
    broken = CliRunner().invoke(app, ["fsck", "--root", str(lake.root)])
    assert broken.exit_code == 4
    assert f"{TABLE}: " in broken.output
    assert "`lakehouse rollback run1`" in broken.output
    told = json.loads(CliRunner().invoke(app, ["fsck", "--root", str(lake.root), "--json"]).output)
    assert (told["is_broken"], told["whole_run"], len(told["findings"])) == (True, "run1", 1)


def test_upkeep_that_took_the_files_of_a_published_version_away_is_no_damage(tmp_path):
    lake = Lake(tmp_path)
    for version in range(MANY):
        published(lake, f"run{version}", version)
    before = fsck(lake)
    _compact_and_take_away(lake)
    assert not all(path.is_file() for path in _files_of(lake, MANY - 1))
    assert (before.findings, fsck(lake).findings) == ([], [])


def test_the_runs_from_before_a_customer_was_forgotten_are_no_damage(lake):
    remember(lake, Erasure(customer="h", accounts=(), begun_at=datetime(2026, 7, 2, tzinfo=UTC), is_complete=True))
    manifest = lake.published().model_copy(update={"run_id": "run3", "published_at": datetime(2026, 7, 3, tzinfo=UTC)})
    publish(lake, manifest)
    DeltaTable(str(lake.table_path(TABLE)), version=1).create_checkpoint()
    commit(lake, 0).unlink()
    report = fsck(lake)
    assert (report.findings, report.whole_run) == ([], None)
