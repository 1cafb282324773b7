"""gold.retention_cohorts: who leaves, who comes back and who was never there at a close, worked out by hand."""

from __future__ import annotations

from datetime import date

import pytest

from jobs.gold.retention_cohorts import table, transform
from jobs.silver.customer_months import table as customer_months
from jobs.silver.dim_plan import table as dim_plan
from tests.billing import AS_OF, audited

JANUARY, MARCH = date(2026, 1, 1), date(2026, 3, 1)
PLANS = ({"plan_id": "starter", "plan_name": "Starter"}, {"plan_id": "pro", "plan_name": "Professional"})


def life(customer_id, cohort_month, active_by_age, plan_by_age=None):
    """Rows of the ledger by age; an age that is left out has none."""
    return [
        {
            "customer_id": customer_id,
            "cohort_month": cohort_month,
            "age_months": age,
            "month": cohort_month.replace(month=cohort_month.month + age),
            "plan_id": (plan_by_age or {}).get(age, "starter"),
            "segment": "SMB",
            "closing_mrr": 10 if is_active else 0,
            "is_active": is_active,
        }
        for age, is_active in active_by_age.items()
    ]


LEDGER = (
    *life("stays", JANUARY, dict.fromkeys(range(6), True)),
    *life("returns", JANUARY, {0: True, 1: True, 2: False, 4: True, 5: True}, plan_by_age={1: "pro", 4: "pro"}),
    *life("passes", JANUARY, {0: False}),
    *life("later", MARCH, dict.fromkeys(range(4), True), plan_by_age={0: "pro"}),
)


@pytest.fixture(scope="module")
def cohorts(rows):
    frame = transform(
        customer_months=rows(customer_months, *LEDGER),
        plans=rows(dim_plan, *PLANS),
        as_of=AS_OF,
        min_observations=2,
    )
    return {
        (row.dimension, row.dimension_value, row.cohort_month, row.age_months): row for row in audited(frame, table)
    }


def by_age(cohorts, cohort_month, column):
    return [cohorts["all", "all", cohort_month, age][column] for age in range(6)]


def test_who_comes_back_is_active_again_in_the_first_cohort(cohorts):
    assert by_age(cohorts, JANUARY, "active_customers") == [2, 2, 1, 1, 2, 2]
    assert by_age(cohorts, JANUARY, "logo_retention") == pytest.approx([2 / 3, 2 / 3, 1 / 3, 1 / 3, 2 / 3, 2 / 3])


def test_a_cohort_has_one_size_at_every_age(cohorts):
    assert by_age(cohorts, JANUARY, "customers") == [3] * 6
    assert by_age(cohorts, MARCH, "customers") == [1] * 6
    assert by_age(cohorts, MARCH, "is_small") == [True] * 6
    assert not cohorts["all", "all", JANUARY, 0].is_small


def test_ages_that_a_cohort_has_not_reached_are_null(cohorts):
    assert by_age(cohorts, MARCH, "is_complete") == [True] * 4 + [False] * 2
    assert by_age(cohorts, MARCH, "logo_retention") == [1] * 4 + [None] * 2
    unknown = cohorts["all", "all", MARCH, 4]
    columns = ("active_customers", "logo_retention_low", "logo_retention_high", "loss_since_previous_age")
    assert {unknown[name] for name in (*columns, "rank_at_age", "cohorts_at_age")} == {None}


def test_a_cohort_is_where_its_customers_began(cohorts):
    starter = [cohorts["plan", "Starter", JANUARY, age].active_customers for age in range(6)]
    assert starter == [2, 2, 1, 1, 2, 2]
    assert ("plan", "Professional", JANUARY, 0) not in cohorts
    assert cohorts["plan", "Professional", MARCH, 3].customers == 1


def test_the_interval_is_wilsons(cohorts):
    # 2 of 3: (2/3 + z²/6 ∓ z√(2/27 + z²/36)) ÷ (1 + z²/3) with z = 1.96.
    point = cohorts["all", "all", JANUARY, 0]
    assert (point.logo_retention_low, point.logo_retention_high) == pytest.approx((0.2077, 0.9385), abs=1e-4)


def test_losses_and_the_steepest_of_them(cohorts):
    assert by_age(cohorts, JANUARY, "loss_since_previous_age") == [
        None,
        0,
        pytest.approx(1 / 3),
        0,
        pytest.approx(-1 / 3),
        0,
    ]
    assert by_age(cohorts, JANUARY, "steepest_loss_age_months") == [2] * 6
    assert by_age(cohorts, MARCH, "steepest_loss_age_months") == [None] * 6


def test_cohorts_are_ranked_among_those_of_their_age(cohorts):
    ranks = [(row.rank_at_age, row.cohorts_at_age) for row in (cohorts["all", "all", JANUARY, age] for age in (0, 4))]
    assert ranks == [(2, 2), (1, 1)]
    assert cohorts["all", "all", MARCH, 0].rank_at_age == 1
