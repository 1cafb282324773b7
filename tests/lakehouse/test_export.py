"""CSV that a spreadsheet reads as it was meant."""

from __future__ import annotations

import csv
from datetime import UTC, datetime

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lakehouse.export import for_people, guarded


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@cmd", "\tx", "\rx", "\nx", "  =1", "＝1", "＋1", "－1", "＠x"])
def test_a_text_that_a_spreadsheet_would_run_is_guarded(cell):
    assert guarded(pa.chunked_array([[cell]])).to_pylist() == ["'" + cell]


@pytest.mark.parametrize("cell", ["plain", "a=b", "", "1-2", "x@y.example", None])
def test_any_other_text_stays_as_it_is(cell):
    assert guarded(pa.chunked_array([[cell]], pa.string())).to_pylist() == [cell]


@given(st.text())
def test_no_text_leaves_with_a_formula_in_front(cell):
    (safe,) = guarded(pa.chunked_array([[cell]], pa.string())).to_pylist()
    assert not safe.lstrip(" ").startswith(("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"))
    assert safe in (cell, "'" + cell)


def test_numbers_stay_numbers_and_moments_become_iso():
    data = pa.table({"n": [-5], "at": pa.array([datetime(2026, 3, 1, 12, 30, tzinfo=UTC)], pa.timestamp("us", "UTC"))})
    assert for_people(data).to_pylist() == [{"n": -5, "at": "2026-03-01 12:30:00"}]


def test_a_csv_round_trips_commas_quotes_and_line_breaks(tmp_path):
    text = 'a, "quoted"\nline'
    path = tmp_path / "x.csv"
    pa.csv.write_csv(for_people(pa.table({"t": [text], "u": [None]})), path)
    with path.open(newline="") as file:
        assert list(csv.reader(file)) == [["t", "u"], [text, ""]]
