"""A customer who is forgotten is found in no file any more, whatever was killed on the way, and does not come back."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest
from deltalake import write_deltalake

from lakehouse import delta, ops
from lakehouse import forget as forgetting
from lakehouse.config import load
from lakehouse.console import Silence
from lakehouse.errors import BrokenLakeError, LakehouseError, UsageError
from lakehouse.forget import forget
from lakehouse.forgotten import FORGOTTEN, erasures
from lakehouse.lake import Lake
from lakehouse.project import PROJECT
from lakehouse.registry import jobs
from tests.lakehouse.search import places

CONFIG = load(PROJECT / "conf")
RECEIVED = ("customers", "accounts", "contacts", "support_interactions", "nps_responses", "sales_reps")
JOBS = {name: jobs()[name] for name in (f"bronze.{short_name}" for short_name in RECEIVED)}

# Of C1 and its account A1: everything that must not be found.
GONE = [
    "Ann Smïth", "ann@one.example", "Bob Jones", "bob@one.example", "Dora Kid", "dora@one.example", "One Labs",
    "Ann here, please call me", "Dora likes it",
]  # fmt: skip
STAYS = ["Eve Other", "eve@two.example", "Finn Two", "Two Foods", "Eve asks", "Rita Rep"]

ROWS = {
    "customers": [
        {"customer_id": "C1", "account_id": "A1", "company_name": "One Labs", "contact_name": "Ann Smïth", "email": "ann@one.example", "employee_count": 7},
        {"customer_id": "C2", "account_id": "A2", "company_name": "Two Foods", "contact_name": "Eve Other", "email": "eve@two.example", "employee_count": 9},
        {"customer_id": None, "account_id": "A1", "company_name": "One Labs", "contact_name": "Ann Smïth", "email": "ann@one.example", "employee_count": 7},
        {"customer_id": "C1", "account_id": "A1", "company_name": "One Labs", "contact_name": "Bob Jones", "email": "bob@one.example", "employee_count": 8},
    ],
    "accounts": [{"account_id": "A1", "account_name": "One Labs"}, {"account_id": "A2", "account_name": "Two Foods"}],
    "contacts": [
        {"contact_id": "K1", "account_id": "A1", "full_name": "Ann Smïth", "email": "ann@one.example"},
        {"contact_id": "K2", "account_id": "A1", "full_name": "Dora Kid", "email": "dora@one.example"},
        {"contact_id": "K3", "account_id": "A2", "full_name": "Finn Two", "email": "finn@two.example"},
    ],
    "support_interactions": [
        {"ticket_id": "T1", "customer_id": "C1", "message": "Ann here, please call me"},
        {"ticket_id": "T1", "customer_id": None, "message": "Ann here, please call me soon"},
        {"ticket_id": "T2", "customer_id": "C2", "message": "Eve asks"},
    ],
    "nps_responses": [{"response_id": "R1", "customer_id": "C1", "comment": "Dora likes it"}],
    "sales_reps": [{"rep_id": "S1", "rep_name": "Rita Rep"}],
}  # fmt: skip


class Killed(BaseException):
    """The process ends here."""


@pytest.fixture
def logs(tmp_path, monkeypatch):
    folder = tmp_path / "logs"
    folder.mkdir()
    (folder / "spark.log").write_text("WARN cannot read ann@one.example\n")
    (folder / "spark.log.1").write_text("WARN cannot read Dora Kid\n")
    monkeypatch.setattr(forgetting, "LOGS", folder)
    return folder


@pytest.fixture
def lake(tmp_path, logs):  # noqa: ARG001 - the logs that are to be emptied
    """Two customers, received in two batches; customers by an earlier release, whose log tells least and greatest values."""
    lake = Lake(tmp_path / "lake")
    customers = as_received("customers", ROWS["customers"][:1], "b0")
    write_deltalake(str(lake.table_path("bronze.customers")), customers, mode="append")
    for name, rows in ROWS.items():
        half = 1 if name == "customers" else len(rows) // 2
        for batch, part in (("b1", rows[half:]), ("b2", rows[:half] if name != "customers" else [])):
            if part:
                receive(lake, name, part, batch)
    run = {"run_id": "r1", "started_at": moment(), "finished_at": moment(), "status": "failed", "jobs_done": 0}
    counts = {"jobs_skipped": 0, "checks": 0, "checks_failed": 0}
    for run_id, message in (("r1", "No row for ann@one.example, it says"), ("r2", "No space left")):
        entry = pa.Table.from_pylist([run | counts | {"run_id": run_id, "message": message}], ops.RUNS.arrow_schema)
        delta.append(entry, lake, ops.RUNS, CONFIG.lake, {"run_id": run_id})
    return lake


def moment():
    return datetime(2026, 6, 30, tzinfo=UTC)


def as_received(short_name, rows, batch):
    table = JOBS[f"bronze.{short_name}"].table
    provenance = {"_source": "file.csv", "_batch_id": batch, "_ingested_at": moment()}
    numbered = [{**row, **provenance, "_row": number} for number, row in enumerate(rows, start=1)]
    return pa.Table.from_pylist(numbered, schema=table.arrow_schema)


def receive(lake, short_name, rows, batch):
    table = JOBS[f"bronze.{short_name}"].table
    metadata = {"run_id": batch, "batch": {"covered_to": "2026-06-30"}}
    delta.append(as_received(short_name, rows, batch), lake, table, CONFIG.lake, metadata)


def forgotten(lake, customer="C1"):
    return forget(lake, CONFIG, JOBS, Silence(), customer)


def values(lake, short_name, column):
    rows = delta.arrow(lake, f"bronze.{short_name}").sort_by([("_batch_id", "ascending"), ("_row", "ascending")])
    return rows[column].to_pylist()


def test_nothing_is_dropped_while_only_commits_tell_which_files_came_in(lake):
    table, head = JOBS["bronze.customers"].table, lake.existing("bronze.customers")
    batch = {"file": "customers.csv", "batch_id": "file-1", "digest": "d", "bytes": 1, "rows": 0, "replaces": None}
    metadata = {"run_id": "b3", "batch": {**head.metadata["batch"], **batch}}
    delta.append(table.arrow_schema.empty_table(), lake, table, CONFIG.lake, metadata)
    with pytest.raises(LakehouseError, match=r"found customers\.csv; expected a published run"):
        forgotten(lake)
    assert lake.first_run("bronze.customers") is not None
    assert not erasures(lake)[0].is_complete


def test_a_record_that_could_not_be_told_apart_is_erased_where_a_cell_is_the_customers_id(lake):
    lines = ['C1,One Labs,"Ann Smïth",ann@one.example,7,', 'C2,Two Foods,"Eve Other",eve@two.example,9,']
    receive(lake, "customers", [{"_unread": json.dumps({"_line": line})} for line in lines], "b3")
    (lake.root / "_staging").mkdir()
    pq.write_table(pa.table({"email": ["ann@one.example"]}), lake.root / "_staging" / "left-by-a-kill.parquet")
    found = places(lake.root.parent, GONE)
    assert any("_staging" in place for place in found)
    forgotten(lake)
    assert places(lake.root.parent, GONE) == []
    assert [unread for unread in values(lake, "customers", "_unread") if unread] == [json.dumps({"_line": lines[1]})]
    # Nor does it come back.
    receive(lake, "customers", [{"_unread": json.dumps({"_line": line})} for line in lines[:1]], "b4")
    assert places(lake.root.parent, GONE) == []


def test_a_customer_is_found_everywhere_before_and_nowhere_after(lake):
    before = places(lake.root.parent, GONE)
    assert {place.split("/")[2] for place in before if place.startswith("lake/bronze")} == set(RECEIVED) - {
        "sales_reps"
    }
    assert any("ops/runs" in place for place in before)
    assert "lake/bronze/customers/_delta_log/00000000000000000000.json" in before, "least and greatest values"
    assert {"logs/spark.log", "logs/spark.log.1"} <= set(before)

    done = forgotten(lake)

    assert done.rows == {
        "bronze.customers": 3,
        "bronze.accounts": 1,
        "bronze.contacts": 2,
        "bronze.support_interactions": 2,
        "bronze.nps_responses": 1,
    }
    assert places(lake.root.parent, GONE) == []
    assert all(places(lake.root, [value]) for value in STAYS), "nobody else is touched"


def test_the_rows_stay_with_all_that_tells_nothing(lake):
    forgotten(lake)
    assert sorted(values(lake, "customers", "employee_count")) == [7, 7, 8, 9]
    assert values(lake, "customers", "customer_id").count("C1") == 2
    assert values(lake, "customers", "contact_name").count(None) == 3
    assert lake.existing("bronze.contacts").metadata["batch"] == {"covered_to": "2026-06-30"}, "what the source covers"
    messages = delta.arrow(lake, ops.RUNS.name).sort_by("run_id")["message"].to_pylist()
    assert messages == [None, "No space left"]


def test_the_log_holds_no_condition_with_a_value_and_no_extremes_of_names(lake):
    forgotten(lake)
    receive(lake, "contacts", ROWS["contacts"][2:], "b3")
    log = "".join(path.read_text() for path in lake.table_path("bronze.contacts").glob("_delta_log/*.json"))
    assert '"operation":"WRITE"' in log
    assert not [value for value in ("C1", "A1", "finn@two.example", "Finn Two") if value in log]


def test_only_the_newest_version_is_left_and_further_records_find_their_place(lake):
    forgotten(lake)
    for name in JOBS:
        head = lake.existing(name)
        assert delta.arrow(lake, name, head.version).equals(delta.arrow(lake, name))
        assert not any(lake.has_version(name, version) for version in range(head.version))
    receive(lake, "contacts", ROWS["contacts"][2:], "b3")
    assert len(values(lake, "contacts", "contact_id")) == 4
    found = delta.dataset(lake, "bronze.contacts").to_table(filter=ds.field("full_name") == "Finn Two")
    assert found["contact_id"].to_pylist() == ["K3", "K3"], "the rewritten files can be searched like the others"


def test_later_records_do_not_bring_the_customer_back(lake):
    forgotten(lake)
    later = [
        {"customer_id": "C1", "account_id": "A1", "contact_name": "Carl New", "email": "carl@one.example", "employee_count": 10},
        {"customer_id": None, "account_id": "A1", "contact_name": "Carl New", "email": "carl@one.example", "employee_count": 10},
        {"customer_id": "C2", "account_id": "A2", "contact_name": "Gil Next", "email": "gil@two.example", "employee_count": 11},
    ]  # fmt: skip
    receive(lake, "customers", later, "b9")
    receive(lake, "contacts", [{"contact_id": "K9", "account_id": "A1", "full_name": "Carl New"}], "b9")
    assert places(lake.root, ["Carl New", "carl@one.example"]) == []
    assert values(lake, "customers", "contact_name")[-3:] == [None, None, "Gil Next"]
    assert values(lake, "customers", "employee_count")[-3:] == [10, 10, 11]
    assert forgotten(lake).is_new is False, "nothing was left to erase"


def test_who_was_forgotten_is_known_by_hashes_only(lake):
    forgotten(lake)
    (erasure,) = erasures(lake)
    assert erasure.is_complete
    assert erasure.customer == hashlib.sha256(b"customer_id=C1").hexdigest()
    assert erasure.accounts == (hashlib.sha256(b"account_id=A1").hexdigest(),)
    assert "C1" not in (lake.root / FORGOTTEN).read_text()


def test_two_customers_may_be_forgotten_one_after_the_other(lake):
    forgotten(lake)
    forgotten(lake, "C2")
    assert len(erasures(lake)) == 2
    assert places(lake.root, [*GONE, "Eve Other", "Finn Two", "Two Foods", "Eve asks"]) == []
    assert places(lake.root, ["Rita Rep"])


STEPS = ("remember", "_erase_messages", "_erase", "_built_anew", "_drop_history", "take_files_away")


@pytest.mark.parametrize("is_done_first", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("step", STEPS)
def test_after_a_kill_the_same_command_completes_the_work(lake, monkeypatch, step, is_done_first):
    original, calls = getattr(forgetting, step), []

    def killed_at_the_second_call(*arguments, **options):
        calls.append(step)
        # Steps that are taken once are killed there.
        is_here = len(calls) == (2 if step in ("remember", "_erase", "_drop_history", "take_files_away") else 1)
        result = original(*arguments, **options) if is_done_first or not is_here else None
        if is_here:
            raise Killed
        return result

    with monkeypatch.context() as patched:
        patched.setattr(forgetting, step, killed_at_the_second_call)
        with pytest.raises(Killed):
            forgotten(lake)
    forgotten(lake)
    assert places(lake.root.parent, GONE) == []
    assert erasures(lake)[0].is_complete
    assert sorted(values(lake, "customers", "employee_count")) == [7, 7, 8, 9]


def test_an_unknown_customer_is_refused_and_nothing_is_touched(lake):
    before = {path: path.read_bytes() for path in lake.root.rglob("*") if path.is_file()}
    with pytest.raises(UsageError, match="The customer C9 cannot be forgotten") as refused:
        forgotten(lake, "C9")
    assert refused.value.exit_code == 2
    after = {path: path.read_bytes() for path in lake.root.rglob("*") if path.is_file()}
    assert {path: content for path, content in after.items() if "_lock" not in path.parts} == before


def test_a_table_that_nobody_declares_may_hold_anything(lake):
    write_deltalake(str(lake.table_path("silver.leftover")), pa.table({"who": ["Ann Smïth"]}))
    with pytest.raises(UsageError, match=r"no job declares: silver\.leftover"):
        forgotten(lake)


def test_without_the_list_nothing_is_received(lake):
    (lake.root / FORGOTTEN).write_text("[")
    with pytest.raises(BrokenLakeError, match="could bring forgotten people back"):
        receive(lake, "contacts", ROWS["contacts"], "b9")


@pytest.mark.parametrize("name", [name for name in jobs() if name.startswith(("silver.", "gold."))])
def test_a_column_made_of_one_that_is_erased_is_marked_like_it(name):
    marked = {
        c.name: (c.personal, c.identifying)
        for job in jobs().values()
        for c in job.table.columns
        if job.transform is None and c.name in job.table.erasable
    }
    columns = {column.name: (column.personal, column.identifying) for column in jobs()[name].table.columns}
    assert {column: marks for column, marks in columns.items() if column in marked} == {
        column: marked[column] for column in columns if column in marked
    }


def test_what_could_not_be_read_is_erased_where_it_could_be_a_name_and_nowhere_else():
    erasable = {name: job.table.erasable for name, job in jobs().items() if job.table.layer == "bronze"}
    assert erasable["bronze.contacts"] == ["full_name", "email", "_unread"]
    assert erasable["bronze.usage_events"] == []
