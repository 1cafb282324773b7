"""gold.mrr_movements: a month of transfers, churn and returns, and what a year has kept, worked out by hand."""

from __future__ import annotations

from datetime import date

import pytest

from jobs.gold.mrr_movements import DIMENSIONS, table, transform
from jobs.silver.customer_months import table as customer_months
from jobs.silver.dim_plan import table as dim_plan
from lakehouse.generator.build import views
from lakehouse.registry import jobs
from tests.billing import AS_OF, audited

JUNE_2025, JULY_2025, MAY, JUNE = date(2025, 6, 1), date(2025, 7, 1), date(2026, 5, 1), date(2026, 6, 1)
PLANS = ({"plan_id": "starter", "plan_name": "Starter"}, {"plan_id": "pro", "plan_name": "Professional"})
MOVEMENTS = ("new", "reactivation", "expansion", "contraction", "churned", "fx")


def month(customer_id, first_day, opening, closing, movement="none", **others):
    usual = {
        "customer_id": customer_id,
        "month": first_day,
        "plan_id": "starter",
        "segment": "SMB",
        "billing_currency": "USD",
        "opening_mrr": opening,
        "closing_mrr": closing,
        "closing_mrr_at_year_ago_rates": closing,
        "notice_mrr": 0,
        "movement": movement,
        **{f"{name}_mrr": 0 for name in MOVEMENTS},
    }
    return usual | others


LEDGER = (
    # Another plan in June, and more to pay.
    month("mover", MAY, 0, 100, "new", new_mrr=100),
    month("mover", JUNE, 100, 150, "expansion", expansion_mrr=50, plan_id="pro"),
    # Another plan on its last days.
    month("leaver", MAY, 0, 80, "new", new_mrr=80, plan_id="pro"),
    month("leaver", JUNE, 80, 0, "churn", churned_mrr=80),
    month("passer", JUNE, 0, 0, "churn", new_mrr=30, churned_mrr=30),
    # EUR 100 at 1.05 a year ago, EUR 200 at 1.10 in May and 1.20 in June.
    month("euro", JUNE_2025, 0, 105, "new", new_mrr=105, billing_currency="EUR"),
    month("euro", MAY, 220, 220, billing_currency="EUR"),
    month("euro", JUNE, 220, 240, fx_mrr=20, billing_currency="EUR", closing_mrr_at_year_ago_rates=210, notice_mrr=60),
    month("shrinker", JUNE_2025, 0, 100, "new", new_mrr=100, plan_id="pro"),
    month("shrinker", MAY, 100, 60, "contraction", contraction_mrr=40, plan_id="pro"),
    month("shrinker", JUNE, 60, 60),
    month("gone", JUNE_2025, 0, 95, "new", new_mrr=95, plan_id="pro"),
    month("gone", JULY_2025, 95, 0, "churn", churned_mrr=95, plan_id="pro"),
    month("returner", JUNE_2025, 0, 40, "new", new_mrr=40),
    month("returner", JULY_2025, 40, 0, "churn", churned_mrr=40),
    month("returner", JUNE, 0, 50, "reactivation", reactivation_mrr=50),
)


@pytest.fixture(scope="module")
def computed(rows):
    def compute(as_of):
        frame = transform(
            customer_months=rows(customer_months, *LEDGER),
            plans=rows(dim_plan, *PLANS),
            as_of=as_of,
            min_observations=4,
            reporting_currency="USD",
        )
        return {(row.month, row.dimension, row.dimension_value): row for row in audited(frame, table)}

    return compute


@pytest.fixture(scope="module")
def waterfall(computed):
    return computed(AS_OF)


def amounts(row):
    """The parts of the waterfall that are not zero."""
    names = ("opening", "transfer", *MOVEMENTS, "closing")
    return {name: amount for name in names if (amount := row[f"{name}_mrr"])}


def customers(row):
    names = ("opening", "transferred", "new", "reactivated", "churned", "closing")
    return tuple(row[f"customers_{name}"] for name in names)


def test_the_total_adds_up_what_happened_to_each_customer(waterfall):
    total = waterfall[JUNE, "all", "all"]
    assert amounts(total) == {
        "opening": 460,  # 100 + 80 + 220 + 60
        "new": 30,
        "reactivation": 50,
        "expansion": 50,
        "churned": 110,  # 80 + 30
        "fx": 20,
        "closing": 500,  # 150 + 240 + 60 + 50
    }
    assert customers(total) == (4, 0, 1, 1, 2, 4)
    assert (total.arr, total.arpa, total.currency) == (6000, 125, "USD")


def test_a_change_of_plan_transfers_what_opens_and_books_the_movement_at_the_new_plan(waterfall):
    starter, professional = (waterfall[JUNE, "plan", name] for name in ("Starter", "Professional"))
    # mover goes with 100, shrinker comes with 60.
    assert amounts(starter) == {
        "opening": 320,
        "transfer": -40,
        "new": 30,
        "reactivation": 50,
        "churned": 30,
        "fx": 20,
        "closing": 350,
    }
    assert amounts(professional) == {"opening": 140, "transfer": 40, "expansion": 50, "churned": 80, "closing": 150}
    assert customers(starter) == (2, 0, 1, 1, 1, 3)
    assert customers(professional) == (2, 0, 0, 0, 1, 1)


def test_who_churns_is_lost_where_it_was_and_not_transferred(waterfall):
    professional = waterfall[JUNE, "plan", "Professional"]
    assert (professional.churned_mrr, professional.cancelled_mrr_rate) == (80, pytest.approx(80 / 140))
    assert professional.logo_churn_rate == 0.5


