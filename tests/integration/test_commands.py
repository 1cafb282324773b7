"""Every command, on a small published lake."""

from __future__ import annotations

import csv
import json
import shutil
import time
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from lakehouse import delta
from lakehouse.cli import app
from lakehouse.errors import BrokenLakeError, QualityError, UsageError
from lakehouse.export import BYTE_ORDER_MARK, exported
from lakehouse.lake import CURRENT, Lake
from lakehouse.registry import jobs
from lakehouse.table import Check


def command(lake, *arguments):
    """Run a command on the lake and return what it printed; a failure is raised."""
    result = CliRunner().invoke(app, [*arguments, "--root", str(lake.root)], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def as_json(lake, *arguments):
    return json.loads(command(lake, *arguments, "--json"))


@pytest.fixture
def lake(small_lake, tmp_path):
    """A copy that a test may change."""
    shutil.copytree(small_lake.root, tmp_path / "lake")
    return Lake(tmp_path / "lake")


def test_a_second_run_with_nothing_new_skips_everything_and_starts_no_session(lake, monkeypatch):
    monkeypatch.setattr("lakehouse.runner.get_session", lambda: pytest.fail("a session was started"))
    before = lake.current()
    outcome = as_json(lake, "run")
    assert outcome["status"] == "unchanged"
    assert {step["status"] for step in outcome["steps"]} == {"skipped"}
    assert len(outcome["steps"]) == sum(job.transform is not None for job in jobs().values())
    assert lake.current() == before


def test_the_published_run_holds_every_table_with_its_rows(small_lake):
    manifest = small_lake.published()
    assert set(manifest.tables) == set(jobs())
    assert manifest.batch["seed"] == 3
    assert manifest.quality.checks > 300
    for name in ("bronze.subscriptions", "silver.customer_months", "gold.unit_economics"):
        assert delta.arrow(small_lake, name, manifest.versions[name]).num_rows == manifest.tables[name].rows > 0


def test_a_selected_table_without_dependants_is_rebuilt_and_published(lake):
    before = lake.published()
    outcome = as_json(lake, "run", "--select", "gold.top_features", "--full")
    assert [step["table_name"] for step in outcome["steps"]] == ["gold.top_features"]
    assert outcome["status"] == "published"
    changed = {name for name, version in lake.published().versions.items() if version != before.versions[name]}
    assert changed == {"gold.top_features"}


@pytest.mark.soak
def test_a_rebuilt_table_with_dependants_is_not_published_and_the_rest_is_named(lake):
    before = lake.published()
    outcome = as_json(lake, "run", "--select", "gold.survival_curves", "--full")
    assert outcome["status"] == "kept"
    assert "gold.customer_lifetimes" in outcome["message"]
    assert lake.published() == before
    finished = as_json(lake, "run")
    assert finished["status"] == "published"
    done = {step["table_name"] for step in finished["steps"] if step["status"] == "done"}
    assert done == {
        "gold.customer_lifetimes",
        "gold.unit_economics",
        "gold.unit_economics_by_segment",
        "gold.dim_account",
    }


def test_a_rollback_publishes_the_run_before_and_the_next_run_does_not_undo_it(lake):
    first = lake.published()
    command(lake, "run", "--select", "gold.top_features", "--full")
    second = lake.published()
    command(lake, "rollback")
    assert lake.published().versions == first.versions
    assert as_json(lake, "run")["status"] == "kept"
    statuses = {entry["run_id"]: (entry["is_current"], entry["is_withdrawn"]) for entry in as_json(lake, "runs")}
    assert statuses[first.run_id] == (True, False)
    assert statuses[second.run_id] == (False, True)


def test_a_failed_check_stops_the_publishing_until_the_cause_is_gone(lake, monkeypatch):
    known = dict(jobs())
    table = known["gold.top_features"].table
    before = lake.published()
    with monkeypatch.context() as patched:
        impossible = replace(table, checks=(*table.checks, Check("never", "events < 0")))
        patched.setattr(
            "lakehouse.commands.building.jobs",
            lambda: known | {table.name: replace(known[table.name], table=impossible)},
        )
        for _ in range(2):
            with pytest.raises(QualityError, match=r"gold\.top_features break never"):
                command(lake, "run", "--select", "gold.top_features", "--full")
            assert lake.published() == before
    results = delta.arrow(lake, "ops.quality_results").to_pylist()
    assert {row["rule"] for row in results if row["status"] == "fail"} == {"never"}


@pytest.mark.soak
def test_later_days_are_appended_and_only_what_they_touch_changes(lake):
    before = delta.arrow(lake, "bronze.payments").num_rows
    outcome = as_json(lake, "run", "--through", "2025-01-31")
    assert outcome["status"] == "published"
    assert str(outcome["as_of"]) == "2025-01-31"
    assert delta.arrow(lake, "bronze.payments").num_rows > before
    assert lake.published().batch["covered_to"] == "2025-01-31"


@pytest.mark.parametrize(
    "option", [["--customers", "50"], ["--months", "12"], ["--seed", "4"], ["--profile", "growth"], ["--dirt"]]
)
def test_another_company_on_the_same_lake_is_refused(lake, option):
    with pytest.raises(UsageError, match="holds another company"):
        command(lake, "run", *option)


@pytest.mark.soak
@pytest.mark.usefixtures("spark")
def test_the_dry_run_tries_every_job_and_writes_nothing(tmp_path):
    lake = Lake(tmp_path / "empty")
    plan = as_json(lake, "run", "--dry-run")
    assert plan["due"] == plan["order"]
    assert not lake.root.exists()


def test_a_damaged_lake_is_told_and_left_alone(lake):
    shutil.rmtree(lake.table_path("gold.unit_economics"))
    with pytest.raises(BrokenLakeError, match=r"gold\.unit_economics"):
        command(lake, "show", "gold.unit_economics_by_segment")
    (lake.root / CURRENT).write_text("nothing\n")
    with pytest.raises(BrokenLakeError, match="no readable published run"):
        command(lake, "export")


def test_the_exports_are_what_excel_and_power_bi_read(small_lake):
    folder = small_lake.root / "exports"
    written = json.loads((folder / "manifest.json").read_text())
    assert set(written["tables"]) == set(exported(jobs()))
    star = {"dim_customer", "dim_product", "dim_date", "fct_revenue", "fct_usage", "fct_tickets"}
    assert star <= set(written["tables"])
    for name, entry in written["tables"].items():
        raw = (folder / f"{name}.csv").read_bytes()
        assert raw.startswith(BYTE_ORDER_MARK)
        with (folder / f"{name}.csv").open(encoding="utf-8-sig", newline="") as file:
            lines = list(csv.reader(file))
        assert lines[0] == entry["columns"]
        assert len(lines) - 1 == entry["rows"] == pq.read_metadata(folder / f"{name}.parquet").num_rows
    assert not {"email", "contact_name"} & set(written["tables"]["dim_customer"]["columns"])


def test_exporting_again_writes_nothing_new(lake):
    before = {path.name: path.stat().st_mtime_ns for path in (lake.root / "exports").iterdir()}
    time.sleep(0.01)
    command(lake, "export")
    assert {path.name: path.stat().st_mtime_ns for path in (lake.root / "exports").iterdir()} == before


def test_show_prints_the_rows_of_a_table_by_key(small_lake):
    rows = as_json(small_lake, "show", "gold.unit_economics_by_segment", "--limit", "3")
    assert len(rows) == 3
    assert [row["dimension"] for row in rows] == sorted(row["dimension"] for row in rows)
    assert "ltv_cac_ratio" in command(small_lake, "show", "gold.unit_economics_by_segment", "--limit", "1")


def test_show_of_an_unknown_table_names_the_known_ones(small_lake):
    with pytest.raises(UsageError, match=r"gold\.unit_economics"):
        command(small_lake, "show", "gold.nothing")


def test_policies_are_compared_on_the_published_ledger(small_lake):
    compared = as_json(small_lake, "compare-policies", "stripe", "board", "--month", "2024-11")
    ledger = delta.arrow(
        small_lake, "silver.customer_months", small_lake.published().versions["silver.customer_months"]
    )
    month = [row for row in ledger.to_pylist() if row["month"] == date(2024, 11, 1)]
    stripe, board = compared["bridges"]["stripe"], compared["bridges"]["board"]
    amounts = [name for name in board if name.endswith("_mrr")]
    assert {name: Decimal(board[name]) for name in amounts} == {
        name: sum(row[name] for row in month) for name in amounts
    }
    assert board["customers_closing"] == sum(row["is_active"] for row in month)
    assert [switch["switch"] for switch in compared["switches"]] == ["counts_finite_discounts", "churn_dated"]
    assert compared["lines"]
    for name in amounts:
        explained = sum(Decimal(line["differences"].get(name, 0)) for line in compared["lines"])
        assert Decimal(stripe[name]) + explained == Decimal(board[name]), name


def test_a_profile_compared_with_its_equal_differs_in_nothing(small_lake):
    assert "No customer's figures differ." in command(small_lake, "compare-policies", "recurly", "board")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["strype", "board"], "no profile 'strype'.*board, stripe"),
        (["stripe", "board", "--month", "2031-01"], "the month 2031-01.* to 2024-12"),
    ],
)
def test_an_unknown_profile_or_month_is_told_with_the_known_ones(small_lake, arguments, told):
    with pytest.raises(UsageError, match=told) as refused:
        command(small_lake, "compare-policies", *arguments)
    assert refused.value.exit_code == 2


def test_tables_lists_every_table(small_lake):
    assert {entry["table"] for entry in as_json(small_lake, "tables")} == set(jobs())


def test_graph_names_the_inputs_of_every_table():
    result = CliRunner().invoke(app, ["graph", "--json"])
    edges = json.loads(result.output)
    assert edges["silver.usage_daily"] == ["silver.user_days"]
    assert list(edges) != sorted(edges), "in the order of computation, not by name"


def test_runs_lists_every_run_with_the_published_one(small_lake):
    history = as_json(small_lake, "runs")
    assert [entry["status"] for entry in history if entry["is_current"]] == ["published"]


def test_doctor_finds_nothing_wrong_here(small_lake):
    findings = {finding["subject"]: finding for finding in as_json(small_lake, "doctor")}
    assert all(finding["is_good"] for finding in findings.values())
    assert "Java" in findings


def test_generate_appends_nothing_to_a_complete_lake_and_reports_the_bands(lake):
    head = lake.existing("bronze.usage_events")
    report = as_json(lake, "generate", "--report")
    assert lake.existing("bronze.usage_events") == head
    assert len(report["bands"]) > 10
