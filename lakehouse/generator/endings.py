"""How a contract ends: notices and what follows from them, and dunning that fails."""

from __future__ import annotations

import numpy as np

from lakehouse.generator.accounts import GONE, NOTICE
from lakehouse.generator.billing import Bill, Outcome
from lakehouse.generator.draws import choice
from lakehouse.generator.items import PLAN
from lakehouse.generator.outbox import NONE, batch_moment, business_moment
from lakehouse.generator.streams import Floats, Ints
from lakehouse.generator.world import CANCELED, CHANGE, IN_FORCE, PAST_DUE, UNPAID, Mask, World, reasons


def run_out(world: World, month: int) -> Ints:
    """End the contracts whose notice runs out in the month; return the customers."""
    state = world.accounts
    who = np.flatnonzero((state.stage == NOTICE) & (state.ends == month))
    known_at = batch_moment(world.source, world.boundary(month, who), who)
    for slot in world.items.slots:
        owners = np.isin(who, world.items.among(who, slot))
        world.items.close(slot, who[owners], known_at[owners], status=CANCELED)
    state.stage[who], state.left[who] = GONE, month
    return who


def can_leave_next(world: World, month: int, who: Ints) -> Mask:
    """Return who may end at the boundary in the month after ``month``."""
    state = world.accounts
    is_free = (state.term[who] == 0) | (state.term_end[who] == month + 1)
    return np.asarray((state.next_bill[who] == month + 1) & is_free)


def give_notice(world: World, month: int, who: Ints, probability: Floats) -> Ints:
    """Let some of ``who`` cancel for the boundary in the month after; return those who do."""
    state = world.accounts
    leaving = who[world.leavers.choose(probability, world.peers(who), world.monthly_dollars(who))]
    start, end = world.boundary(month, leaving), world.boundary(month + 1, leaving)
    day = start + 2 + (world.source.uniform("notice_day", leaving, month) * (end - start - 3)).astype(np.int64)
    said_at = business_moment(world.source, day, leaving)
    shares = list(world.company.churn.reasons.values())
    reason = choice(world.source.uniform("reason", leaving, month), shares)
    for slot in world.items.slots:
        owners = np.isin(leaving, world.items.among(leaving, slot))
        world.items.amend(
            slot, leaving[owners], said_at[owners], end=end[owners], canceled_at=said_at[owners], reason=reason[owners]
        )
    state.stage[leaving], state.ends[leaving] = NOTICE, month + 1
    state.access_until[leaving] = end
    return leaving


def dun(world: World, month: int, bill: Bill, outcome: Outcome) -> Ints:
    """Let failed charges show in the terms; return those who are lost, for whom service ends with the last retry."""
    who, day = bill.who[outcome.has_failed], bill.day[outcome.has_failed]
    settled = outcome.settled[outcome.has_failed]
    late = day + 1
    world.items.replace(
        PLAN, who, late, batch_moment(world.source, late, who), change=CHANGE["dunning"], status=PAST_DUE
    )
    is_lost = settled == NONE
    back, back_day = who[~is_lost], settled[~is_lost]
    world.items.replace(
        PLAN, back, back_day, business_moment(world.source, back_day, back), change=CHANGE["resume"], status=IN_FORCE
    )
    _cut_off(world, month, who[is_lost], day[is_lost] + world.company.payments.retry_days[-1])
    return np.asarray(who[is_lost])


def _cut_off(world: World, month: int, who: Ints, day: Ints) -> None:
    """Dunning is over: the add-ons end, the plan is unpaid for a while and then ends without bearing revenue."""
    state = world.accounts
    known_at = business_moment(world.source, day, who)
    reason = reasons(world.company).index("payment_failed")
    for slot in world.items.add_ons:
        owners = np.isin(who, world.items.among(who, slot))
        at = known_at[owners]
        world.items.close(slot, who[owners], at, end=day[owners], canceled_at=at, reason=reason, status=CANCELED)
    world.items.replace(PLAN, who, day, known_at, change=CHANGE["dunning"], status=UNPAID)
    last_day = day + world.company.payments.unpaid_days
    ended_at = batch_moment(world.source, last_day, who)
    world.items.close(PLAN, who, ended_at, end=last_day, canceled_at=ended_at, reason=reason)
    state.stage[who], state.left[who] = GONE, month + 1
    state.access_until[who] = day
