"""A corrected row is kept by the month of its corrected day, whatever month the correction names."""

from __future__ import annotations

import json
from datetime import date

import pyarrow as pa

from jobs.bronze.usage_events import table as events
from jobs.silver.quarantine import table as quarantine
from lakehouse import delta
from lakehouse.corrections import release
from lakehouse.lake import Lake
from lakehouse.registry import jobs
from tests.lakehouse.tables import CONFIG

ORIGINAL = {"_source": "events.csv", "_batch_id": "b1", "_row": 7}


def stored(lake, table, *rows):
    schema = pa.schema([field.with_nullable(True) for field in table.arrow_schema])
    delta.append(pa.Table.from_pylist(list(rows), schema=schema), lake, table, CONFIG, {})


def test_a_corrected_event_is_kept_by_the_month_of_its_day(tmp_path):
    lake = Lake(tmp_path / "lake")
    stored(lake, events, {"event_id": "e1", **ORIGINAL})
    stored(
        lake, quarantine, {"table_name": events.name, "rule": "event_date_missing", "is_corrected": False, **ORIGINAL}
    )
    row = {"event_id": "e1", "event_date": "2026-03-31", "event_month": "2026-01-01", "outcome": "ok"}
    corrections = tmp_path / "corrections.jsonl"
    corrections.write_text(json.dumps({"table_name": events.name, **ORIGINAL, "row": row}))
    assert release(lake, CONFIG, jobs(), corrections) == {events.name: 1}
    (corrected,) = (row for row in delta.arrow(lake, events.name).to_pylist() if row["_source"] != "events.csv")
    assert (corrected["event_date"], corrected["event_month"]) == (date(2026, 3, 31), date(2026, 3, 1))
    assert corrected["outcome"] == "ok"
