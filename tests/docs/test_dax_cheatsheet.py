"""What the cheatsheet says holds for the exports: names exist, and the measures equal what they say."""

from __future__ import annotations

import re

import duckdb
import pytest

from lakehouse.export import exported, exports_folder
from lakehouse.registry import jobs
from tests.docs.dax import COLUMN, PAGE, VIEWS, Measure, measures, queries, unknown_names

TEXT = PAGE.read_text(encoding="utf-8")
MEASURES = {measure.name: measure for measure in measures(TEXT)}
HEADERS = {
    name: {column.name for column in table.columns if not column.personal} for name, table in exported(jobs()).items()
}

PAIRS = queries()


@pytest.fixture(scope="module")
def tables(small_lake):
    """The exported CSV files as views, read as Power BI reads them: by their headers."""
    connection = duckdb.connect()
    for name in HEADERS:
        path = exports_folder(small_lake.root) / f"{name}.csv"
        connection.execute(f"CREATE VIEW {name} AS FROM read_csv('{path}', sample_size = -1)")
    connection.execute(VIEWS.read_text())
    return connection


def test_there_are_many_measures_and_none_was_overlooked():
    assert len(MEASURES) >= 40
    assert len(PAIRS) >= 30
    assert len(MEASURES) == TEXT.count("```dax") == TEXT.count("\n#### "), "a measure is not written like the others"


@pytest.mark.parametrize("measure", MEASURES.values(), ids=lambda measure: measure.name)
def test_a_measure_refers_to_what_exists(measure):
    assert measure.defined == measure.name
    assert unknown_names(measure.code, HEADERS) == set()
    assert measure.measures <= set(MEASURES)
    assert COLUMN.search(measure.equals), "it must say which column it equals"
    assert unknown_names(" ".join(re.findall("`(.+?)`", measure.equals)), HEADERS) == set()


def test_a_measure_of_something_else_is_noticed():
    code = "Wrong = SUM ( fct_revenue[mrr] ) + SUM ( 'fct_sales'[arr] ) + COUNTROWS ( dim_day ) + [Lost]"
    wrong = Measure("Wrong", code, "`dim_date[day]`")
    assert unknown_names(wrong.code, HEADERS) == {"fct_revenue[mrr]", "fct_sales[arr]", "dim_day"}
    assert unknown_names(wrong.equals, HEADERS) == {"dim_date[day]"}
    assert wrong.measures == {"Lost"}
    assert wrong.measures - set(MEASURES)


def test_names_of_people_are_unknown():
    assert unknown_names("dim_customer[email]", HEADERS) == {"dim_customer[email]"}


def test_every_relationship_joins_exported_columns_and_leads_to_a_key():
    lines = re.findall(r"^\| (\w+\[\w+\]) \| (\w+)\[(\w+)\] \|", TEXT, re.MULTILINE)
    assert len(lines) >= 12
    for many, table, column in lines:
        assert unknown_names(many, HEADERS) == set()
        assert exported(jobs())[table].key == (column,)


def test_every_exported_table_is_explained():
    section = TEXT.partition("## Tables")[2].partition("## Relationships")[0]
    listed = {
        name.strip() for line in re.findall(r"^\| ([a-z_, ]+) \|", section, re.MULTILINE) for name in line.split(",")
    }
    assert listed - {"table"} == set(HEADERS)


@pytest.mark.parametrize("name", PAIRS)
def test_a_measure_equals_what_it_says(name, tables):
    assert name in MEASURES
    found, expected = (dict(_rows(tables, query)) for query in PAIRS[name])
    assert expected, "nothing to compare with"
    assert set(found) == set(expected)
    for group, value in expected.items():
        assert found[group] == (None if value is None else pytest.approx(float(value), rel=1e-7, abs=1e-8)), group


def _rows(tables, query):
    for *group, value in tables.execute(query).fetchall():
        yield tuple(group), None if value is None else float(value)
