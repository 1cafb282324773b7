"""Changes inside a billing period: more seats, better plans, and for monthly payers smaller plans."""

from __future__ import annotations

import numpy as np

from lakehouse.generator.accounts import leaning
from lakehouse.generator.add_ons import billing_period, prorated
from lakehouse.generator.billing import Bill
from lakehouse.generator.items import PLAN
from lakehouse.generator.outbox import business_moment
from lakehouse.generator.streams import Ints
from lakehouse.generator.world import CHANGE, Mask, World

_FILLED_SHARE = 0.6  # of the seats that a plan includes, from which on customers take it; assumption
_HIGHEST_PROBABILITY = 0.9
_STEP_SIGMA = 0.4  # of the logarithm of a step's size; assumption


def change_inside_period(world: World, month: int, who: Ints, has_paid: Mask) -> None:
    """Let some customers grow, or step down a plan, on a day inside their billing month; each at most once.

    ``has_paid`` tells whose last invoice is paid: only they can be given money back.
    """
    state = world.accounts
    lean = world.company.terms.satisfaction_effect
    towards, away = (leaning(lean, sign * state.satisfaction[who]) for sign in (1, -1))
    drawn = world.source.uniform("plan_change", who, month)
    more_seats = world.by_segment("seats_up", who) * towards
    upgrade = world.by_segment("upgrade", who) * towards * _fills_next_plan(world, who)
    probability = np.minimum(more_seats + upgrade, _HIGHEST_PROBABILITY)
    grows = world.growers.choose(probability, world.peers(who), world.monthly_dollars(who))
    upgrades = grows & (drawn * (more_seats + upgrade) < upgrade)
    downgrade = world.by_segment("downgrade", who) * away
    downgrades = (drawn < downgrade) & ~grows & (state.plan[who] > 0) & (state.interval[who] == 1) & has_paid

    wanted = state.seats[who] + _step(world, month, who)
    ceiling = (world.company.terms.seat_ceiling * world.people.employees[who]).astype(np.int64)
    grows &= ~upgrades & (wanted <= ceiling)

    state.seats[who[grows]] = wanted[grows]
    state.plan[who[upgrades]] += 1
    state.plan[who[downgrades]] -= 1
    for change, changes in (("seat_expansion", grows), ("plan_upgrade", upgrades), ("plan_downgrade", downgrades)):
        _apply(world, month, who[changes], change)


def _fills_next_plan(world: World, who: Ints) -> Mask:
    included = [plan.included_seats for plan in world.company.plans.values()]
    enough = np.array([_FILLED_SHARE * seats for seats in included[1:]] + [np.inf])
    return np.asarray(world.accounts.seats[who] >= enough[world.accounts.plan[who]])


def _step(world: World, month: int, who: Ints) -> Ints:
    size = np.exp(_STEP_SIGMA * world.source.normal("seats_step", who, month) - _STEP_SIGMA**2 / 2)
    step = world.accounts.seats[who] * world.by_segment("seats_up_step", who) * size
    return np.maximum(1, np.rint(step)).astype(np.int64)


def _apply(world: World, month: int, who: Ints, change: str) -> None:
    state = world.accounts
    start, end = world.boundary(month, who), world.boundary(month + 1, who)
    share = world.source.uniform("change_day", who, month)
    day = start + 1 + (share * (end - start - 2)).astype(np.int64)
    before = world.items.amount(who)
    order = world.new_order(who) if change != "plan_downgrade" else state.contract[who]
    known_at = business_moment(world.source, day, who)
    world.items.replace(PLAN, who, day, known_at, change=CHANGE[change], opportunity=order, **world.quote(who))

    begins, ends = billing_period(world, who)
    difference = prorated(world.items.amount(who) - before, day, begins, ends)
    bill = Bill(who, day, ends, np.abs(difference), order)
    world.billing.charge(bill.among(difference > 0), may_be_lost=False)
    world.billing.credit(bill.among(difference < 0))
