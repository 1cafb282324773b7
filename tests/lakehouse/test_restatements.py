"""A published month that changes is told: which figure, from what to what, in which run and because of which file."""

from __future__ import annotations

from dataclasses import replace as changed
from datetime import UTC, date, datetime
from decimal import Decimal

import pyarrow as pa
import pytest

from jobs.gold.restatements import table as RESTATEMENTS
from lakehouse import delta
from lakehouse.config import load
from lakehouse.console import Silence
from lakehouse.lake import Lake
from lakehouse.manifest import Entry, Manifest, Quality
from lakehouse.project import PROJECT
from lakehouse.publish import has_versions, is_withdrawn, publish, rollback
from lakehouse.registry import Job
from lakehouse.restatements import restated
from lakehouse.run import Run
from lakehouse.table import MONEY, Column, Table

CONFIG = load(PROJECT / "conf")
MARCH, APRIL, MAY = (date(2026, month, 1) for month in (3, 4, 5))
RECEIVED = Table("bronze.bills", "", "", ("id",), (Column("id", "string", "Bill"),))
FIGURES = Table(
    "gold.figures",
    "",
    "",
    ("month", "segment"),
    (
        Column("month", "date", "Month"),
        Column("segment", "string", "Segment"),
        Column("mrr", MONEY, "Revenue"),
        Column("rate", "double", "Rate"),
        Column("waiting", "int", "What still waits", ripens=True),
    ),
    inputs={"bills": RECEIVED.name},
)
TABLE = changed(RESTATEMENTS, inputs={"figures": FIGURES.name})
PLACE = PROJECT / "jobs" / "gold" / "restatements.py"
JOBS = {table.name: Job(table, None, PLACE) for table in (RECEIVED, TABLE)}
JOBS[FIGURES.name] = Job(FIGURES, lambda bills: bills, PLACE)


class Books:
    """A lake of one table of figures, which is published run by run."""

    def __init__(self, root):
        self.lake = Lake(root)

    def close(self, *rows, file="bills.csv", as_of=date(2026, 4, 30), code="c", is_published=True):
        run = Run(self.lake, CONFIG, JOBS, Silence())
        if file:
            bill = pa.Table.from_pylist([{"id": file}], schema=RECEIVED.arrow_schema)
            delta.append(bill, self.lake, RECEIVED, CONFIG.lake, {"run_id": run.run_id, "batch": {"file": file}})
        names = FIGURES.column_names
        figures = [
            {**dict(zip(names, row, strict=True)), "mrr": None if row[2] is None else Decimal(row[2])} for row in rows
        ]
        delta.overwrite(
            pa.Table.from_pylist(figures, schema=FIGURES.arrow_schema),
            self.lake,
            FIGURES,
            CONFIG.lake,
            {"run_id": run.run_id},
        )
        tables = {
            name: Entry(version=self.lake.existing(name).version, rows=1, fingerprint="f")
            for name in (RECEIVED.name, FIGURES.name)
        }
        manifest = restated(
            run,
            Manifest(
                run_id=run.run_id,
                published_at=datetime(2026, 7, 1, tzinfo=UTC),
                as_of=as_of,
                code=code,
                configuration="f",
                batch={},
                tables=tables,
                quality=Quality(checks=0, failed=0),
            ),
        )
        if is_published:
            publish(self.lake, manifest)
        return run

    @property
    def rows(self):
        version = self.lake.published().tables[TABLE.name].version
        stored = delta.arrow(self.lake, TABLE.name, version).to_pylist()
        return sorted(stored, key=lambda row: [row[name] for name in ("run_id", "month", "figure_of", "measure")])

    @property
    def told(self):
        columns = ("measure", "month", "figure_of", "value_before", "value_after")
        return [tuple(row[name] for name in columns) for row in self.rows]

    @property
    def last(self):
        return self.rows[-1]


@pytest.fixture
def books(tmp_path):
    books = Books(tmp_path)
    books.close((MARCH, "SMB", "100.00", 0.5, 1), (APRIL, "SMB", "110.00", None, 1), (MAY, "SMB", "5.00", 0.1, 1))
    return books


