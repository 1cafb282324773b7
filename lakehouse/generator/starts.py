"""How a contract begins: trials, wins, returns, and what is bought with the first order."""

from __future__ import annotations

import numpy as np

from lakehouse.generator.accounts import ACTIVE, FAR, GONE, TRIAL
from lakehouse.generator.add_ons import buy_at_start
from lakehouse.generator.arrivals import LAPSED_TRIAL, SALES, SELF_SERVICE
from lakehouse.generator.draws import choice
from lakehouse.generator.items import PLAN
from lakehouse.generator.lifecycle_parameters import DISCOUNT_DURATIONS
from lakehouse.generator.outbox import NONE, batch_moment, business_moment
from lakehouse.generator.streams import Ints
from lakehouse.generator.world import CHANGE, IN_FORCE, TRIALING, World, reasons

INTERVALS = np.array([1, 3, 12, 12])  # by cadence: monthly, quarterly, annual, multi-year
TERMS = np.array([0, 0, 12, 24])
_LONGEST_TERM = 36
_LONGEST_TERM_SHARE = 0.3  # of the multi-year contracts; assumption
_FIRST_RETURN, _LAST_RETURN = 3, 12  # months after leaving


def start_trials(world: World, month: int) -> None:
    """Open the trials that end in ``month``; they may begin in the month before."""
    who = np.flatnonzero((world.arrivals.month == month) & (world.arrivals.motion != SALES))
    state, day = world.accounts, trial_start(world, who)
    signed_up_at = business_moment(world.source, day, who)
    state.stage[who] = TRIAL
    state.subscription[who] = 1
    state.access_from[who] = day
    lapses = world.arrivals.motion[who] == LAPSED_TRIAL
    state.access_until[who] = np.where(lapses, world.arrivals.day[who], FAR)
    world.items.open(
        PLAN, who, signed_up_at, subscription=1, change=CHANGE["trial"], status=TRIALING, start=day, **world.quote(who)
    )
    world.outbox.add(
        "customers", signed_up_at, customer=who, contact=0, signup_at=signed_up_at, trial_started_at=signed_up_at,
        trial_ended_at=NONE,
    )  # fmt: skip


def win(world: World, month: int) -> Ints:
    """Begin the contracts that are won in the month; return the customers."""
    arrived = world.arrivals.month == month
    _end_lapsed_trials(world, np.flatnonzero(arrived & (world.arrivals.motion == LAPSED_TRIAL)))
    sold = np.flatnonzero(arrived & (world.arrivals.motion == SALES))
    converted = np.flatnonzero(arrived & (world.arrivals.motion == SELF_SERVICE))
    who = np.concatenate([sold, converted])
    state, day = world.accounts, world.arrivals.day
    known_at = batch_moment(world.source, day, np.arange(len(day)))

    state.won[who] = month
    state.subscription[who] = 1
    _set_first_terms(world, month, who)
    _begin(world, month, who, day[who])
    state.access_from[sold] = day[sold]
    world.items.open(
        PLAN, sold, known_at[sold], subscription=1, change=CHANGE["initial"], status=IN_FORCE, start=day[sold],
        opportunity=state.contract[sold], **world.quote(sold),
    )  # fmt: skip
    world.items.replace(
        PLAN, converted, day[converted], known_at[converted], change=CHANGE["conversion"], status=IN_FORCE,
        **world.quote(converted),
    )  # fmt: skip
    world.outbox.add(
        "customers", known_at[sold], customer=sold, contact=0, signup_at=known_at[sold], trial_started_at=NONE,
        trial_ended_at=NONE,
    )  # fmt: skip
    _note_trial_end(world, converted, known_at[converted])
    buy_at_start(world, month, who)
    return who