def test_who_came_and_went_inside_the_month_is_counted_and_in_no_rate(waterfall):
    total = waterfall[JUNE, "all", "all"]
    assert (total.passing_mrr, total.customers_passing) == (30, 1)
    assert total.grr_monthly == pytest.approx(1 - 80 / 460)
    assert total.nrr_monthly == pytest.approx(1 + (50 - 80) / 460)
    assert total.dollar_churn_rate == total.cancelled_mrr_rate == pytest.approx(80 / 460)
    assert total.logo_churn_rate == 1 / 4
    # Wilson: (0.25 + z²/8 ∓ z√(0.25 × 0.75 / 4 + z²/64)) ÷ (1 + z²/4) with z = 1.96.
    assert (total.logo_churn_rate_low, total.logo_churn_rate_high) == pytest.approx((0.0456, 0.6994), abs=1e-4)
    assert total.quick_ratio == pytest.approx((30 + 50 + 50) / 110)


def test_contraction_is_dollar_churn_and_not_cancelled(waterfall):
    may = waterfall[MAY, "all", "all"]
    # 220 + 100 open; shrinker pays 40 less.
    assert (may.dollar_churn_rate, may.cancelled_mrr_rate) == (40 / 320, 0)
    assert may.grr_monthly == may.nrr_monthly == 1 - 40 / 320


def test_twelve_months_compare_the_two_ends_at_the_rates_of_the_first(waterfall):
    total = waterfall[JUNE, "all", "all"]
    # euro 105 → 210, shrinker 100 → 60, gone 95 → 0, returner 40 → 50.
    assert (total.customers_year_ago, total.year_ago_mrr) == (4, 340)
    assert total.grr_12m == pytest.approx((105 + 60 + 0 + 40) / 340)
    assert total.nrr_12m == pytest.approx((210 + 60 + 0 + 50) / 340)
    assert waterfall[JUNE, "currency", "EUR"].nrr_12m == 2


def test_twelve_months_look_at_the_value_of_twelve_months_ago(waterfall):
    professional = waterfall[JUNE, "plan", "Professional"]
    # shrinker is on Starter now.
    assert (professional.year_ago_mrr, professional.retained_mrr) == (100 + 95, 60)


def test_committed_is_what_closes_without_what_is_in_notice(waterfall):
    assert waterfall[JUNE, "all", "all"].committed_mrr == 500 - 60
    assert waterfall[JUNE, "currency", "USD"].committed_mrr == 260


def test_without_anything_to_divide_by_a_rate_is_null(waterfall):
    first = waterfall[JUNE_2025, "all", "all"]
    rates = ("grr_monthly", "nrr_monthly", "logo_churn_rate", "logo_churn_rate_low", "dollar_churn_rate")
    assert {first[name] for name in (*rates, "cancelled_mrr_rate", "quick_ratio", "grr_12m", "nrr_12m")} == {None}
    assert first.arpa == 85
    assert waterfall[JULY_2025, "all", "all"].arpa is None


def test_few_customers_are_marked_by_the_base_of_each_figure(waterfall):
    marks = {
        value: (waterfall[JUNE, "plan", value].is_small, waterfall[JUNE, "all", "all"].is_small)
        for value in ("Starter", "Professional")
    }
    assert marks == {"Starter": (True, False), "Professional": (True, False)}
    assert not waterfall[JUNE, "all", "all"].is_small_12m
    assert waterfall[MAY, "all", "all"].is_small_12m


def test_a_month_that_is_not_over_has_amounts_and_no_rates(computed):
    june = computed(date(2026, 6, 15))[JUNE, "all", "all"]
    assert (june.is_complete, june.closing_mrr) == (False, 500)
    assert (june.grr_monthly, june.nrr_12m, june.logo_churn_rate) == (None, None, None)


def test_each_dimension_adds_up_to_the_total_and_transfers_to_nothing(small_lake):
    amounts = ("opening_mrr", "new_mrr", "churned_mrr", "fx_mrr", "closing_mrr", "kept_mrr", "retained_mrr")
    names = (*amounts, "customers_closing", "transfer_mrr", "customers_transferred")
    published = views(small_lake, jobs()).table("gold_mrr_movements")
    sums = published.aggregate(", ".join(("month", "dimension", *(f"sum({name})" for name in names)))).fetchall()
    totals = {month: parts for month, dimension, *parts in sums if dimension == "all"}
    assert len(totals) > 12
    assert {dimension for _, dimension, *_ in sums} == DIMENSIONS.keys()
    assert all(parts == totals[month] for month, _, *parts in sums)
    assert {tuple(parts[-2:]) for parts in totals.values()} == {(0, 0)}


def test_each_value_opens_with_what_it_closed_with(small_lake):
    connection = views(small_lake, jobs())
    pairs = connection.sql(
        """
        SELECT now.opening_mrr, coalesce(before.closing_mrr, 0), now.customers_opening, before.customers_closing
        FROM gold_mrr_movements AS now
        LEFT JOIN gold_mrr_movements AS before
            ON before.month = now.month - INTERVAL 1 MONTH
            AND before.dimension = now.dimension AND before.dimension_value = now.dimension_value
        """
    ).fetchall()
    assert len(pairs) > 12 * len(DIMENSIONS)
    assert all(opening == closed and count == (counted or 0) for opening, closed, count, counted in pairs)
    assert connection.sql("FROM gold_mrr_movements WHERE transfer_mrr <> 0").fetchall()
