"""However many cells the records of a file have, each record is read once, under the number at which it stands."""

from __future__ import annotations

import csv
from operator import itemgetter

from hypothesis import HealthCheck, given
from hypothesis import settings as effort
from hypothesis import strategies as st

from lakehouse.ingest import reading
from lakehouse.ingest.folder import files
from lakehouse.ingest.reading import ROW, header, records
from lakehouse.table import LINE

CELLS = st.text(st.sampled_from('ab ,"\n\r'), max_size=4)


@given(st.lists(st.lists(CELLS, min_size=1, max_size=4), max_size=12), st.integers(1, 12))
@effort(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_record_of_a_csv_file_is_lost_whatever_its_shape(folder, monkeypatch, written, rows_of_a_block):
    path = folder / "plans.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, quoting=csv.QUOTE_ALL).writerows([["x", "y"], *written])
    monkeypatch.setattr(reading, "_BLOCK_BYTES", 40 * rows_of_a_block)
    (plans,) = files(folder, {"plans": "plans"})
    found = [
        (row[ROW], None if row[LINE] else [row["x"], row["y"]])
        for batch in records(plans, header(plans))
        for row in batch.to_pylist()
    ]
    expected = [(number, cells if len(cells) == 2 else None) for number, cells in enumerate(written, start=2)]
    assert sorted(found, key=itemgetter(0)) == expected
