"""A company that grew day by day has the tables of one that was made at once; each run restates nothing but what was late."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from lakehouse import delta
from lakehouse.cli import app
from lakehouse.lake import Lake
from lakehouse.restatements import RESTATEMENTS
from tests.whole_lakes import differing_tables

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


@pytest.mark.usefixtures("spark")
def test_a_company_that_grew_has_the_tables_of_one_that_was_made_at_once(tmp_path):
    grown, at_once = made(tmp_path / "grown", *DAYS), made(tmp_path / "at once", DAYS[-1])
    assert differing_tables(grown, at_once, empty=EMPTY) == {}
    assert delta.arrow(grown, RESTATEMENTS).num_rows == 0
