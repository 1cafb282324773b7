"""Every problem of the configuration is reported at once, with its file and key."""

from __future__ import annotations

import shutil

import pytest

from lakehouse.config import load
from lakehouse.errors import UsageError
from lakehouse.project import PROJECT


@pytest.fixture
def conf(tmp_path):
    for path in (PROJECT / "conf").glob("*.yml"):
        shutil.copy(path, tmp_path)
    return tmp_path


def edit(path, old, new):
    text = path.read_text()
    assert old in text, f"{old!r} is not in {path.name}"
    path.write_text(text.replace(old, new, 1))


def refusal(conf):
    with pytest.raises(UsageError) as refused:
        load(conf)
    assert refused.value.exit_code == 2
    return str(refused.value)


def test_the_shipped_configuration_is_valid(conf):
    config = load(conf)
    assert config.company.scale.customers == 1200
    assert config.metrics.reporting_currency == "USD"


def test_problems_of_several_files_are_reported_together(conf):
    edit(conf / "metrics.yml", "horizon_months: 120", "horizon_months: 0")
    edit(conf / "lake.yml", "keep_runs: 20", "keep_runs: none")
    edit(conf / "sla.yml", "first_response_hours: 1,", "first_response_hours: -1,")
    message = refusal(conf)
    assert "metrics.yml: unit_economics.horizon_months" in message
    assert "lake.yml: keep_runs" in message
    assert "sla.yml: targets.urgent.first_response_hours" in message


@pytest.mark.parametrize(
    ("file", "old", "new", "told"),
    [
        ("metrics.yml", "usage: 0.30, support", "usage: 0.40, support", "weights must sum to 1; they sum to 1.1"),
        ("metrics.yml", "min_observations: 30", "min_observations: 30\nmin_observation: 3", "min_observation"),
        ("metrics.yml", "min_observations: 30", "min_observations: 30\nmin_observations: 31", "duplicate key"),
        ("metrics.yml", "healthy: 70", "healthy: 40", "bands must descend"),
        ("metrics.yml", "gross_margin_minimum: 0.0", "gross_margin_minimum: 0.99", "must not exceed"),
        ("metrics.yml", "enterprise_from: 1000", "enterprise_from: 50", "enterprise_from must be greater"),
        ("metrics.yml", "reporting_currency: USD", "reporting_currency: dollars", "reporting_currency"),
        ("metrics.yml", "reporting_currency: USD", "reporting_currency: &anchor USD\nother: *anchor", "aliases"),
        ("metrics.yml", "reporting_currency: USD", "reporting_currency: !!python/name:os.system", "python/name"),
        ("metrics.yml", "  board:", "  bored:", "policies: board must be there"),
        ("metrics.yml", "counts_free_plans: false", "counts_free_plans: true", "board must not count free plans"),
        ("metrics.yml", "weeks_per_year: 52", "weeks_per_year: 50", "policies.stripe.weeks_per_year"),
        ("metrics.yml", "converted_at: movement", "converted_on: movement", "policies.profitwell.converted_on"),
        ("metrics.yml", "late_renewal_days: 0", "late_renewal_days: -1", "policies.board.late_renewal_days"),
        ("lake.yml", "log_retention_days: 120", "log_retention_days: 10", "must not be below"),
        ("lake.yml", "keep_runs: 20", "keep_runs: [", "lake.yml"),
    ],
)
def test_a_wrong_value_is_refused_in_words(conf, file, old, new, told):
    edit(conf / file, old, new)
    assert told in refusal(conf)


def test_a_missing_file_is_named(conf):
    (conf / "sla.yml").unlink()
    assert "sla.yml" in refusal(conf)


def test_an_unknown_profile_is_named_with_the_known_ones(conf):
    with pytest.raises(UsageError, match=r"no profile 'moon'.*growth"):
        load(conf, profile="moon")
