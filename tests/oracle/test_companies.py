"""Three companies unlike the default one, five seeds of each: every headline number recomputed, equal to the cent."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from lakehouse.cli import app
from lakehouse.lake import Lake
from tests.oracle.recomputation import SUBJECTS, both, differences, recompute

pytestmark = pytest.mark.soak

# Small enough for a run of a minute or two, and long enough for figures of twelve months and for annual renewals.
COMPANIES = {
    "seed_stage": ["--customers", "100", "--months", "18"],
    "growth": ["--customers", "100", "--months", "24"],
    "enterprise": ["--customers", "60", "--months", "24"],
}
SEEDS = (1, 2, 3, 4, 5)


@pytest.mark.usefixtures("spark")
@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("profile", COMPANIES)
def test_what_is_published_of_another_company_is_what_the_definitions_give(profile, seed, tmp_path):
    lake = Lake(tmp_path / "lake")
    command = ["run", "--root", str(lake.root), "--profile", profile, "--seed", str(seed), *COMPANIES[profile]]
    result = CliRunner().invoke(app, command, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    connection = recompute(lake)
    for subject in SUBJECTS:
        assert differences(*both(connection, subject), subject.key) == [], subject.recomputed
    movements = {movement for (movement,) in connection.sql("SELECT DISTINCT movement FROM ledger").fetchall()}
    assert movements >= {"new", "expansion", "churn", "none"}
    assert connection.sql("FROM gold_mrr_movements WHERE grr_12m < 1 AND nrr_12m IS NOT NULL").fetchall()
