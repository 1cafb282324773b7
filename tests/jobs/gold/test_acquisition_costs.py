"""gold.acquisition_costs and gold.customer_acquisition_costs: every cent spent is borne once or still waits."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from jobs.bronze.exchange_rates import table as rates
from jobs.bronze.expenses import table as expenses
from jobs.bronze.marketing_spend import table as marketing_spend
from jobs.gold.acquisition_costs import table as acquisition_costs
from jobs.gold.acquisition_costs import transform
from jobs.gold.customer_acquisition_costs import transform as customer_costs
from jobs.gold.customer_margins import table as customer_margins
from jobs.silver.customers import table as customers

JANUARY, FEBRUARY, MARCH = date(2026, 1, 1), date(2026, 2, 1), date(2026, 3, 1)
AS_OF = date(2026, 3, 31)


def programme(channel, month, amount, currency="USD"):
    return {
        "spend_id": f"{channel} {month}",
        "month": month,
        "channel": channel,
        "amount": Decimal(amount),
        "currency": currency,
    }


def expense(department, month, amount):
    return {
        "expense_id": f"{department} {month}",
        "month": month,
        "department": department,
        "amount": Decimal(amount),
        "currency": "USD",
    }


def won(customer_id, channel, month, *, is_rep_won=False):
    return {
        "customer_id": customer_id,
        "acquisition_channel": channel,
        "cohort_month": month,
        "is_rep_won": is_rep_won,
    }


@pytest.fixture(scope="module")
def parameters(settings):
    return settings.unit_economics


@pytest.fixture(scope="module")
def won_customers(rows):
    return rows(
        customers,
        won("ann", "events", MARCH, is_rep_won=True),
        won("bob", "paid_search", JANUARY),
        won("cy", "events", MARCH),
        won("old", "paid_search", date(2025, 12, 1)),
        won("prospect", "events", None),
    )


@pytest.fixture(scope="module")
def costs(rows, won_customers, parameters):
    return transform(
        customers=won_customers,
        marketing_spend=rows(
            marketing_spend,
            programme("events", JANUARY, 100),
            programme("events", MARCH, 50),
            programme("paid_search", JANUARY, 300),
            programme("content", MARCH, 25),
            programme("content", date(2026, 4, 1), 999),
        ),
        expenses=rows(
            expenses,
            expense("marketing", JANUARY, 40),
            expense("marketing", FEBRUARY, 10),
            expense("sales", JANUARY, 90),
            expense("sales", FEBRUARY, 60),
            expense("research_development", JANUARY, 999),
        ),
        exchange_rates=rows(rates),
        as_of=AS_OF,
        reporting_currency="USD",
        unit_economics=parameters,
    ).localCheckpoint()


@pytest.fixture(scope="module")
def pools(costs):
    return {(row.pool, row.month): row for row in costs.collect()}


def test_marketing_people_are_spread_by_the_programmes_of_the_month(pools):
    # 40 in January by 100 : 300.
    assert pools["events", JANUARY].marketing_expense == 10
    assert pools["paid_search", JANUARY].marketing_expense == 30


def test_marketing_people_of_a_month_without_programmes_are_borne_by_all_channels(pools):
    assert pools["marketing", FEBRUARY].total_spend == 10
    assert pools["marketing", MARCH].customers_won == 2
    assert pools["marketing", MARCH].allocated == 10


def test_spend_without_a_win_waits_for_the_next_win_of_the_channel(pools):
    january, february, march = (pools["events", month] for month in (JANUARY, FEBRUARY, MARCH))
    assert (january.total_spend, january.allocated, january.carried_out) == (110, 0, 110)
    assert (february.total_spend, february.carried_in, february.carried_out) == (0, 110, 110)
    assert (march.carried_in, march.total_spend, march.allocated, march.carried_out) == (110, 50, 160, 0)


def test_sales_people_fall_on_rep_won_customers_and_on_all_when_there_are_none(pools):
    assert (pools["sales", JANUARY].customers_won, pools["sales", JANUARY].allocated) == (1, 90)
    assert pools["sales", FEBRUARY].carried_out == 60
    assert (pools["sales", MARCH].customers_won, pools["sales", MARCH].allocated) == (1, 60)


def test_spend_of_a_channel_that_never_wins_is_unallocated(pools):
    assert pools["content", MARCH].unallocated == 25
    assert sum(row.unallocated for row in pools.values()) == 25


def test_each_customer_bears_its_pools_and_the_rest_is_unallocated(rows, won_customers, costs, pools, parameters):
    cac = {
        row.customer_id: row
        for row in customer_costs(
            customers=won_customers,
            acquisition_costs=costs,
            customer_margins=rows(customer_margins),
            unit_economics=parameters,
        ).collect()
    }
    # ann and cy share the events pool (160) and the marketing pool (10); ann alone was won by a rep (60).
    assert {name: row.cac for name, row in cac.items()} == {"ann": 145, "bob": 420, "cy": 85, "old": None}
    assert (cac["ann"].sales_cost, cac["cy"].sales_cost) == (60, 0)
    assert cac["old"].cac_status == "before_spend"
    spent = sum(row.total_spend for row in pools.values())
    assert sum(row.cac or 0 for row in cac.values()) + 25 == spent == 675


def test_a_lag_charges_the_customer_with_the_spend_of_earlier_months(rows, won_customers, parameters):
    lagged = parameters.model_copy(update={"cac_lag_months": 2})
    result = transform(
        customers=won_customers,
        marketing_spend=rows(marketing_spend, programme("events", JANUARY, 100), programme("events", MARCH, 50)),
        expenses=rows(expenses),
        exchange_rates=rows(rates),
        as_of=AS_OF,
        reporting_currency="USD",
        unit_economics=lagged,
    )
    # Won in March with a lag of two months: January's spend is borne, March's waits.
    assert {row.month: (row.allocated, row.unallocated) for row in result.collect()} == {
        JANUARY: (100, 0),
        FEBRUARY: (0, 0),
        MARCH: (0, 50),
    }


def test_spend_is_converted_at_the_rate_of_the_months_end(rows, won_customers, parameters):
    result = transform(
        customers=won_customers,
        marketing_spend=rows(marketing_spend, programme("events", MARCH, 100, "EUR")),
        expenses=rows(expenses),
        exchange_rates=rows(
            rates,
            {"currency": "EUR", "rate_date": date(2026, 3, 1), "rate": Decimal("1.5")},
            {"currency": "EUR", "rate_date": AS_OF, "rate": Decimal("1.1")},
        ),
        as_of=AS_OF,
        reporting_currency="USD",
        unit_economics=parameters,
    )
    assert [row.total_spend for row in result.collect()] == [Decimal("110.00")]


def test_shares_by_first_year_value_follow_the_first_mrr_and_payback_counts_its_month(rows, won_customers, parameters):
    def earned(customer_id, month, new_mrr, gross_profit):
        return {
            "customer_id": customer_id,
            "month": month,
            "new_mrr": Decimal(new_mrr),
            "gross_profit": Decimal(gross_profit),
        }

    cac = customer_costs(
        customers=won_customers,
        acquisition_costs=rows(
            acquisition_costs,
            {"pool": "events", "month": JANUARY, "allocated": Decimal("100.00")},
            {"pool": "events", "month": MARCH, "allocated": Decimal("100.00")},
        ),
        customer_margins=rows(
            customer_margins,
            earned("ann", MARCH, "300.00", "40.00"),
            earned("ann", date(2026, 4, 1), "0.00", "35.00"),
            earned("cy", MARCH, "100.00", "24.99"),
        ),
        unit_economics=parameters.model_copy(update={"cac_spread": "first_year_value"}),
    )
    by_customer = {row.customer_id: row for row in cac.collect()}
    # 300 : 100 of 100.00; 40 + 35 reach 75 in the second month, 24.99 never reaches 25.
    assert (by_customer["ann"].cac, by_customer["ann"].observed_payback_months) == (75, 2)
    assert (by_customer["cy"].cac, by_customer["cy"].observed_payback_months) == (25, None)
    # Won in a month with spend, none of it in its channel.
    assert (by_customer["bob"].cac, by_customer["bob"].cac_status) == (0, "ok")


def test_without_any_spend_the_cost_is_unknown(rows, won_customers, parameters):
    nothing = transform(
        customers=won_customers,
        marketing_spend=rows(marketing_spend),
        expenses=rows(expenses),
        exchange_rates=rows(rates),
        as_of=AS_OF,
        reporting_currency="USD",
        unit_economics=parameters,
    )
    cac = customer_costs(
        customers=won_customers,
        acquisition_costs=nothing,
        customer_margins=rows(customer_margins),
        unit_economics=parameters,
    ).collect()
    assert {(row.cac, row.cac_status) for row in cac} == {(None, "no_data")}


def test_spend_before_the_first_rate_of_its_currency_is_an_error(rows, won_customers, parameters):
    unrated = transform(
        customers=won_customers,
        marketing_spend=rows(marketing_spend, programme("events", JANUARY, 100, "EUR")),
        expenses=rows(expenses),
        exchange_rates=rows(rates, {"currency": "EUR", "rate_date": MARCH, "rate": Decimal("1.5")}),
        as_of=AS_OF,
        reporting_currency="USD",
        unit_economics=parameters,
    )
    with pytest.raises(Exception, match="no exchange rate of EUR on or before 2026-01-31"):
        unrated.collect()
