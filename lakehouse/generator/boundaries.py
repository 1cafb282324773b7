"""What happens where a billing period begins: renewals, new prices, discounts, fewer seats, other cadences, pauses."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lakehouse.generator.accounts import ACTIVE, FAR, PAUSED, leaning
from lakehouse.generator.add_ons import drop_some, reprice
from lakehouse.generator.draws import choice
from lakehouse.generator.items import PLAN
from lakehouse.generator.lifecycle_parameters import DISCOUNT_DURATIONS
from lakehouse.generator.outbox import NONE, batch_moment
from lakehouse.generator.streams import Floats, Ints
from lakehouse.generator.world import CHANGE, IN_FORCE, ON_PAUSE, Mask, World

_YEAR = 12
_RETENTION_MONTHS = 3
_ANNUAL, _MONTHLY = 12, 1


@dataclass
class _Boundary:
    """The customers at a boundary, and the change type of each so far: the first reason found names the row."""

    world: World
    month: int
    who: Ints
    change: Ints

    def draw(self, name: str) -> Floats:
        return self.world.source.uniform(name, self.who, self.month)

    def note(self, change: str, happens: Mask) -> Ints:
        """Note the change and return the customers to whom it happens."""
        self.change[happens & (self.change == NONE)] = CHANGE[change]
        return self.who[happens]

    def span_probability(self, monthly: Floats | float) -> Floats:
        """Return the probability over the months since the last boundary at which this could happen."""
        state = self.world.accounts
        months = np.where(state.term[self.who] > 0, state.term[self.who], state.interval[self.who])
        return np.asarray(1 - (1 - monthly) ** months)


def pass_boundary(world: World, month: int, who: Ints) -> None:
    """Change the terms of those whose billing period begins in the month and who stay."""
    state = world.accounts
    is_committed = (state.term[who] > 0) & (state.term_end[who] > month)
    at = _Boundary(world, month, who, np.full(len(who), NONE))
    renews = (state.term[who] > 0) & ~is_committed
    interval_before = state.interval[who].copy()
    _renew(at, renews)
    _change_cadence(at, renews, is_committed)
    _raise_price(at, is_committed)
    _change_discount(at)
    _shrink(at, is_committed)

    changed = at.change != NONE
    changing, day = who[changed], world.boundary(month, who[changed])
    known_at = batch_moment(world.source, day, changing)
    state.contract[who[renews]] = world.new_order(who[renews])
    world.items.replace(
        PLAN, changing, day, known_at, change=at.change[changed], opportunity=state.contract[changing],
        **world.quote(changing),
    )  # fmt: skip
    drop_some(world, month, who[~is_committed])
    switched = who[state.interval[who] != interval_before]
    day = world.boundary(month, switched)
    reprice(world, switched, day, batch_moment(world.source, day, switched))


def pause(world: World, month: int, who: Ints) -> Ints:
    """Let some monthly customers pause from the boundary on; return those who do."""
    state, rules = world.accounts, world.company.terms
    pauses = (state.interval[who] == _MONTHLY) & (world.source.uniform("pause", who, month) < rules.pause)
    pausing: Ints = who[pauses]
    months = choice(world.source.uniform("pause_months", pausing, month), [1.0] * len(rules.pause_months))
    state.stage[pausing] = PAUSED
    state.resumes[pausing] = month + np.array(rules.pause_months)[months]
    state.next_bill[pausing] = state.resumes[pausing]
    day = world.boundary(month, pausing)
    state.access_until[pausing] = day
    _set_status(world, pausing, day, change=CHANGE["pause"], status=ON_PAUSE)
    return pausing


def resume(world: World, month: int) -> Ints:
    """End the pauses that run until the month; return the customers."""
    state = world.accounts
    who = np.flatnonzero((state.stage == PAUSED) & (state.resumes == month))
    day = world.boundary(month, who)
    state.stage[who] = ACTIVE
    state.access_from[who], state.access_until[who] = day, FAR
    _set_status(world, who, day, change=CHANGE["resume"], status=IN_FORCE)
    return who


def _set_status(world: World, who: Ints, day: Ints, *, change: int, status: int) -> None:
    known_at = batch_moment(world.source, day, who)
    for slot in world.items.slots:
        owners = np.isin(who, world.items.among(who, slot))
        world.items.replace(slot, who[owners], day[owners], known_at[owners], change=change, status=status)


def _renew(at: _Boundary, renews: Mask) -> None:
    state, world = at.world.accounts, at.world
    who = at.note("renewal", renews)
    lifted = who[world.source.uniform("uplift", who, at.month) < world.company.terms.uplift_share]
    state.level[lifted] *= 1 + world.by_segment("uplift", lifted)
    state.level[who] = np.maximum(state.level[who], world.price_level(at.month))
    state.term_end[who] = at.month + state.term[who]


def _change_cadence(at: _Boundary, renews: Mask, is_committed: Mask) -> None:
    state, rules = at.world.accounts, at.world.company.terms
    pays_monthly = ~is_committed & (state.interval[at.who] == _MONTHLY)
    drawn = at.draw("cadence")
    annual = at.note("cadence_change", pays_monthly & (drawn < rules.to_annual))
    state.interval[annual] = state.term[annual] = _ANNUAL
    state.term_end[annual] = at.month + _ANNUAL
    has_year = state.term[at.who] == _YEAR
    monthly = at.note("cadence_change", renews & has_year & (drawn < rules.to_monthly))
    state.interval[monthly] = _MONTHLY
    state.term[monthly], state.term_end[monthly] = 0, NONE


def _raise_price(at: _Boundary, is_committed: Mask) -> None:
    world, state = at.world, at.world.accounts
    rise = world.company.price_rise
    if at.month < world.months.position(rise.month) + rise.grace_months:
        return
    level = world.price_level(at.month)
    who = at.note("price_change", ~is_committed & (state.level[at.who] < level))
    state.level[who] = level
    state.mood[who] += rise.shock


def _change_discount(at: _Boundary) -> None:
    world, state, rules = at.world, at.world.accounts, at.world.company.discounts
    is_over = (state.discount_kind[at.who] != NONE) & (state.discount_until[at.who] <= at.month)
    ended = at.note("discount_end", is_over)
    state.discount_rate[ended] = 0.0
    state.discount_kind[ended] = state.discount_until[ended] = NONE
    is_unhappy = (state.satisfaction[at.who] < 0) & (state.interval[at.who] == _MONTHLY)
    is_free = (state.discount_kind[at.who] == NONE) & ~is_over
    offered = at.note("discount_start", is_unhappy & is_free & (at.draw("retention_offer") < rules.retention_offer))
    picked = choice(world.source.uniform("retention_rate", offered, at.month), [1.0] * len(rules.rates))
    state.discount_rate[offered] = np.array(rules.rates)[picked]
    state.discount_kind[offered] = DISCOUNT_DURATIONS.index("repeating")
    state.discount_until[offered] = at.month + _RETENTION_MONTHS


def _shrink(at: _Boundary, is_committed: Mask) -> None:
    world, state = at.world, at.world.accounts
    away = leaning(world.company.terms.satisfaction_effect, -state.satisfaction[at.who])
    downgrades = at.span_probability(world.by_segment("downgrade", at.who)) * away
    # Those who pay by the month downgrade inside the period, with a credit note.
    can_downgrade = ~is_committed & (state.interval[at.who] > _MONTHLY) & (state.plan[at.who] > 0)
    lower = at.note("plan_downgrade", can_downgrade & (at.draw("downgrade") < downgrades))
    state.plan[lower] -= 1
    fewer = at.span_probability(world.by_segment("seats_down", at.who)) * away
    step = np.maximum(1, np.rint(state.seats[at.who] * world.by_segment("seats_down_step", at.who))).astype(np.int64)
    shrinks = ~is_committed & (state.seats[at.who] > step) & (at.draw("seats_down") < fewer)
    smaller = at.note("seat_contraction", shrinks)
    state.seats[smaller] -= step[shrinks]
