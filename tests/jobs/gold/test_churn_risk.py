"""gold.churn_risk: flags with their evidence, what is unknown, and the level that they make."""

from __future__ import annotations

from decimal import Decimal

import pytest

from jobs.gold.churn_risk import transform
from jobs.gold.customer_signals import table as signals
from jobs.silver.customers import table as customers
from lakehouse.metrics.churn_risk import ACTIONS, FLAGS

CALM = {
    "usage_trend": 0.7,
    "days_since_last_login": 13,
    "escalations_90d": 0,
    "sla_breaches_90d": 1,
    "is_last_payment_failed": False,
    "is_in_dunning": False,
    "is_in_notice": False,
    "mrr_before": Decimal(100),
    "contraction_mrr_3m": Decimal("4.99"),
    "days_to_renewal": 91,
    "nps_score": 6.1,
}
ALARMING = {
    "usage_trend": 0.5,
    "days_since_last_login": 14,
    "escalations_90d": 1,
    "sla_breaches_90d": 2,
    "is_last_payment_failed": True,
    "is_in_notice": True,
    "contraction_mrr_3m": Decimal("5.00"),
    "days_to_renewal": 90,
    "nps_score": 6.0,
}
SIGNALS = {
    "calm": CALM,
    "alarmed": CALM | ALARMING,
    "unknown": {"is_in_dunning": False},
    "dunned": CALM | {"is_in_dunning": True},
    "away": CALM | {"days_since_last_login": 40, "usage_trend": 0.25},
    "grumbling": CALM | {"nps_score": 3.0},
    "monthly": {"is_in_dunning": False, "committed_days": 0},
    "left": CALM | ALARMING,
}


@pytest.fixture(scope="module")
def risks(rows, settings):
    result = transform(
        customers=rows(
            customers, *({"customer_id": name, "mrr": Decimal(0 if name == "left" else 100)} for name in SIGNALS)
        ),
        signals=rows(signals, *({"customer_id": name} | columns for name, columns in SIGNALS.items())),
        reporting_currency="USD",
        churn_risk=settings.churn_risk,
    )
    return {row.customer_id: row for row in result.collect()}


def flags(row):
    return {getattr(row, f"flag_{name}") for name in FLAGS}


def test_only_who_pays_now_can_leave(risks):
    assert sorted(risks) == ["alarmed", "away", "calm", "dunned", "grumbling", "monthly", "unknown"]


def test_no_flag_is_raised_just_short_of_its_threshold_and_every_one_at_it(risks):
    calm, alarmed = risks["calm"], risks["alarmed"]
    assert (flags(calm), calm.flags_raised, calm.risk_level, calm.evidence) == ({False}, 0, "low", "")
    assert (calm.main_flag, calm.suggested_action, calm.mrr_at_risk) == (None, None, 0)
    assert (flags(alarmed), alarmed.flags_raised, alarmed.risk_score) == ({True}, len(FLAGS), 100)
    assert alarmed.main_flag == "in_notice"


def test_the_evidence_says_what_was_seen(risks):
    assert risks["alarmed"].evidence == (
        "cancelled, the plan still runs; last payment failed; renewal in 90 days; no login for 14 days;"
        " use down by 50 % in 30 days; mean survey score 6.0 of 10; 5 % of its MRR given up in three months;"
        " escalated tickets in 90 days: 1; tickets past their target in 90 days: 2"
    )
    assert risks["dunned"].evidence == "payment past due"


def test_points_add_up_to_a_level_and_its_mrr_is_at_risk(risks):
    # No login 30 and use down 15 points; dunning 60; a detractor 15.
    found = {name: (risks[name].risk_score, risks[name].risk_level, risks[name].mrr_at_risk) for name in risks}
    assert found["away"] == (45, "high", 100)
    assert found["dunned"] == (60, "critical", 100)
    assert found["grumbling"] == (15, "medium", 0)


def test_the_action_is_that_of_the_flag_with_most_points(risks):
    assert (risks["away"].main_flag, risks["away"].suggested_action) == ("login_missing", ACTIONS["login_missing"])


def test_a_flag_without_evidence_is_unknown(risks):
    unknown = risks["unknown"]
    assert unknown.flag_payment_failing is False
    assert (unknown.flag_usage_falling, unknown.flag_renewal_near, unknown.flag_contraction) == (None, None, None)
    assert (unknown.risk_score, unknown.risk_level) == (0, "low")
    # A plan without a term has no renewal, and that is known.
    assert risks["monthly"].flag_renewal_near is False
