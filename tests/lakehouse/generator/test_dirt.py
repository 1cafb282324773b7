"""Dirt: beside the sound rows, told to the last row, and the same however the records are cut into feeds."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import date, timedelta
from typing import Any

import pyarrow as pa
import pytest
from pydantic import ValidationError

from lakehouse.generator.company import Company
from lakehouse.generator.dirt import lines_of, told
from lakehouse.generator.faults import EVENTS
from lakehouse.generator.simulation import simulate

SEED, CUSTOMERS, MONTHS = 5, 30, 8
THROUGH = date(2024, 2, 29)
# Inside a month, so that late events lie on both sides.
CUT = date(2024, 1, 9)
LATE_DAYS = 20


@pytest.fixture(scope="module")
def company(company: Company) -> Company:
    """The shipped company with more dirt."""
    records = dict.fromkeys(company.dirt.records.by_kind, 0.04)
    events = dict.fromkeys(company.dirt.events.by_kind, 0.01)
    dirt = company.dirt.model_validate({"records": records, "events": events, "late_days": LATE_DAYS})
    return company.model_copy(update={"dirt": dirt})


@pytest.fixture(scope="module")
def feed(company: Company, schemas: dict[str, pa.Schema]) -> Any:
    """Return a function that simulates and returns each table as counted rows, and what was planted."""

    def run(*, dirt: bool = True, **further: Any) -> tuple[dict[str, Counter[tuple[Any, ...]]], list[pa.Table]]:
        parts: defaultdict[str, list[pa.Table]] = defaultdict(list)
        planted: list[pa.Table] = []
        settings = {"through": THROUGH, "customers": CUSTOMERS, "months": MONTHS, "schemas": schemas, "dirt": dirt}
        for month in simulate(company, SEED, **(settings | further)):
            for name, rows in month.tables.items():
                parts[name].append(rows)
            parts[EVENTS] += [pa.Table.from_batches([batch]) for batch in month.events]
            planted += month.planted
        return {name: counted(pa.concat_tables(rows)) for name, rows in parts.items()}, planted

    return run


def counted(rows: pa.Table) -> Counter[tuple[Any, ...]]:
    # Numbers of microseconds are compared faster than moments.
    moments = [number for number, field in enumerate(rows.schema) if pa.types.is_timestamp(field.type)]
    for number in moments:
        rows = rows.set_column(number, rows.schema.field(number).name, rows.column(number).cast(pa.int64()))
    return Counter(zip(*(column.to_pylist() for column in rows.columns), strict=True))


@pytest.fixture(scope="module")
def dirty(feed: Any) -> Any:
    return feed()


def test_the_sound_rows_are_those_without_dirt_and_every_other_row_is_told(feed: Any, dirty: Any) -> None:
    tables, planted = dirty
    sound, nothing = feed(dirt=False)
    assert nothing == []
    lines = told(planted).to_pylist()
    missing = sound[EVENTS] - tables[EVENTS]
    for name, rows in tables.items():
        if name != EVENTS:
            assert not sound[name] - rows, name
        copies = sum(line["rows"] for line in lines if line["table_name"] == name and line["kind"] != "late_event")
        assert (rows - sound[name]).total() == copies, name
    # What is still on its way happened at the end; the others are there, but for the late ones at their time.
    days = {row[5] for row in missing}
    assert THROUGH - timedelta(days=LATE_DAYS) < min(days)
    assert max(days) <= THROUGH


@pytest.mark.soak
def test_two_feeds_that_meet_bring_the_same_dirt_as_one(feed: Any, dirty: Any) -> None:
    tables, planted = dirty
    (earlier, planted_early), (later, planted_late) = feed(through=CUT), feed(after=CUT)
    for name, rows in tables.items():
        assert earlier[name] + later[name] == rows, name
    assert told(planted_early + planted_late) == told(planted)

    # Late for the first feed is what happened on its days and came with the second.
    late = {line["id"] for line in lines_of(told(planted_late)).to_pylist() if line["kind"] == "late_event"}
    came_after = {row[0] for row in later[EVENTS] if row[5] is not None and date(2023, 7, 1) <= row[5] <= CUT}
    assert len(came_after) > 10
    assert came_after <= late


def test_every_kind_is_planted_and_each_row_has_one_at_most(company: Company, dirty: Any) -> None:
    lines = [line for line in lines_of(told(dirty[1])).to_pylist() if line["kind"] != "late_event"]
    kinds = {line["kind"] for line in lines}
    assert kinds == {*company.dirt.records.by_kind, *company.dirt.events.by_kind} - {"late_event"}
    rows = Counter((line["table_name"], line["id"]) for line in lines)
    assert max(rows.values()) == 1


def test_what_is_told_twice_counts_once(dirty: Any) -> None:
    truth = told(dirty[1])
    assert told([*dirty[1], lines_of(truth)]) == truth
    assert [len(ids) for ids in truth["ids"].to_pylist()] == truth["rows"].to_pylist()
    assert told([]).num_rows == 0


def test_a_share_of_dirt_follows_from_its_parameter(dirty: Any) -> None:
    tables, planted = dirty
    late = sum(line["rows"] for line in told(planted).to_pylist() if line["kind"] == "late_event")
    events = tables[EVENTS].total()
    # 1 % of the events, within five standard deviations of a binomial count.
    assert abs(late - 0.01 * events) < 5 * (0.01 * events) ** 0.5


def test_shares_that_leave_no_sound_row_are_refused(company: Company) -> None:
    too_much = company.dirt.events.model_dump() | {"orphan": 0.95}
    with pytest.raises(ValidationError, match="a row gets one kind at most"):
        company.dirt.events.model_validate(too_much)
