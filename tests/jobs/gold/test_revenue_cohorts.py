"""gold.revenue_cohorts: two currencies, a return and a cohort without MRR at its first close, worked out by hand."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from jobs.gold.revenue_cohorts import table, transform
from jobs.silver.customer_months import table as customer_months
from jobs.silver.dim_plan import table as dim_plan
from tests.billing import AS_OF, audited

FEBRUARY, MAY, JUNE = date(2026, 2, 1), date(2026, 5, 1), date(2026, 6, 1)


def life(customer_id, cohort_month, *months):
    """Rows of the ledger: (age, MRR at its own rates, at the rates of the cohort month, revenue)."""
    return [
        {
            "customer_id": customer_id,
            "cohort_month": cohort_month,
            "age_months": age,
            "month": cohort_month.replace(month=cohort_month.month + age),
            "closing_mrr": mrr,
            "closing_mrr_at_cohort_rates": at_cohort_rates,
            "revenue": revenue,
        }
        for age, mrr, at_cohort_rates, revenue in months
    ]


LEDGER = (
    # EUR 100, then 120; the rate is 1.00 in February and 1.10 later.
    *life("euro", FEBRUARY, (0, 100, 100, 50), (1, 110, 100, 110), (2, 132, 120, 132), (3, 132, 120, 132)),
    *life("returns", FEBRUARY, (0, 50, 50, 30), (1, 40, 40, 40), (2, 0, 0, 7), (4, 60, 60, 20)),
    *life("euro", FEBRUARY, (4, 132, 120, 132)),
    *life("passes", MAY, (0, 0, 0, 9)),
)


@pytest.fixture(scope="module")
def cohorts(rows):
    frame = transform(
        customer_months=rows(customer_months, *LEDGER),
        plans=rows(dim_plan),
        as_of=AS_OF,
        min_observations=2,
        reporting_currency="USD",
    )
    return {(row.cohort_month, row.age_months): row for row in audited(frame, table) if row.dimension == "all"}


def by_age(cohorts, column):
    return [cohorts[FEBRUARY, age][column] for age in range(5)]


def test_mrr_is_at_its_own_rates(cohorts):
    assert by_age(cohorts, "starting_mrr") == [150] * 5
    assert by_age(cohorts, "mrr") == [150, 150, 132, 132, 192]
    assert by_age(cohorts, "revenue_retention") == [1, 1, 132 / 150, 132 / 150, 192 / 150]


def test_retention_to_date_is_at_the_rates_of_the_cohort_month(cohorts):
    # 100 + 50, 100 + 40, 120, 120, 120 + 60.
    assert by_age(cohorts, "nrr_to_date") == pytest.approx([1, 140 / 150, 120 / 150, 120 / 150, 180 / 150])
    # No more than 100 and 50: 100 + 50, 100 + 40, 100, 100, 100 + 50.
    assert by_age(cohorts, "grr_to_date") == pytest.approx([1, 140 / 150, 100 / 150, 100 / 150, 1])


def test_revenue_adds_up_over_the_ages_also_where_one_brings_none(cohorts):
    assert by_age(cohorts, "revenue") == [80, 150, 139, 132, 152]
    assert by_age(cohorts, "cumulative_revenue") == [80, 230, 369, 501, 653]
    assert cohorts[FEBRUARY, 2].cumulative_revenue_per_customer == Decimal("184.50")  # 369 ÷ 2


def test_the_steepest_loss_is_the_age_at_which_most_went(cohorts):
    losses = [None, 10 / 150, 20 / 150, 0, -60 / 150]
    assert by_age(cohorts, "loss_since_previous_age") == [value and pytest.approx(value) for value in losses]
    assert by_age(cohorts, "steepest_loss_age_months") == [2] * 5


def test_a_cohort_without_mrr_at_its_first_close_has_revenue_and_no_shares(cohorts):
    passed = cohorts[MAY, 0]
    assert (passed.starting_mrr, passed.mrr, passed.cumulative_revenue) == (0, 0, 9)
    assert (passed.revenue_retention, passed.nrr_to_date, passed.grr_to_date) == (None, None, None)
    assert (cohorts[FEBRUARY, 0].rank_at_age, cohorts[FEBRUARY, 0].cohorts_at_age, passed.rank_at_age) == (1, 1, None)


def test_ages_that_a_cohort_has_not_reached_are_null(cohorts):
    columns = ("mrr", "retained_mrr", "kept_mrr", "nrr_to_date", "revenue", "cumulative_revenue")
    assert {cohorts[MAY, 2][name] for name in columns} == {None}
    assert cohorts[MAY, 1].cumulative_revenue == 9
