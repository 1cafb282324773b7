"""gold.survival_curves: Kaplan–Meier by hand on five customers."""

from __future__ import annotations

from datetime import date

import pytest

from jobs.gold.survival_curves import transform
from jobs.silver.customers import table as customers

AS_OF = date(2026, 6, 30)
JANUARY, APRIL = date(2026, 1, 1), date(2026, 4, 1)


def life(customer_id, cohort_month, churn_date=None, segment="SMB"):
    return {
        "customer_id": customer_id,
        "cohort_month": cohort_month,
        "churn_date": churn_date,
        "segment": segment,
        "billing_cadence": "monthly",
    }


@pytest.fixture(scope="module")
def five(rows):
    return rows(
        customers,
        life("lost at age 1", JANUARY, date(2026, 2, 1)),
        life("lost at age 3", JANUARY, date(2026, 4, 15), segment="Enterprise"),
        life("seen to age 2", APRIL),
        life("seen to age 5", JANUARY),
        life("seen to age 5 too", JANUARY),
        life("never paid", None),
    )


def curves(frame, settings, *, min_observations, horizon_months=2, discount=0.0):
    parameters = {"horizon_months": horizon_months, "discount_rate_per_year": discount}
    result = transform(
        customers=frame,
        as_of=AS_OF,
        min_observations=min_observations,
        unit_economics=settings.unit_economics.model_copy(update=parameters),
    )
    return {(row.dimension, row.dimension_value, row.age_months): row for row in result.collect()}


@pytest.fixture(scope="module")
def observed(five, settings):
    return curves(five, settings, min_observations=1)


def of_all(curve, column):
    return [getattr(curve["all", "all", age], column) for age in range(6)]


def test_survival_multiplies_the_shares_that_stay_and_lets_the_censored_leave(observed):
    assert of_all(observed, "at_risk") == [5, 5, 4, 3, 2, 2]
    assert of_all(observed, "churned") == [0, 1, 0, 1, 0, 0]
    # 1, 4/5, then × 2/3.
    assert of_all(observed, "survival") == pytest.approx([1, 0.8, 0.8, 0.533333333, 0.533333333, 0.533333333])


def test_churn_per_month_is_a_ratio_of_sums_and_the_curve_counts_its_events(observed):
    point = observed["all", "all", 0]
    assert point.curve_churned == 2
    assert point.monthly_churn_rate == pytest.approx(2 / 21)


def test_bounds_scale_the_cumulative_hazard_by_the_number_of_events(observed):
    point = observed["all", "all", 1]
    # exp(1.95996 / √2) = 3.9984: 0.8^3.9984 and 0.8^(1 / 3.9984).
    assert (point.survival_low, point.survival_high) == pytest.approx((0.40974, 0.94572), abs=1e-4)


def test_beyond_the_observed_ages_churn_stays_at_its_recent_mean(observed):
    stay = 19 / 21
    assert observed["all", "all", 5].remaining_months == pytest.approx(stay + stay**2)
    # At age 3 the two observed ages ahead have no churn.
    assert observed["all", "all", 3].remaining_months == pytest.approx(2)


def test_ages_with_too_few_at_risk_are_not_taken_as_observed(five, settings):
    curve = curves(five, settings, min_observations=3, horizon_months=1, discount=0.1)
    assert of_all(curve, "is_extrapolated") == [False, False, False, False, True, True]
    # Two churned of 5 + 5 + 4 + 3 at risk.
    assert curve["all", "all", 4].hazard == pytest.approx(2 / 17)
    assert curve["all", "all", 4].remaining_months == pytest.approx(15 / 17 / 1.1 ** (1 / 12))


def test_a_segment_has_its_own_curve_and_without_churn_no_interval(observed, five, settings):
    assert observed["segment", "Enterprise", 3].churned == 1
    assert observed["segment_x_billing_cadence", "SMB | monthly", 1].hazard == 0.25
    stayed = curves(five.filter("churn_date IS NULL"), settings, min_observations=1, horizon_months=120, discount=0.1)
    point = stayed["all", "all", 0]
    assert (point.survival, point.survival_low, point.remaining_months_high) == (1, None, None)
    # Σ 1.1^(−t/12) over 120 months = (1 − 1.1^−10) ÷ (1.1^(1/12) − 1).
    assert point.remaining_months == pytest.approx((1 - 1.1**-10) / (1.1 ** (1 / 12) - 1))


def test_a_company_that_lost_everybody_still_has_a_curve(rows, settings):
    gone = rows(customers, life("in and out", JANUARY, date(2026, 1, 20)), life("gone", JANUARY, date(2026, 2, 1)))
    curve = curves(gone, settings, min_observations=1)
    assert [curve["all", "all", age].at_risk for age in (0, 1)] == [2, 1]
    assert curve["all", "all", 0].survival == 0.5