def come_back(world: World, month: int) -> Ints:
    """Begin new subscriptions of some who left; return the customers."""
    state = world.accounts
    gap = month - state.left
    candidates = (state.stage == GONE) & (state.left != NONE) & (gap >= _FIRST_RETURN) & (gap <= _LAST_RETURN)
    who = np.flatnonzero(candidates)
    who = who[world.source.uniform("return", who, month) < world.company.churn.return_probability]
    share = world.source.uniform("return_day", who, month)
    day = world.months.first_day[month] + (share * world.months.length[month]).astype(np.int64)

    state.subscription[who] += 1
    is_sales = world.people.is_sales[who]
    state.interval[who] = np.where(is_sales, state.interval[who], 1)
    state.term[who] = np.where(is_sales & (state.term[who] > 0), 12, 0)
    state.discount_rate[who] = 0.0
    state.discount_kind[who] = state.discount_until[who] = NONE
    state.level[who] = np.maximum(state.level[who], world.price_level(month))
    _begin(world, month, who, day)
    state.access_from[who], state.access_until[who] = day, FAR
    world.items.open(
        PLAN, who, batch_moment(world.source, day, who), subscription=state.subscription[who], status=IN_FORCE,
        change=CHANGE["reactivation"], start=day, opportunity=state.contract[who], **world.quote(who),
    )  # fmt: skip
    return who


def trial_start(world: World, who: Ints) -> Ints:
    """Return the day on which the trial of each customer by self-service begins."""
    return np.asarray(np.maximum(world.arrivals.day[who] - world.company.growth.trial_days, world.months.first_day[0]))


def _end_lapsed_trials(world: World, who: Ints) -> None:
    day = world.arrivals.day[who]
    known_at = batch_moment(world.source, day, who)
    reason = reasons(world.company).index("trial_expired")
    world.items.close(PLAN, who, known_at, end=day, canceled_at=known_at, reason=reason)
    world.accounts.stage[who] = GONE
    _note_trial_end(world, who, known_at)


def _note_trial_end(world: World, who: Ints, known_at: Ints) -> None:
    started_at = business_moment(world.source, trial_start(world, who), who)
    world.outbox.add(
        "customers", known_at, customer=who, contact=0, signup_at=started_at, trial_started_at=started_at,
        trial_ended_at=known_at,
    )  # fmt: skip


def note_contact(world: World, who: Ints, known_at: Ints) -> None:
    """Leave a version of each customer, which has a new billing contact."""
    won_at = batch_moment(world.source, world.arrivals.day[who], who)
    trial_started_at = business_moment(world.source, trial_start(world, who), who)
    is_sales = world.people.is_sales[who]
    world.outbox.add(
        "customers",
        known_at,
        customer=who,
        contact=world.accounts.contact[who],
        signup_at=np.where(is_sales, won_at, trial_started_at),
        trial_started_at=np.where(is_sales, NONE, trial_started_at),
        trial_ended_at=np.where(is_sales, NONE, won_at),
    )


def _set_first_terms(world: World, month: int, who: Ints) -> None:
    state, source, discounts = world.accounts, world.source, world.company.discounts
    cadence = world.people.cadence[who]
    is_longest = source.uniform("longest_term", who) < _LONGEST_TERM_SHARE
    state.interval[who] = INTERVALS[cadence]
    state.term[who] = np.where((TERMS[cadence] == 24) & is_longest, _LONGEST_TERM, TERMS[cadence])
    state.level[who] = world.price_level(month)

    probability = np.where(world.people.is_sales[who], discounts.at_start.sales, discounts.at_start.self_service)
    lucky = who[source.uniform("first_discount", who) < probability]
    rate = np.array(discounts.rates)[choice(source.uniform("discount_rate", lucky), [1.0] * len(discounts.rates))]
    kind = choice(source.uniform("discount_kind", lucky), [discounts.durations[name] for name in DISCOUNT_DURATIONS])
    repeating = np.array(discounts.repeating_months)[
        choice(source.uniform("discount_months", lucky), [1.0] * len(discounts.repeating_months))
    ]
    interval = state.interval[lucky]
    # A discount ends with a billing period: at the first boundary that is not before its months are over.
    lasts = np.choose(kind, [interval, -(-repeating // interval) * interval, np.full_like(interval, FAR)])
    state.discount_rate[lucky] = rate
    state.discount_kind[lucky] = kind
    state.discount_until[lucky] = month + lasts


def _begin(world: World, month: int, who: Ints, day: Ints) -> None:
    state = world.accounts
    state.stage[who] = ACTIVE
    state.anchor[who] = day - world.months.first_day[month] + 1
    state.next_bill[who] = month
    state.term_end[who] = np.where(state.term[who] > 0, month + state.term[who], NONE)
    state.contract[who] = world.new_order(who)