def test_a_first_run_restates_nothing(books):
    assert books.told == []


def test_a_figure_that_changed_is_told_with_its_run_and_file(books):
    first = books.lake.published().run_id
    run = books.close(
        (MARCH, "SMB", "90.50", 0.5, 1), (APRIL, "SMB", "110.00", None, 1), file="late.csv", as_of=date(2026, 5, 31)
    )
    assert run.restated == 1
    assert books.last == {
        "run_id": run.run_id,
        "previous_run_id": first,
        "table_name": "gold.figures",
        "measure": "mrr",
        "month": MARCH,
        "figure_of": "segment=SMB",
        "value_before": Decimal("100.000000000"),
        "value_after": Decimal("90.500000000"),
        "change": Decimal("-9.500000000"),
        "as_of_before": date(2026, 4, 30),
        "as_of": date(2026, 5, 31),
        "cause": "records",
        "files": "late.csv",
    }


def test_figures_that_come_or_go_are_told_without_a_difference(books):
    books.close(
        (MARCH, "SMB", "100.00", None, 1), (APRIL, "SMB", "110.00", 0.25, 1), (APRIL, "Enterprise", "7.00", None, 1)
    )
    assert books.told == [
        ("rate", MARCH, "segment=SMB", Decimal("0.5"), None),
        ("mrr", APRIL, "segment=Enterprise", None, Decimal(7)),
        ("rate", APRIL, "segment=SMB", None, Decimal("0.25")),
    ]
    assert books.last["change"] is None


def test_a_month_that_was_not_complete_and_what_ripens_are_no_restatement(books):
    books.close((MARCH, "SMB", "100.00", 0.5, 0), (APRIL, "SMB", "110.00", None, 9), (MAY, "SMB", "99.00", 0.2, 3))
    assert books.told == []


def test_a_change_of_code_is_told_as_such(books):
    books.close((MARCH, "SMB", "1.00", 0.5, 1), (APRIL, "SMB", "110.00", None, 1), file=None, code="d")
    assert (books.last["cause"], books.last["files"]) == ("code", None)
    books.close((MARCH, "SMB", "2.00", 0.5, 1), (APRIL, "SMB", "110.00", None, 1), code="e")
    assert (books.last["cause"], books.last["files"]) == ("records+code", "bills.csv")
    assert [row[3:] for row in books.told] == [(Decimal(100), Decimal(1)), (Decimal(1), Decimal(2))]


def test_what_a_run_restated_that_was_not_published_is_gone(books):
    books.close((MARCH, "SMB", "1.00", 0.5, 1), (APRIL, "SMB", "110.00", None, 1), is_published=False)
    books.close((MARCH, "SMB", "3.00", 0.5, 1), (APRIL, "SMB", "110.00", None, 1))
    assert [row[3:] for row in books.told] == [(Decimal(100), Decimal(3))]


def test_a_change_of_neither_is_one_of_the_libraries(books):
    books.close((MARCH, "SMB", "1.00", 0.5, 1), (APRIL, "SMB", "110.00", None, 1), file=None)
    assert books.last["cause"] == "libraries"


def test_runs_are_told_apart_by_what_was_computed_whatever_they_restated(books):
    restating = books.close((MARCH, "SMB", "1.00", 0.5, 1), (APRIL, "SMB", "110.00", None, 1))
    current = books.lake.published()
    computed = current.model_copy(update={"tables": {n: e for n, e in current.tables.items() if n != TABLE.name}})
    assert restating.restated == 1
    assert has_versions(JOBS, current, computed)
    rollback(books.lake)
    assert not has_versions(JOBS, books.lake.published(), computed)
    assert is_withdrawn(JOBS, books.lake, computed)


def test_after_a_rollback_the_next_run_restates_what_is_published_then(books):
    books.close((MARCH, "SMB", "1.00", 0.5, 1), (APRIL, "SMB", "110.00", None, 1))
    rollback(books.lake)
    books.close((MARCH, "SMB", "2.00", 0.5, 1), (APRIL, "SMB", "110.00", None, 1))
    assert [row[3:] for row in books.told] == [(Decimal(100), Decimal(2))]
