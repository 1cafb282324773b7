"""Building only the months that changed gives the tables that building all of them gives, whatever came in whichever order.

The graph is that of the events, six tables, each way of writing among them: appended, replaced by month, overwritten.
"""

from __future__ import annotations

from dataclasses import replace as changed
from datetime import date, datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as effort
from hypothesis import strategies as st

from jobs.bronze.usage_events import table as EVENTS
from lakehouse import delta, months
from lakehouse.config import load
from lakehouse.console import Silence
from lakehouse.coverage import last_complete_month_end
from lakehouse.lake import Lake
from lakehouse.maintain import maintain
from lakehouse.project import PROJECT
from lakehouse.registry import jobs
from lakehouse.runner import computed, execute, inputs
from lakehouse.settings import Settings
from tests.event_graph import BY_MONTH, GRAPH, NAMES

CONFIG = load(PROJECT / "conf")
FIRST_DAY = date(2025, 1, 1)


class Company:
    """A lake that receives events step by step, and what it received."""

    def __init__(self, root, seed):
        self.lake = Lake(root)
        self.chance = np.random.default_rng(seed)
        self.config = CONFIG
        self.reach = date(2025, 3, 31)
        self.sent = []
        self.files = 0

    def number(self, below):
        return int(self.chance.integers(below))

    def one_of(self, options):
        return options[self.number(len(options))]

    def some_sent(self, count):
        return [self.one_of(self.sent) for _ in range(count)]

    def event(self, day):
        kind, category = self.one_of([("login", None), ("report_generated", "reports"), ("api_call", "advanced")])
        return {
            "event_id": f"e{self.number(10**12)}",
            "customer_id": self.one_of(["c1"] * 4 + ["c2"] * 4 + [None]),
            "user_id": self.one_of("xyz"),
            "session_id": self.one_of("st"),
            "occurred_at": datetime(day.year, day.month, day.day, self.number(24)),
            "event_date": day,
            "event_month": day.replace(day=1),
            "event_type": kind,
            "event_category": category,
            "feature": self.one_of(["export", "builder", None]),
            "outcome": self.one_of(["ok", "error"]),
            "duration_seconds": self.number(9000) / 1000,
        }

    def some_days(self, count, first=FIRST_DAY):
        days = (self.reach - first).days
        return [first + timedelta(days=self.number(days + 1)) for _ in range(count)]

    def receive(self, events, *, replaces=None):
        self.files += 1
        stamped = [{**event, "_source": replaces or f"file{self.files}", "_batch_id": f"b{self.files}", "_row": number}
                   for number, event in enumerate(events, start=1)]  # fmt: skip
        self.sent += events
        schema = pa.schema([field.with_nullable(True) for field in EVENTS.arrow_schema])

        def append(run):
            batch = {"source": "files", "covered_to": self.reach.isoformat()}
            rows = pa.Table.from_pylist(stamped, schema=schema)
            metadata = {"run_id": run.run_id, "batch": batch}
            delta.append(rows, run.lake, EVENTS, run.config.lake, metadata, replaces=replaces)

        self.run(append)

    def run(self, receive=None):
        assert execute(self.lake, self.config, dict(GRAPH), Silence(), receive=receive).status in (
            "published",
            "unchanged",
        )

    # What can happen to a company's records, each of them followed by a run.

    def another_month(self):
        first = self.reach + timedelta(days=1)
        self.reach = (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
        self.receive(map_days(self, self.some_days(6, first)))

    def some_more_days(self):
        self.reach += timedelta(days=9)
        self.receive(map_days(self, self.some_days(3, self.reach - timedelta(days=8))))

    def late_events(self):
        self.receive(map_days(self, self.some_days(2)))

    def events_come_again(self):
        self.receive(self.some_sent(3))

    def corrections(self):
        self.receive([event | {"outcome": "error", "duration_seconds": 7.5} for event in self.some_sent(2)])

    def a_file_is_replaced(self):
        # One use in any case, so that no table is empty where the file was the first.
        use = {"customer_id": "c1", "event_type": "api_call", "event_category": "advanced", "feature": "export"}
        events = [self.event(FIRST_DAY) | use, *map_days(self, self.some_days(2))]
        self.receive(events, replaces=f"file{1 + self.number(self.files)}")

    def a_setting_changes(self):
        keep = self.config.lake.file_retention_days
        self.config = changed(self.config, lake=self.config.lake.model_copy(update={"file_retention_days": keep + 1}))
        self.run()

    def upkeep(self):
        maintain(self.lake, self.config.lake, list(NAMES))
        self.run()


def map_days(company, days):
    return [company.event(day) for day in days]


STEPS = (
    Company.another_month,
    Company.some_more_days,
    Company.late_events,
    Company.events_come_again,
    Company.corrections,
    Company.a_file_is_replaced,
    Company.a_setting_changes,
    Company.upkeep,
)


def differing(spark, company):
    """Return the tables whose stored rows are not those that all the events give at once."""
    settings = Settings.of(last_complete_month_end(company.reach), CONFIG.metrics, CONFIG.sla)
    lake, frames, different = company.lake, {}, []
    frames["events"] = inputs(lake, GRAPH, spark, GRAPH["silver.repeated_events"])["events"]
    for name in NAMES[1:]:
        table = GRAPH[name].table
        made = computed(GRAPH[name], {parameter: frames[parameter] for parameter in table.inputs}, settings)
        frames[table.short_name] = spark.createDataFrame(made.toArrow()) if name in BY_MONTH else made
        expected = sorted(made.collect(), key=str)
        stored = sorted(delta.read(spark, lake, table, lake.existing(name).version).collect(), key=str)
        assert name == "silver.repeated_events" or expected
        if stored != expected:
            different.append(name)
    return different


def begun(tmp_path_factory, seed):
    company = Company(tmp_path_factory.mktemp("incremental"), seed)
    company.receive(map_days(company, company.some_days(20)))
    return company


def lived_through(tmp_path_factory, seed, steps):
    company = begun(tmp_path_factory, seed)
    for step in steps:
        step(company)
    return company


SEQUENCES = given(seed=st.integers(0, 10**6), steps=st.lists(st.sampled_from(STEPS), min_size=2, max_size=4))
UNHURRIED = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]


