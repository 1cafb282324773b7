"""gold.customer_lifetimes: what customers were worth and may still be, by hand."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from jobs.gold.customer_lifetimes import transform
from jobs.gold.customer_margins import table as customer_margins
from jobs.gold.survival_curves import table as survival_curves
from jobs.silver.customers import table as customers
from jobs.silver.payments import table as payments

AS_OF = date(2026, 6, 30)
MARCH, APRIL, MAY, JUNE = (date(2026, month, 1) for month in (3, 4, 5, 6))


def customer(customer_id, cohort_month, segment, cadence, churn_date=None):
    return {
        "customer_id": customer_id,
        "cohort_month": cohort_month,
        "segment": segment,
        "billing_cadence": cadence,
        "churn_date": churn_date,
        "is_churned": churn_date is not None,
    }


def month(customer_id, first_day, mrr, revenue, gross_profit):
    opening_mrr, closing_mrr = mrr
    return {
        "customer_id": customer_id,
        "month": first_day,
        "opening_mrr": Decimal(opening_mrr),
        "closing_mrr": Decimal(closing_mrr),
        "revenue": Decimal(revenue),
        "is_served": revenue > 0 or closing_mrr > 0,
        "gross_profit": None if gross_profit is None else Decimal(gross_profit),
    }


def paid(payment_id, customer_id, amount, status):
    return {
        "payment_id": payment_id,
        "customer_id": customer_id,
        "amount_net_of_tax_reporting": Decimal(amount),
        "status": status,
    }


def point(curve, age_months, churned, remaining, monthly_churn_rate):
    dimension, value = curve
    bounds = (remaining * 0.9, remaining * 1.1) if churned else (None, None)
    return {
        "dimension": dimension,
        "dimension_value": value,
        "age_months": age_months,
        "curve_churned": churned,
        "remaining_months": float(remaining),
        "remaining_months_low": bounds[0],
        "remaining_months_high": bounds[1],
        "monthly_churn_rate": monthly_churn_rate,
        "monthly_churn_rate_high": monthly_churn_rate + 0.01,
    }


@pytest.fixture(scope="module")
def parameters(settings):
    months = {"arpa_months": 2, "gross_margin_months": 2, "margin_min_months": 2}
    return settings.unit_economics.model_copy(update=months)


@pytest.fixture(scope="module")
def lifetimes(rows, parameters):
    result = transform(
        customers=rows(
            customers,
            customer("ann", MARCH, "SMB", "monthly"),
            customer("bob", JUNE, "SMB", "annual"),
            customer("cy", MARCH, "Enterprise", "annual", churn_date=date(2026, 5, 1)),
            customer("dot", APRIL, None, "annual"),
            customer("eve", MARCH, "SMB", "quarterly"),
            customer("prospect", None, "SMB", "monthly"),
        ),
        payments=rows(
            payments,
            paid("1", "ann", "1000.00", "succeeded"),
            paid("2", "ann", "100.00", "refunded"),
            paid("3", "ann", "500.00", "failed"),
            paid("4", "cy", "300.00", "succeeded"),
        ),
        customer_margins=rows(
            customer_margins,
            month("ann", MARCH, (0, 100), 100, 10),
            month("ann", APRIL, (100, 0), 0, 0),
            month("ann", MAY, (0, 200), 200, 150),
            month("ann", JUNE, (200, 300), 300, 240),
            month("bob", JUNE, (0, 100), 100, 90),
            month("cy", MARCH, (0, 50), 50, 70),
            month("cy", APRIL, (50, 50), 50, 70),
            month("cy", MAY, (50, 0), 0, 0),
            month("dot", JUNE, (50, 50), 50, None),
            month("eve", MARCH, (0, "726.62"), 100_000_000, "34583548.70"),
            month("eve", APRIL, ("726.62", "726.62"), 100_000_000, "34583548.70"),
        ),
        survival_curves=rows(
            survival_curves,
            point(("segment_x_billing_cadence", "SMB | monthly"), 3, 60, 20, 0.02),
            point(("segment_x_billing_cadence", "SMB | annual"), 0, 49, 99, 0.5),
            point(("segment_x_billing_cadence", "SMB | quarterly"), 3, 60, 62.964038252, 0.02),
            point(("segment_x_billing_cadence", "unknown | annual"), 2, 0, 99, 0.0),
            point(("segment", "SMB"), 3, 120, 99, 0.5),
            point(("segment", "SMB"), 0, 120, 30, 0.025),
            point(("all", "all"), 3, 130, 99, 0.5),
            point(("all", "all"), 2, 0, 40, 0.0),
            point(("all", "all"), 0, 130, 99, 0.5),
        ),
        as_of=AS_OF,
        unit_economics=parameters,
    )
    return {row.customer_id: row for row in result.collect()}


def test_arpa_is_the_mean_of_the_last_active_months_only(lifetimes):
    # May 200 and June 300; April without MRR is no active month.
    assert lifetimes["ann"].arpa == 250


def test_margin_is_a_ratio_of_sums_and_the_companys_where_history_is_short(lifetimes):
    assert (lifetimes["ann"].gross_margin, lifetimes["ann"].gross_margin_source) == (
        pytest.approx(390 / 500),
        "customer",
    )
    # Of everybody in May and June, cy's 0 of 0 in them: (150 + 240 + 90) ÷ (200 + 300 + 100).
    assert (lifetimes["bob"].gross_margin, lifetimes["bob"].gross_margin_source) == (pytest.approx(0.8), "company")


def test_a_margin_beyond_its_bounds_enters_lifetime_value_at_the_bound(lifetimes):
    # 140 ÷ 100 in its last two months served; the highest is 0.95.
    assert (lifetimes["cy"].gross_margin, lifetimes["cy"].ltv_margin) == (pytest.approx(1.4), 0.95)


def test_lifetime_value_is_cash_and_the_months_ahead_at_the_customers_margin(lifetimes):
    ann = lifetimes["ann"]
    # (1000 − 100) × 0.78 = 702, and 250 × 0.78 × 20 = 3900, ± a tenth.
    assert (ann.collected, ann.realised_ltv) == (900, 702)
    assert (ann.ltv_low, ann.ltv, ann.ltv_high) == (4212, 4602, 4992)
    # 195 ÷ 0.02, and ÷ 0.03.
    assert (ann.ltv_formula, ann.ltv_formula_lower_bound) == (9750, 6500)


def test_the_curve_is_the_finest_with_enough_churned_customers(lifetimes):
    assert (lifetimes["ann"].curve_dimension, lifetimes["ann"].curve_value) == (
        "segment_x_billing_cadence",
        "SMB | monthly",
    )
    # 49 churned are too few: the segment's 30 months.
    assert (lifetimes["bob"].curve_dimension, lifetimes["bob"].ltv) == ("segment", 2400)
    assert lifetimes["dot"].curve_dimension == "all"


def test_nothing_lies_ahead_of_a_churned_customer(lifetimes):
    cy = lifetimes["cy"]
    assert (cy.age_months, cy.remaining_months) == (2, 0)
    assert cy.ltv == cy.realised_ltv == 285


def test_without_churn_there_is_a_value_but_neither_an_interval_nor_a_textbook_one(lifetimes):
    dot = lifetimes["dot"]
    # 50 × 0.8 × 40.
    assert (dot.ltv, dot.ltv_low, dot.ltv_high, dot.ltv_formula) == (1600, None, None, None)
    assert dot.ltv_formula_lower_bound == 4000


def test_logos_lost_are_those_that_opened_with_mrr_and_closed_without(lifetimes):
    assert (lifetimes["ann"].logo_months, lifetimes["ann"].logos_lost) == (2, 1)
    assert (lifetimes["cy"].logo_months, lifetimes["cy"].logos_lost) == (2, 1)


@pytest.fixture
def lifetime_of_dot(rows, parameters):
    """Return a customer's lifetime by its gross profit of a month and the payments of the company."""

    def lifetime(gross_profit, *paid_by_anybody):
        (found,) = transform(
            customers=rows(customers, customer("dot", APRIL, None, "annual")),
            payments=rows(payments, *paid_by_anybody),
            customer_margins=rows(
                customer_margins,
                month("dot", MAY, (50, 50), 50, gross_profit),
                month("dot", JUNE, (50, 50), 50, gross_profit),
            ),
            survival_curves=rows(survival_curves, point(("all", "all"), 2, 0, 40, 0.0)),
            as_of=AS_OF,
            unit_economics=parameters,
        ).collect()
        return found

    return lifetime


def test_without_costs_margin_and_lifetime_value_are_unknown(lifetime_of_dot):
    unknown = lifetime_of_dot(None, paid("1", "ann", "100.00", "succeeded"))
    assert (unknown.collected, unknown.gross_margin_source, unknown.arpa, unknown.ltv) == (0, "no_data", 50, None)


def test_without_any_payment_the_cash_and_with_it_the_lifetime_value_are_unknown(lifetime_of_dot):
    unknown = lifetime_of_dot(40)
    assert (unknown.collected, unknown.realised_ltv, unknown.ltv, unknown.ltv_low) == (None, None, None, None)
    assert (unknown.gross_margin_source, unknown.monthly_gross_profit) == ("customer", 40)
    # 50 × 0.8 × 40 months ahead, once others have paid.
    assert lifetime_of_dot(40, paid("1", "ann", "100.00", "succeeded")).ltv == 1600


def test_value_ahead_is_rounded_once(lifetimes):
    # 726.62 x 0.345835487 x 62.964038252 = 15822.294975…; the product of the first two, rounded to six decimals, would
    # give 15822.295003… and a cent more.
    assert lifetimes["eve"].ltv == Decimal("15822.29")
