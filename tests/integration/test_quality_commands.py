"""The checks of a published lake, and rejected rows that are corrected and released."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime

import pyarrow as pa
import pytest
from deltalake import DeltaTable
from typer.testing import CliRunner

from lakehouse import delta
from lakehouse.cli import app
from lakehouse.config import load
from lakehouse.errors import QualityError, UsageError
from lakehouse.lake import Lake
from lakehouse.manifest import Entry
from lakehouse.project import PROJECT
from lakehouse.publish import publish
from lakehouse.registry import jobs
from lakehouse.rules import Reconciliation

TRAFFIC = "bronze.web_traffic"


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


def recorded(lake, run_id):
    return [row for row in delta.arrow(lake, "ops.quality_results").to_pylist() if row["run_id"] == run_id]


def test_the_run_recorded_every_check_and_raised_no_false_alarm(small_lake):
    of_the_run = recorded(small_lake, small_lake.published().run_id)
    assert Counter(result["status"] for result in of_the_run).keys() == {"pass", "skipped"}
    # Nothing was published before, so there is no usual volume yet.
    assert {result["kind"] for result in of_the_run if result["status"] == "skipped"} == {"Volume"}
    declared = {
        (name, rule.name) for name, job in jobs().items() for rule in (*job.table.wide_rules, *job.table.rejects)
    }
    assert declared <= {(result["table_name"], result["rule"]) for result in of_the_run}
    assert {result["action"] for result in of_the_run} == {"stop", "mark", "quarantine"}


@pytest.mark.soak
def test_check_judges_the_published_tables_anew_and_records_it(lake):
    outcome = as_json(lake, "check", "--table", "gold.payment_summary", "--table", "silver.customers")
    statuses = {(result["table_name"], result["rule"]): result["status"] for result in outcome["results"]}
    assert statuses["gold.payment_summary", "amounts_are_those_of_the_payments"] == "pass"
    assert statuses["silver.customers", "key_unique"] == "pass"
    assert {name for name, _ in statuses} == {"gold.payment_summary", "silver.customers"}
    assert len(recorded(lake, outcome["run_id"])) == len(outcome["results"])
    assert as_json(lake, "runs")[0]["status"] == "checked"


def test_check_ends_with_a_quality_error_when_a_published_row_is_lost(lake):
    DeltaTable(str(lake.table_path("silver.nps_responses"))).delete("score = 10")
    manifest = lake.published()
    entry = manifest.tables["silver.nps_responses"]
    lost = Entry(version=entry.version + 1, rows=entry.rows, fingerprint=entry.fingerprint)
    publish(lake, manifest.model_copy(update={"tables": manifest.tables | {"silver.nps_responses": lost}}))
    with pytest.raises(QualityError, match=r"silver\.nps_responses break received_is_accounted_for") as refused:
        command(lake, "check", "--table", "silver.nps_responses")
    assert refused.value.exit_code == 3
    assert as_json(lake, "runs")[0]["status"] == "failed"
    assert lake.published().run_id == manifest.run_id


def test_a_failed_reconciliation_leaves_the_published_run_and_a_warning_does_not(lake, monkeypatch):
    known = dict(jobs())
    name = "gold.top_features"

    def with_rule(rule):
        table = replace(known[name].table, audits=(rule,))
        monkeypatch.setattr(
            "lakehouse.commands.building.jobs", lambda: known | {name: replace(known[name], table=table)}
        )

    before = lake.published()
    with_rule(Reconciliation("no_events", "sum(events)", ()))
    with pytest.raises(QualityError, match=r"gold\.top_features break no_events"):
        command(lake, "run", "--select", name, "--full")
    assert lake.published() == before
    with_rule(Reconciliation("no_events", "sum(events)", (), severity="warn", action="mark"))
    assert "1 of 1 rows of gold.top_features break no_events" in command(lake, "run", "--select", name)
    assert lake.published().quality.warned == 1


@pytest.mark.soak
def test_a_rejected_row_is_listed_corrected_released_once_and_accounted_for(lake, tmp_path):
    table = jobs()[TRAFFIC].table
    head = lake.existing(TRAFFIC)
    row = {"channel": "direct", "sessions": 7, "_source": "visits.csv", "_batch_id": "b1", "_row": 4}
    row["_ingested_at"] = datetime(2025, 1, 1, tzinfo=UTC)
    delta.append(
        pa.Table.from_pylist([row], schema=table.arrow_schema),
        lake,
        table,
        load(PROJECT / "conf").lake,
        {"batch": head.metadata["batch"]},
    )

    assert as_json(lake, "run")["status"] == "published"
    (waiting,) = as_json(lake, "quarantine", "list", "--table", TRAFFIC)
    assert waiting["rule"] == "traffic_date_missing"
    assert waiting["row"]["sessions"] == 7
    of_the_run = recorded(lake, lake.published().run_id)
    rules = {result["rule"]: result for result in of_the_run if result["table_name"] == TRAFFIC}
    assert (rules["traffic_date_missing"]["failed"], rules["traffic_date_missing"]["action"]) == (1, "quarantine")

    file = tmp_path / "corrected.jsonl"
    file.write_text(json.dumps(waiting | {"row": waiting["row"] | {"traffic_date": "first of May"}}))
    with pytest.raises(UsageError, match=r"Line 1 .*traffic_date 'first of May'"):
        command(lake, "quarantine", "release", "--file", str(file))
    file.write_text(json.dumps(waiting | {"row": waiting["row"] | {"traffic_date": "2024-05-01"}}))
    command(lake, "quarantine", "release", "--file", str(file))
    with pytest.raises(UsageError, match="released before"):
        command(lake, "quarantine", "release", "--file", str(file))

    assert as_json(lake, "run")["status"] == "published"
    assert as_json(lake, "quarantine", "list") == []
    traffic = delta.arrow(lake, TRAFFIC).to_pylist()
    (released,) = [found for found in traffic if found["_source"] == "correction of visits.csv / b1 / 4"]
    assert (released["traffic_date"], released["sessions"]) == (date(2024, 5, 1), 7)
