"""Rates and costs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from lakehouse.generator.company import Company
from lakehouse.generator.finance import Finance
from lakehouse.generator.months import Months
from lakehouse.generator.streams import Source

Sql = Callable[[str], list[tuple[Any, ...]]]


@pytest.fixture
def finance(company: Company) -> Finance:
    return Finance(company, Source(1), Months.of(company.scale.start_month, 24), 240, 12)


def test_the_plan_wins_all_customers_by_the_end_of_the_history(finance: Finance) -> None:
    assert np.isclose(finance.planned_wins[:12].sum(), 240)
    assert finance.planned_wins[12:].min() > 0


def test_a_rate_does_not_depend_on_the_days_that_are_asked_for(finance: Finance) -> None:
    first = int(finance._months.first_day[3])
    long = finance.exchange_rates(first, first + 60)["rate"].to_pylist()
    short = finance.exchange_rates(first + 30, first + 40)["rate"].to_pylist()
    # 61 days of EUR stand before those of GBP.
    assert short == long[30:41] + long[61 + 30 : 61 + 41]


def test_rates_move_a_little_every_day_and_stay_near_their_mean(sql: Sql) -> None:
    ((lowest, highest, largest_step),) = sql("""
        SELECT min(rate), max(rate), max(abs(step)) FROM (
            SELECT rate, rate / lag(rate) OVER (ORDER BY rate_date) - 1 AS step
            FROM bronze_exchange_rates WHERE currency = 'EUR'
        )
    """)
    assert 0.85 < lowest < highest < 1.4
    assert 0.004 < largest_step < 0.025


def test_every_currency_has_a_rate_on_every_day_of_use(sql: Sql) -> None:
    assert sql("""
        SELECT count(*) FROM items LEFT JOIN bronze_exchange_rates AS rates
            ON rates.currency = items.currency AND rate_date = start_date - 1
        WHERE items.currency <> 'USD' AND rate IS NULL
    """) == [(0,)]


def test_hosting_follows_the_seats_in_use_and_support_the_tickets(sql: Sql) -> None:
    early, late = sql("""
        SELECT sum(amount) FILTER (department = 'cogs_hosting'), sum(amount) FILTER (department = 'cogs_support')
        FROM bronze_expenses WHERE month IN ('2023-08-01', '2024-12-01') GROUP BY month ORDER BY month
    """)
    assert late[0] > 2 * early[0]
    assert late[1] > early[1]


def test_spend_is_on_programmes_and_only_on_channels_that_cost(sql: Sql) -> None:
    assert sql("SELECT count(*) FROM bronze_marketing_spend WHERE channel = 'direct'") == [(0,)]
    # 8 channels × 2 campaigns × 18 months.
    assert sql("SELECT count(*), count(DISTINCT spend_id) FROM bronze_marketing_spend") == [(288, 288)]
    assert sql("SELECT count(DISTINCT department) FROM bronze_expenses") == [(6,)]
