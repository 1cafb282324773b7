"""gold.unit_economics and gold.unit_economics_by_segment: ratios, reasons, and groups that add up."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from jobs.gold.customer_acquisition_costs import table as acquisition_costs
from jobs.gold.customer_lifetimes import table as lifetimes
from jobs.gold.customer_signals import table as signals
from jobs.gold.unit_economics import table as unit_economics
from jobs.gold.unit_economics import transform
from jobs.gold.unit_economics_by_segment import DIMENSIONS
from jobs.gold.unit_economics_by_segment import transform as by_segment
from jobs.silver.customers import table as customers


def customer(customer_id, plan_name, mrr, *, churn_date=None, industry="Retail"):
    return {
        "customer_id": customer_id,
        "plan_name": plan_name,
        "billing_cadence": "monthly",
        "industry": industry,
        "cohort_month": date(2026, 3, 1),
        "mrr": Decimal(mrr),
        "is_churned": churn_date is not None,
        "churn_date": churn_date,
    }


def cost(customer_id, cac, observed_payback_months=None):
    return {
        "customer_id": customer_id,
        "cac": cac and Decimal(cac),
        "cac_status": "no_data" if cac is None else "ok",
        "observed_payback_months": observed_payback_months,
    }


def life(customer_id, ltv, monthly_gross_profit, **more):
    values = {"ltv": ltv, "ltv_low": ltv, "ltv_high": ltv, "realised_ltv": ltv} | more
    money = {name: value if value is None else Decimal(value) for name, value in values.items()}
    return {
        "customer_id": customer_id,
        "gross_margin": 0.8,
        "gross_margin_source": "customer",
        "monthly_gross_profit": Decimal(monthly_gross_profit),
        "logo_months": 3,
        "logos_lost": 0,
    } | money


@pytest.fixture(scope="module")
def economics(rows):
    return transform(
        customers=rows(
            customers,
            customer("ann", "Starter", "100.00"),
            customer("bob", "Starter", "300.00", industry=None),
            customer("cy", "Business", "0.00", churn_date=date(2026, 5, 1)),
            customer("dot", "Business", "50.00") | {"region": "Asia"},
            {"customer_id": "prospect", "mrr": Decimal(0), "is_churned": False},
        ),
        acquisition_costs=rows(
            acquisition_costs, cost("ann", 400, 4), cost("bob", 800), cost("cy", 0), cost("dot", None)
        ),
        lifetimes=rows(
            lifetimes,
            life("ann", 1000, 80, ltv_low=900, ltv_high=1200, ltv_formula=1200),
            life("bob", 3000, 240, ltv_low=None, ltv_high=None),
            life("cy", 200, -10),
            life("dot", None, 40, ltv_low=None, ltv_high=None, realised_ltv=None),
        ),
        signals=rows(
            signals,
            {"customer_id": "ann", "is_churned": False, "usage_score": 0.25, "health_score": 80.0},
            {"customer_id": "bob", "is_churned": False, "usage_score": 0.75, "support_sentiment_score": 0.5},
            {"customer_id": "cy", "is_churned": True},
            {"customer_id": "dot", "is_churned": False},
        ),
        reporting_currency="USD",
    ).localCheckpoint()


@pytest.fixture(scope="module")
def by_customer(economics):
    return {row.customer_id: row for row in economics.collect()}


def test_ratios_are_null_where_their_denominator_is_missing_or_nothing(by_customer):
    ann, cy, dot = (by_customer[name] for name in ("ann", "cy", "dot"))
    assert (ann.ltv_cac_ratio, ann.cac_payback_months, ann.ltv_formula_gap) == (2.5, 5, 200)
    # No cost to divide by, and no profit to earn it back with.
    assert (cy.ltv_cac_ratio, cy.cac_payback_months) == (None, None)
    assert (dot.ltv_cac_ratio, dot.cac_payback_months) == (None, None)


def test_every_null_has_a_reason(by_customer):
    def reasons(column):
        return {name: getattr(row, column) for name, row in by_customer.items()}

    assert reasons("ltv_status") == {"ann": "ok", "bob": "no_churn", "cy": "ok", "dot": "no_data"}
    assert reasons("payback_status") == {"ann": "paid_back", "bob": "not_yet", "cy": "never", "dot": "no_data"}
    assert reasons("usage_score_status") == {"ann": "ok", "bob": "ok", "cy": "churned", "dot": "no_data"}
    assert reasons("health_status") == {"ann": "ok", "bob": "no_data", "cy": "churned", "dot": "no_data"}
    assert reasons("support_sentiment_status") == {"ann": "no_data", "bob": "ok", "cy": "no_data", "dot": "no_data"}


@pytest.fixture(scope="module")
def groups(economics):
    result = by_segment(unit_economics=economics, min_observations=3, reporting_currency="USD")
    return {(row.dimension, row.dimension_value): row for row in result.collect()}


def test_rates_and_ratios_of_a_group_are_ratios_of_sums(groups):
    everybody = groups["all", "all"]
    assert (everybody.customers, everybody.churned_customers, everybody.churn_rate) == (4, 1, 0.25)
    assert (everybody.mrr, everybody.arpa) == (450, 150)
    assert (everybody.total_cac, everybody.mean_cac, everybody.median_cac) == (1200, 400, 400)
    assert (everybody.total_ltv, everybody.ltv) == (4200, 1400)
    # 4200 ÷ 1200; dot, whose cost is unknown, is in neither sum: 1200 ÷ (80 + 240 − 10).
    assert everybody.ltv_cac_ratio == 3.5
    assert everybody.cac_payback_months == pytest.approx(1200 / 310)
    assert (everybody.usage_score, everybody.health_score, everybody.is_small) == (0.5, 80, False)


def test_a_group_has_an_interval_of_its_mean_ltv_where_everybody_has_one(groups):
    # Ann's 1000 lies between 900 and 1200, cy's 200 is all realised, dot's is unknown: (1200 − 100) ÷ 2, (1200 + 200) ÷ 2.
    retail = groups["industry", "Retail"]
    assert (retail.ltv_low, retail.ltv, retail.ltv_high, retail.ltv_status) == (550, 600, 700, "ok")


def test_an_ltv_without_an_interval_leaves_its_group_without_one_and_says_why(groups):
    found = [groups["industry", "unknown"], groups["all", "all"], groups["region", "Asia"]]
    assert [(row.ltv_low, row.ltv, row.ltv_high, row.ltv_status) for row in found] == [
        (None, 3000, None, "no_churn"),
        (None, 1400, None, "no_churn"),
        (None, None, None, "no_data"),
    ]


def test_pairs_months_and_missing_values_have_names(groups):
    assert groups["plan_x_billing_cadence", "Starter | monthly"].share_of_mrr == pytest.approx(400 / 450)
    assert groups["cohort_month", "2026-03"].customers == 4
    assert groups["industry", "unknown"].mrr == 300
    assert groups["plan", "Business"].is_small


def test_the_groups_of_each_dimension_add_up_to_all(groups):
    additive = (
        "customers",
        "active_customers",
        "churned_customers",
        "mrr",
        "total_cac",
        "total_ltv",
        "realised_ltv",
        "logo_months",
        "logos_lost",
        "paid_back_customers",
    )
    for dimension in DIMENSIONS:
        members = [row for (name, _), row in groups.items() if name == dimension]
        for column in additive:
            parts = sum(getattr(row, column) or 0 for row in members)
            assert parts == getattr(groups["all", "all"], column), (dimension, column)


def test_the_declared_checks_hold_on_a_sound_table_and_catch_a_broken_one(economics):
    rules = {check.name: check.expression for check in unit_economics.checks}
    broken = economics.selectExpr("*").replace({"no_data": "ok"}, subset=["ltv_status"])
    held = economics.selectExpr(*(f"bool_and({rule}) AS {name}" for name, rule in rules.items())).first()
    assert all(held)
    assert broken.filter(f"NOT ({rules['ltv_null_only_without_data']})").count() == 1
