"""A company that grew day by day has the tables of one that was made at once; each run restates nothing but what was late."""

from __future__ import annotations

import duckdb
import pytest
from typer.testing import CliRunner

from lakehouse import delta
from lakehouse.cli import app
from lakehouse.lake import Lake
from lakehouse.registry import jobs
from lakehouse.restatements import RESTATEMENTS

pytestmark = pytest.mark.soak

SIZE = ("--customers", "30", "--months", "12", "--seed", "5")
DAYS = ("2024-03-31", "2024-04-10", "2024-05-31")
# A company without dirt rejects and repeats nothing, nobody overrode a score, and five months hold no quarter to learn from.
EMPTY = {
    "silver.quarantine",
    "silver.repeated_events",
    "gold.health_overrides",
    "gold.pipeline_forecast",
    "gold.forecast_accuracy",
}


def made(root, *through):
    for size, day in zip([SIZE, *[()] * len(through)], through, strict=False):
        command = ["run", *size, "--through", day, "--root", str(root)]
        result = CliRunner().invoke(app, command, catch_exceptions=False)
        assert result.exit_code == 0, result.output
    return Lake(root)


def differing_rows(table, *lakes):
    told = ", ".join(name for name in table.column_names if not name.startswith("_"))
    with duckdb.connect() as connection:
        for name, lake in zip(("first", "second"), lakes, strict=True):
            rows = delta.arrow(lake, table.name, lake.published().versions[table.name])
            connection.register(name, rows)
        assert (rows.num_rows == 0) == (table.name in EMPTY), table.name
        query = "SELECT {0} FROM {1} EXCEPT ALL SELECT {0} FROM {2}"
        return [
            connection.execute(query.format(told, *pair)).fetchall()
            for pair in (("first", "second"), ("second", "first"))
        ]


@pytest.mark.usefixtures("spark")
def test_a_company_that_grew_has_the_tables_of_one_that_was_made_at_once(tmp_path):
    grown, at_once = made(tmp_path / "grown", *DAYS), made(tmp_path / "at once", DAYS[-1])
    tables = [job.table for job in jobs().values() if job.transform is not None]
    differences = {table.name: rows for table in tables if (rows := differing_rows(table, grown, at_once)) != [[], []]}
    assert {name: rows[0][:2] + rows[1][:2] for name, rows in differences.items()} == {}
    assert delta.arrow(grown, RESTATEMENTS).num_rows == 0