def is_incremental(company, name, month):
    """Say whether the newest version of a table left the files of a month as they were."""
    version = company.lake.existing(name).version
    before, after = (
        {file for file in delta.files(company.lake, name, number) if f"={month}" in str(file)}
        for number in (version - 1, version)
    )
    return bool(before) and before == after


def test_a_late_event_repairs_its_month_and_what_depends_on_it_and_leaves_the_other_months(spark, tmp_path_factory):
    company = begun(tmp_path_factory, seed=1)
    late = company.event(date(2025, 1, 15)) | {"customer_id": "late", "event_type": "api_call", "feature": "export"}
    company.receive([late])
    for name in BY_MONTH[1:]:
        assert is_incremental(company, name, "2025-03-01"), name
        assert not is_incremental(company, name, "2025-01-01"), name
    assert "late" in delta.arrow(company.lake, "silver.usage_daily")["customer_id"].to_pylist()
    assert (
        company.lake.published().tables["silver.usage_daily"].rows
        == delta.arrow(company.lake, "silver.usage_daily").num_rows
    )
    assert differing(spark, company) == []


@pytest.mark.soak
@effort(max_examples=100, deadline=None, suppress_health_check=UNHURRIED, phases=[Phase.generate], derandomize=True)
@SEQUENCES
def test_whatever_came_in_whichever_order_the_tables_are_those_of_building_all_at_once(
    spark, tmp_path_factory, seed, steps
):
    assert differing(spark, lived_through(tmp_path_factory, seed, steps)) == []


@pytest.mark.soak
def test_a_fault_in_finding_the_months_would_be_seen(spark, tmp_path_factory, monkeypatch):
    """Planted: the oldest of the months that changed is overlooked."""
    found = months.due_months

    def all_but_the_oldest(*given):
        due = found(*given)
        return due and frozenset(sorted(due)[1:])

    monkeypatch.setattr("lakehouse.runner.due_months", all_but_the_oldest)
    company = begun(tmp_path_factory, seed=3)
    company.late_events()
    assert differing(spark, company) != []


def test_every_table_that_is_kept_by_month_is_tried():
    assert {name for name, known in jobs().items() if known.table.by_month} == {EVENTS.name, *BY_MONTH}
