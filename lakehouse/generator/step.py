"""One month in the life of all customers: from each one's billing boundary in the month to the next."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lakehouse.generator.accounts import ACTIVE, Accounts, leaning
from lakehouse.generator.add_ons import buy_later
from lakehouse.generator.billing import Bill, Outcome
from lakehouse.generator.boundaries import pass_boundary, pause, resume
from lakehouse.generator.endings import can_leave_next, dun, give_notice, run_out
from lakehouse.generator.growth import change_inside_period
from lakehouse.generator.lifecycle import churn_probability, feel
from lakehouse.generator.outbox import business_moment
from lakehouse.generator.population import PAYPAL
from lakehouse.generator.starts import come_back, note_contact, start_trials, win
from lakehouse.generator.streams import Floats, Ints
from lakehouse.generator.world import World

_HORIZON_MONTHS = 3


@dataclass(frozen=True)
class Happened:
    """What no record says: who could decide to leave, how likely each was to be gone in 90 days, who decided so.

    ``probability_90_days`` is NaN for those whom no renewal within three months lets go.
    """

    deciding: Ints
    probability_90_days: Floats
    left: Ints
    lost: Ints
    champions: Ints


def step(world: World, month: int) -> Happened:
    """Live through the month: its records go to the outbox."""
    state = world.accounts
    if month == 0:
        start_trials(world, month)
    start_trials(world, month + 1)
    won = win(world, month)
    champions = feel(world, month)
    _replace_contacts(world, month, champions)
    run_out(world, month)
    begun = np.concatenate([won, come_back(world, month), resume(world, month)])
    staying = np.setdiff1d(_due(state, month), begun)
    pass_boundary(world, month, np.setdiff1d(staying, pause(world, month, staying)))
    bill, outcome = _bill(world, month)
    lost = dun(world, month, bill, outcome)

    who = np.setdiff1d(np.flatnonzero(state.stage == ACTIVE), bill.who[outcome.has_failed])
    probability = churn_probability(world, month, who)
    probability_90_days = _probability_90_days(world, month, who, probability)
    can_leave = can_leave_next(world, month, who)
    left = give_notice(world, month, who[can_leave], probability[can_leave])

    staying = np.setdiff1d(who, left)
    has_paid = np.isin(staying, bill.who[outcome.settled == bill.day])
    change_inside_period(world, month, staying, has_paid)
    buy_later(world, month, staying)
    return Happened(who, probability_90_days, left, lost, champions)


def _due(state: Accounts, month: int) -> Ints:
    return np.flatnonzero((state.stage == ACTIVE) & (state.next_bill == month))


def _bill(world: World, month: int) -> tuple[Bill, Outcome]:
    state, who = world.accounts, _due(world.accounts, month)
    state.next_bill[who] += state.interval[who]
    day = world.boundary(month, who)
    until = world.months.anniversary(state.next_bill[who], state.anchor[who])
    bill = Bill(who, day, until, world.items.amount(who), state.contract[who])
    return bill, world.billing.charge(bill, may_be_lost=True)


def _replace_contacts(world: World, month: int, who: Ints) -> None:
    world.accounts.contact[who] += 1
    share = world.source.uniform("new_contact", who, month)
    day = world.months.first_day[month] + (share * world.months.length[month]).astype(np.int64)
    note_contact(world, who, business_moment(world.source, day, who))


def _probability_90_days(world: World, month: int, who: Ints, probability: Floats) -> Floats:
    """Return the probability to be gone by the third boundary from now, by notice or by a payment that fails."""
    state, rules = world.accounts, world.company.payments
    wait = np.where(state.term[who] > 0, state.term_end[who], state.next_bill[who]) - month
    chances = np.where(state.term[who] > 0, 1, 1 + (_HORIZON_MONTHS - wait) // state.interval[who])
    stays = (1 - probability) ** chances
    loss = (
        rules.card_failure * (1 - sum(rules.recovered)) * leaning(rules.satisfaction_effect, -state.satisfaction[who])
    )
    charges = (_HORIZON_MONTHS - 1) // state.interval[who] * (world.people.method[who] <= PAYPAL)
    return np.where(wait <= _HORIZON_MONTHS, 1 - stays * (1 - loss) ** charges, np.nan)
