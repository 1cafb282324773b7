"""Just the months that changed are due, however late their rows came, and all of them where the log cannot tell."""

from __future__ import annotations

from dataclasses import replace as changed
from datetime import UTC, date, datetime

import pyarrow as pa
import pytest
from deltalake import DeltaTable

from lakehouse import delta
from lakehouse.config import load
from lakehouse.lake import Lake
from lakehouse.manifest import Entry, Manifest, Quality
from lakehouse.months import basis, due_months
from lakehouse.project import PROJECT
from lakehouse.publish import publish
from lakehouse.registry import Job
from lakehouse.settings import Settings
from lakehouse.table import Column, Table
from tests.lakehouse.tables import CONFIG

MARCH, APRIL, MAY, JUNE = (date(2026, month, 1) for month in (3, 4, 5, 6))
DECEMBER = date(2024, 12, 1)
COLUMNS = (
    Column("id", "string", "Thing", nullable=False),
    Column("month", "date", "First day of its month"),
    Column("_source", "string", "Where it came from"),
)
RECEIVED = Table("bronze.things", "", "", ("id",), COLUMNS, by_month="month")
WORDS = Table("bronze.words", "", "", ("id",), COLUMNS)
MADE = Table(
    "silver.things",
    "",
    "",
    ("id",),
    COLUMNS,
    inputs={"things": RECEIVED.name, "words": WORDS.name},
    settings=("as_of", "min_observations"),
    by_month="month",
)
JOBS = {table.name: Job(table, None, PROJECT / "jobs" / "gold" / "term_mix.py") for table in (RECEIVED, WORDS, MADE)}


@pytest.fixture
def lake(tmp_path):
    """A lake whose silver table was computed from the months to May, and published."""
    lake = Lake(tmp_path)
    receive(lake, RECEIVED, MARCH, APRIL, MAY, None)
    receive(lake, WORDS, MARCH)
    compute(lake)
    return lake


def receive(lake, table, *months, replaces=None):
    rows = [{"id": f"{month}", "month": month, "_source": "a"} for month in months]
    data = pa.Table.from_pylist(rows, schema=table.arrow_schema)
    delta.append(data, lake, table, CONFIG, {"run_id": f"r{len(rows)}"}, replaces=replaces)


def settings(as_of=date(2026, 5, 31), **metrics):
    config = load(PROJECT / "conf")
    return Settings.of(as_of, config.metrics, config.sla).model_copy(update=metrics)


def basis_now(lake, given=None, job=JOBS[MADE.name], config=CONFIG):
    return basis(job, JOBS, lake, given or settings(), config)


def due(lake, *given, **others):
    return due_months(JOBS[MADE.name], JOBS, lake, basis_now(lake, *given, **others))


def compute(lake, *, is_published=True):
    metadata = {"run_id": "run", "basis": basis_now(lake)}
    delta.append(pa.Table.from_pylist([], schema=MADE.arrow_schema), lake, MADE, CONFIG, metadata)
    if is_published:
        version = lake.existing(MADE.name).version
        publish(
            lake,
            Manifest(
                run_id=f"run{version}",
                published_at=datetime(2026, 7, 1, tzinfo=UTC),
                as_of=date(2026, 5, 31),
                code="c",
                configuration="f",
                batch={},
                tables={MADE.name: Entry(version=version, rows=0, fingerprint="f")},
                quality=Quality(checks=0, failed=0),
            ),
        )


def test_nothing_is_due_where_nothing_changed(lake):
    assert due(lake) == set()


def test_the_months_of_new_rows_are_due_however_late_they_came(lake):
    receive(lake, RECEIVED, APRIL)
    receive(lake, RECEIVED, DECEMBER, None)
    assert due(lake) == {APRIL, DECEMBER}
    compute(lake)
    assert due(lake) == set()


def test_the_months_of_rows_that_were_replaced_are_due_as_well(lake):
    receive(lake, RECEIVED, JUNE, replaces="a")
    assert due(lake) == {MARCH, APRIL, MAY, JUNE}


def test_files_that_were_put_together_hold_nothing_new(lake):
    for _ in range(3):
        receive(lake, RECEIVED, MAY)
    compute(lake)
    DeltaTable(str(lake.table_path(RECEIVED.name))).optimize.compact()
    assert due(lake) == set()
    receive(lake, RECEIVED, MARCH)
    assert due(lake) == {MARCH}


@pytest.mark.parametrize(
    ("as_of", "months"),
    [
        (date(2026, 6, 30), {JUNE}),
        (date(2026, 5, 30), {MAY}),
        (date(2026, 4, 30), {MAY}),
        (date(2026, 3, 30), {MARCH, APRIL, MAY}),
    ],
)
def test_another_as_of_day_concerns_the_months_with_a_day_in_between(lake, as_of, months):
    assert due(lake, settings(as_of)) == months


def test_every_month_is_due_where_something_changed_that_concerns_all(lake):
    assert due(lake, settings(min_observations=7)) is None
    assert due(lake, config=CONFIG.model_copy(update={"file_retention_days": 91})) is None
    other_code = changed(JOBS[MADE.name], path=PROJECT / "jobs" / "gold" / "funnel.py")
    assert due(lake, job=other_code) is None
    receive(lake, WORDS, APRIL)
    assert due(lake) is None


def test_every_month_is_due_of_a_version_that_was_not_published(lake):
    receive(lake, RECEIVED, APRIL)
    compute(lake, is_published=False)
    assert due(lake) is None


def test_every_month_is_due_where_the_log_cannot_tell_what_changed(lake):
    receive(lake, RECEIVED, APRIL)
    receive(lake, RECEIVED, MAY)
    assert due(lake) == {APRIL, MAY}
    for version in (0, 1):
        lake.commit(RECEIVED.name, version).unlink()
    assert due(lake) is None


def test_every_month_is_due_where_an_input_was_made_anew(lake):
    DeltaTable(str(lake.table_path(RECEIVED.name))).alter.set_table_properties({"delta.appendOnly": "false"})
    receive(lake, RECEIVED, APRIL)
    assert due(lake) is None


def test_a_table_without_months_has_no_basis(lake):
    assert basis_now(lake, job=JOBS[WORDS.name]) is None
