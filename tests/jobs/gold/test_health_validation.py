"""gold.health_validation: who counts as observed, who as lost, and what the score is worth."""

from __future__ import annotations

from datetime import date

import pytest

from jobs.gold.customer_health import table as customer_health
from jobs.gold.health_validation import table, transform
from jobs.silver.customer_months import table as customer_months
from jobs.silver.subscriptions import table as subscriptions
from tests.billing import audited, terms

MARCH = date(2026, 3, 1)


def judged(customer_id, health_score, *, month=MARCH, as_of_date=date(2026, 3, 31), **columns):
    return {
        "customer_id": customer_id,
        "month": month,
        "as_of_date": as_of_date,
        "plan_id": "starter" if health_score <= 50 else "business",
        "billing_cadence": {40: "monthly", 30: "annual"}.get(health_score),
        "tenure_months": 5,
        "health_score": float(health_score),
        "health_band": "healthy" if health_score >= 70 else "critical",
        "is_in_notice": False,
        "is_in_dunning": False,
    } | columns


def left(customer_id, churn_date):
    month = churn_date.replace(day=1)
    return (
        {"customer_id": customer_id, "month": month, "movement": "churn"},
        terms(customer_id, "01-01", f"{churn_date:%m-%d}"),
    )


@pytest.fixture(scope="module")
def measures(rows, settings):
    # The 90 days from 31 March end on 29 June: ten leaves in them, twenty a day too late, thirty on their first day.
    churns = [
        left("c010", date(2026, 6, 29)),
        left("c020", date(2026, 6, 30)),
        left("c030", date(2026, 4, 1)),
        left("notice", date(2026, 4, 5)),
        left("dunning", date(2026, 4, 5)),
    ]
    result = transform(
        customer_health=rows(
            customer_health,
            *(judged(f"c{score:03}", score) for score in range(10, 101, 10)),
            judged("notice", 100, is_in_notice=True),
            judged("dunning", 100, is_in_dunning=True),
            judged("unknown", 0) | {"health_score": None},
            judged("c030", 1, month=date(2026, 4, 1), as_of_date=date(2026, 4, 30)),
        ),
        customer_months=rows(customer_months, *(month for month, _ in churns)),
        subscriptions=rows(subscriptions, *(held for _, held in churns)),
        as_of=date(2026, 6, 30),
        min_observations=5,
        usage_score=settings.usage_score,
        policy=settings.policy,
    )
    return {(row.metric, row.dimension, row.dimension_value): row for row in audited(result, table)}


def test_those_are_observed_whose_ninety_days_are_over_and_of_whom_nobody_knew(measures):
    everybody = measures["churn_rate", "all", "all"]
    assert (everybody.observations, everybody.churned, everybody.value) == (10, 2, 0.2)
    assert (everybody.month_ends, everybody.last_as_of_date) == (1, date(2026, 3, 31))
    # One month end is too few, whatever the number of customers.
    assert everybody.is_small


def test_the_score_is_compared_with_what_plan_and_tenure_tell(measures):
    # Ten is below all eight who stayed, thirty below seven of them.
    assert measures["auc", "score", "health_score"].value == 15 / 16
    # Both lost ones have the starter plan, as three of the eight have: (5 + 3 ÷ 2) ÷ 8.
    assert measures["auc", "score", "plan_and_tenure"].value == 0.8125
    assert measures["auc_difference", "score", "plan_and_tenure"].value == 0.125


def test_a_score_that_nobody_has_has_no_row(measures):
    assert ("auc", "score", "health_usage") not in measures


def test_a_group_of_which_nobody_churned_or_nobody_stayed_has_no_area_but_a_reason(measures):
    def found(cadence):
        row = measures["auc", "billing_cadence", cadence]
        return row.value, row.value_low, row.status, row.observations

    assert found("monthly") == (None, None, "no_churn", 1)
    assert found("annual") == (None, None, "nobody_stayed", 1)
    # Ten alone was lost, below all seven: one customer tells nothing of the error.
    assert found("unknown") == (1, None, "no_interval", 8)
    assert measures["auc", "score", "health_score"].status == "ok"


def test_deciles_begin_with_the_lowest_scores(measures):
    rates = [measures["churn_rate", "health_decile", str(decile)].value for decile in range(1, 11)]
    assert rates == [1, 0, 1, 0, 0, 0, 0, 0, 0, 0]
    first = measures["churn_rate", "health_decile", "1"]
    # A third of an observation: 1/3 ÷ (1/3 + 3.8415).
    assert (first.value_low, first.value_high) == (pytest.approx(0.07984, abs=1e-5), 1)
    assert measures["lift", "health_decile", "1"].value == 5
    assert measures["share_of_churned", "health_decile", "3"].value == 0.5


def test_bands_hold_all_who_churned(measures):
    assert measures["share_of_churned", "health_band", "critical"].value == 1
    assert measures["churn_rate", "health_band", "critical"].value == pytest.approx(2 / 6)
    assert measures["churn_rate", "health_band", "healthy"].observations == 4
