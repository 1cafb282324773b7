"""Every problem of the configuration is reported at once, with its file and key."""

from __future__ import annotations

import shutil

import pytest

from lakehouse.config import load
from lakehouse.errors import UsageError
from lakehouse.project import PROJECT

NO_OVERRIDE = "health_overrides: []"


def override(**others):
    usual = {
        "customer_id": "c1",
        "score": 35,
        "owner": "dana",
        "reason": "sponsor left",
        "starts_on": "2026-05-04",
        "expires_on": "2026-08-01",
    }
    said = ", ".join(f"{key}: {value}" for key, value in (usual | others).items())
    return f"health_overrides:\n  - {{ {said} }}"


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
        ("metrics.yml", "sql: 45, opp", "sql: 29, opp", "mql, sql, opportunity and won must not descend"),
        ("lake.yml", "log_retention_days: 120", "log_retention_days: 10", "must not be below"),
        ("metrics.yml", NO_OVERRIDE, override(expires_on="2026-05-04"), "must come after starts_on"),
        ("metrics.yml", NO_OVERRIDE, override(owner="''"), "health_overrides.0.owner"),
        ("metrics.yml", NO_OVERRIDE, override(score=101), "health_overrides.0.score"),
        ("metrics.yml", NO_OVERRIDE, override(until="2027-01-01"), "health_overrides.0.until: unknown key"),
        (
            "metrics.yml",
            NO_OVERRIDE,
            override() + override(starts_on="2026-07-31").removeprefix("health_overrides:"),
            "customer c1 has two overrides on 2026-07-31",
        ),
        ("metrics.yml", "min_observations: 30", "min_observations: thirty", "valid integer (found 'thirty')"),
        ("metrics.yml", "min_observations: 30", "min_obs: 30", "metrics.yml: min_observations: missing"),
        ("metrics.yml", "min_observations: 30", "30: 30", "metrics.yml: line 6: the key 30 is no text"),
        ("metrics.yml", "min_observations: 30", "? [a]\n: 30", "the key ['a'] is no text"),
        (
            "metrics.yml",
            "  mid_market_from: 100",
            "\tmid_market_from: 100",
            "line 9: while scanning for the next token, found character '\\t'",
        ),
        ("metrics.yml", "window_days: 180", "window_days: 0", "sentiment.window_days: Input should be greater than or"),
        ("metrics.yml", "worst: 0.7, best: 1.1", "worst: 0.7, best: .inf", "should be a finite number (found inf)"),
        ("metrics.yml", '"01-01": "New', '"02-30": "New', "calendar.holidays.02-30.[key]: no year has this day"),
        ("metrics.yml", "reporting_currency: USD", "reporting_currency: EUR", "rates are in USD (found 'EUR')"),
        (
            "sla.yml",
            "resolution_hours: 8 }",
            "resolution_hours: 8, days: 1 }",
            "targets.urgent.days: unknown key (found 1); known are first_response_hours, resolution_hours",
        ),
        (
            "sla.yml",
            "{ first_response_hours: 1, resolution_hours: 8 }",
            "[1, 8]",
            "targets.urgent: needs keys and values (found [1, 8])",
        ),
        (
            "company.yml",
            "monthly: { SMB: 0.0195",
            "monthly: { SMB: 1.5",
            "churn.monthly.SMB: Input should be less than 1 (found 1.5)",
        ),
        (
            "company.yml",
            'last: "01-02", work: 0.3',
            'last: "01-22", work: 0.3',
            # 24 December to 22 January are 30 days, which lose 21; three days in spring lose 2.1, seven in autumn 1.4.
            "quiet_days: at most 20 days of work may be lost in a year; it is 24.5",
        ),
        (
            "company.yml",
            "price_rise: { month: 2025-04-01",
            "price_rise: { month: 2023-04-01",
            "not before scale.start_month; it is 2023-04-01",
        ),
        (
            "company.yml",
            "start_month: 2023-07-01",
            "start_month: 2023-13-01",
            ": 2023-13-01: month must be in 1..12",
        ),
        ("company.yml", "admin: 0.10, editor", "admin: 0.30, editor", "role_shares must sum to 1; they sum to 1.2"),
        ("company.yml", "email: 0.45", "email: 0.65", "support: the shares of channels must sum to 1"),
        ("company.yml", "mood_shares: [0.10", "mood_shares: [0.30", "mood_shares must sum to 1; they sum to 1.2"),
        ("company.yml", "score_shares: [0.010", "score_shares: [0.110", "score_shares must sum to 1; they sum to 1.1"),
        (
            "company.yml",
            "pause_months: [1, 2, 3]",
            "pause_months: []",
            "terms.pause_months: List should have at least 1",
        ),
        (
            "company.yml",
            "customers: 150, months",
            "customer: 150, months",
            "profiles.seed_stage.scale.customer: unknown key",
        ),
        ("company.yml", "  seed_stage: #", "  none:\n  seed_stage: #", "profiles: each needs a name"),
        ("lake.yml", "keep_runs: 20", "keep_runs: [", "lake.yml: line "),
    ],
)
def test_a_wrong_value_is_refused_in_words(conf, file, old, new, told):
    edit(conf / file, old, new)
    assert told in refusal(conf)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "expected keys and values at the top"),
        (b"- urgent\n- high\n", "expected keys and values at the top"),
        (b"version: 1\ntargets: \xe9\n", "line 2: not UTF-8"),
        (b"version: 1\n---\nversion: 2\n", "line 2: expected a single document"),
        (b"[" * 1000, "nested too deeply"),
        (b"#" * 2_000_000, "larger than 1000000 bytes"),
    ],
    ids=["empty", "a list", "Latin-1", "two documents", "deep", "large"],
)
def test_a_file_that_is_no_configuration_is_refused_in_words(conf, content, told):
    (conf / "sla.yml").write_bytes(content)
    assert f"found 1 problem: sla.yml: {told}" in refusal(conf)


def test_files_that_cannot_be_read_are_named_together(conf):
    (conf / "sla.yml").unlink()
    (conf / "lake.yml").unlink()
    (conf / "lake.yml").mkdir()
    message = refusal(conf)
    assert "sla.yml: No such file or directory" in message
    assert "lake.yml: Is a directory" in message


def test_a_problem_of_the_company_is_told_once_and_not_for_each_profile(conf):
    edit(conf / "company.yml", "mood_memory: 0.90", "mood_memory: 1.90")
    assert refusal(conf).count("mood_memory") == 1


def test_an_unknown_profile_is_named_with_the_known_ones(conf):
    with pytest.raises(UsageError, match=r"no profile 'moon'.*growth"):
        load(conf, profile="moon")
