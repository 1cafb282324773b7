"""Who leaves, and when."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from lakehouse.generator.accounts import ACTIVE
from lakehouse.generator.company import Company
from lakehouse.generator.lifecycle import churn_probability
from lakehouse.generator.months import Months
from lakehouse.generator.world import World

Sql = Callable[[str], list[tuple[Any, ...]]]
# The month of the calendar with the factor 1.0 of the season: April.
APRIL = 9


@pytest.fixture
def world(company: Company) -> World:
    world = World.of(company, 1, 100, 12, Months.of(company.scale.start_month, 24))
    state = world.accounts
    state.stage[:], state.won[:], state.interval[:], state.term[:] = ACTIVE, 0, 1, 0
    return world


def test_the_unhappy_are_likelier_to_leave_in_proportion_to_their_odds(world: World) -> None:
    who = np.flatnonzero(world.people.segment == 0)[:2]
    world.accounts.satisfaction[who] = [0.5, -0.5]
    happy, unhappy = churn_probability(world, APRIL, who)
    odds_ratio = unhappy / (1 - unhappy) / (happy / (1 - happy))
    # One unit of satisfaction moves the log-odds by log_odds_sigma.
    assert np.isclose(np.log(odds_ratio), world.company.churn.log_odds_sigma)


def test_the_first_months_are_the_most_dangerous(world: World) -> None:
    who = np.flatnonzero(world.people.segment == 0)[:2]
    world.accounts.satisfaction[who] = 0.0
    world.accounts.won[who] = [APRIL, APRIL - 9]
    newcomer, settled = churn_probability(world, APRIL, who)
    # The multipliers are 1.6 up to month 3 and 1.0 from month 7 to 12; at small probabilities so is the ratio.
    assert 1.55 < newcomer / settled < 1.65


def test_a_larger_customer_leaves_less_and_a_renewal_decides_over_more_than_a_month(world: World) -> None:
    small, large = (np.flatnonzero(world.people.segment == segment)[0] for segment in (0, 2))
    who = np.array([small, large])
    world.accounts.satisfaction[who] = 0.0
    monthly = churn_probability(world, APRIL, who)
    world.accounts.interval[who], world.accounts.term[who] = 12, 12
    yearly = churn_probability(world, APRIL, who)
    assert monthly[1] < monthly[0]
    assert yearly[1] < yearly[0]
    assert (yearly > 5 * monthly).all()


def test_nobody_leaves_inside_a_term_but_by_failing_to_pay(sql: Sql) -> None:
    ended = sql("""
        SELECT date_diff('month', begun.start_date, gone.end_date) % begun.term_months
        FROM items AS gone JOIN items AS begun USING (subscription_id)
        WHERE gone.item_type = 'plan' AND gone.term_months IS NOT NULL AND gone.canceled_at IS NOT NULL
            AND gone.cancel_reason <> 'payment_failed' AND begun.item_type = 'plan'
            AND begun.change_type IN ('initial', 'conversion') AND begun.term_months = gone.term_months
    """)
    assert ended
    assert {months for (months,) in ended} == {0}


def test_those_who_gave_notice_were_less_satisfied_than_those_who_stayed(sql: Sql) -> None:
    ((left, stayed),) = sql("""
        SELECT avg(satisfaction) FILTER (gives_notice), avg(satisfaction) FILTER (NOT gives_notice)
        FROM truth_customer_months WHERE churn_probability_90_days IS NOT NULL
    """)
    assert left < stayed - 0.5


def test_notice_comes_before_the_end_and_is_not_known_before_it_is_given(sql: Sql) -> None:
    assert sql("SELECT count(*) FROM items WHERE canceled_at::DATE > end_date") == [(0,)]
    assert sql("SELECT count(*) FROM bronze_subscriptions WHERE canceled_at > updated_at") == [(0,)]
