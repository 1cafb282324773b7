"""Everything that changes on opportunities, in order: each change is a version and a row of the history."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from lakehouse.generator.arrays import MICROSECONDS_PER_DAY, carried, members
from lakehouse.generator.company import Company
from lakehouse.generator.crm.clock import Clock, one_after_another
from lakehouse.generator.crm.deals import FIRST_STAGE, Deals
from lakehouse.generator.crm.force import Force
from lakehouse.generator.crm.forecast import amounts, expected_closes, probabilities
from lakehouse.generator.crm.owners import NEVER, Owners
from lakehouse.generator.crm.paths import LOST, WON, away, entered, visits
from lakehouse.generator.draws import poisson
from lakehouse.generator.months import Months
from lakehouse.generator.outbox import NONE
from lakehouse.generator.streams import Floats, Ints, Source
from lakehouse.generator.world import Mask, World

_TO_END = 0.03  # days from the last change to the end, at least: minutes of working time
_VISIT, _PUSH, _OWNER, _UPDATE = range(4)
_FIRST_GUESS = 0.7  # of the time that is left, when an opportunity is opened again; assumption
_MOST_UPDATES = 6
_REVISION = 50  # place from which on draws of amounts belong to updates
_REVISED_SHARE = 0.3  # of the updates that bring another amount too; assumption


@dataclass(frozen=True)
class Changes:
    """Changes, in order of opportunity ``deal`` and moment ``at``, each with the state after it.

    ``before`` is the stage before, NONE on opening; ``expected`` a day; ``closed_at`` NONE while it is open.
    """

    deal: Ints
    at: Ints
    before: Ints
    stage: Ints
    arr: Ints
    expected: Ints
    owner: Ints
    probability: Floats
    closed_at: Ints

    def among(self, chosen: Mask) -> Changes:
        """Return the changes that are chosen."""
        return Changes(*(getattr(self, field.name)[chosen] for field in fields(self)))


@dataclass(frozen=True)
class _Events:
    """What happens to opportunities, and what it sets: NONE where it leaves something as it was."""

    deal: Ints
    time: Floats
    kind: Ints
    place: Ints
    stage: Ints
    expected: Ints
    owner: Ints

    def among(self, chosen: Mask | Ints) -> _Events:
        return _Events(*(getattr(self, field.name)[chosen] for field in fields(self)))


@dataclass(frozen=True)
class _Opening:
    """What is set when an opportunity is opened, beside its stage: the expected day, and the owner."""

    expected: Ints
    owner: Ints


def changes(world: World, months: Months, force: Force, *, deals: Deals, owned: Owners, due: Floats) -> Changes:
    """Return all changes of all opportunities; ``due`` is when a renewed term ends."""
    company, source = world.company, world.source
    way = visits(company, source, deals.key, FIRST_STAGE[deals.kind], deals.last)
    share = entered(source, deals.key, way, deals.segment, company)
    since, dates = expected_closes(world, months, deals, due)
    events = _together(
        _visits(world.clock, deals, way, share),
        _pushes(since, dates),
        _handovers(owned),
        _updates(company, source, deals),
    )
    events = events.among(_is_possible(deals, events, *away(way, share)))
    order = np.lexsort((events.kind, events.time, events.deal))
    opening = _Opening(dates[:, 0].astype(np.int64), owned.rep[:, 0])
    return _states(world, force, deals, opening, events.among(order))


def _visits(clock: Clock, deals: Deals, way: Ints, share: Floats) -> _Events:
    deal, place = np.nonzero(way != NONE)
    stage, closed = way[deal, place], deals.closed[deal]
    time = np.minimum(deals.opened[deal] + share[deal, place] * (closed - deals.opened[deal]), closed - _TO_END)
    is_last = np.concatenate([deal[1:] != deal[:-1], [True]])[: len(deal)]
    comes_back = np.concatenate([[False], stage[:-1] == LOST])[: len(deal)] & (place > 0)
    ends_on = np.where(is_last, deals.closed_at[deal] // MICROSECONDS_PER_DAY, clock.days(time))
    again = (time + _FIRST_GUESS * (closed - time)).astype(np.int64) + 1
    expected = np.where(stage >= WON, ends_on, np.where(comes_back, again, NONE))
    return _events(deal, np.where(is_last, NEVER, time), _VISIT, place, stage=stage, expected=expected)


def _pushes(since: Floats, dates: Floats) -> _Events:
    deal, place = np.nonzero(since < NEVER)
    return _events(deal, since[deal, place], _PUSH, place, expected=dates[deal, place].astype(np.int64))


def _handovers(owned: Owners) -> _Events:
    deal, place = np.nonzero(owned.since < NEVER)
    return _events(deal, owned.since[deal, place], _OWNER, place, owner=owned.rep[deal, place])


def _updates(company: Company, source: Source, deals: Deals) -> _Events:
    """Return the moments at which reps think anew of the probability, sometimes of the amount."""
    mean = (deals.closed - deals.opened) / company.crm.forecast.update_days
    number = np.minimum(poisson(source.uniform("crm/updates", deals.key), mean), _MOST_UPDATES)
    deal, place = members(number)
    share = source.uniform("crm/update_time", deals.key[deal], place)
    time = deals.opened[deal] + share * (deals.closed - deals.opened)[deal]
    return _events(deal, time, _UPDATE, place + _REVISION)


def _events(deal: Ints, time: Floats, kind: int, place: Ints, **sets: Ints) -> _Events:
    nothing = np.full(len(deal), NONE)
    columns = {name: sets.get(name, nothing) for name in ("stage", "expected", "owner")}
    return _Events(deal, time, np.full(len(deal), kind), place, **columns)


def _together(*parts: _Events) -> _Events:
    return _Events(*(np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(_Events)))


def _is_possible(deals: Deals, events: _Events, lost: Floats, returned: Floats) -> Mask:
    """Return which events happen: visits, and others while the opportunity is open, though not on opening."""
    share = (events.time - deals.opened[events.deal]) / (deals.closed - deals.opened)[events.deal]
    is_away = (share >= lost[events.deal]) & (share <= returned[events.deal])
    is_open = (events.time > deals.opened[events.deal]) & (events.time < deals.closed[events.deal] - _TO_END)
    return np.asarray((events.kind == _VISIT) | (is_open & ~is_away))


def _states(world: World, force: Force, deals: Deals, opening: _Opening, events: _Events) -> Changes:
    """Carry every state on until it is set anew, and leave out events that change nothing."""
    deal = events.deal
    opens = np.concatenate([[True], deal[1:] != deal[:-1]])[: len(deal)]
    stage = carried(events.stage)
    expected = carried(np.where(opens, opening.expected[deal], events.expected))
    owner = carried(np.where(opens, opening.owner[deal], events.owner))
    revises = world.source.uniform("crm/revised", deals.key[deal], events.place) < _REVISED_SHARE
    sets_amount = (events.kind == _VISIT) | ((events.kind == _UPDATE) & revises)
    # What was asked last stands in the record of a lost opportunity.
    sets_amount &= stage != LOST
    arr = carried(np.where(sets_amount, amounts(world, deals, deal, events.place, stage), NONE))
    says = events.kind != _PUSH
    place = np.where(events.kind == _OWNER, events.place + 2 * _REVISION, events.place)
    said = probabilities(world, deals, deal, place, stage, bias=force.bias[owner])
    probability = carried(np.where(says, np.rint(said * 100), NONE).astype(np.int64)) / 100
    is_end = (stage == WON) | (stage == LOST)
    final = events.time >= NEVER
    at = np.where(final, deals.closed_at[deal], world.clock.moments(np.where(final, deals.closed[deal], events.time)))
    state = (stage, arr, expected, owner, probability)
    differs = np.any([values[1:] != values[:-1] for values in state], axis=0)
    is_new = opens | np.concatenate([[True], differs])[: len(deal)]
    at = one_after_another(deal, at)
    before = np.where(opens, NONE, np.concatenate([[NONE], stage[:-1]])[: len(deal)])
    return Changes(deal, at, before, stage, arr, expected, owner, probability, np.where(is_end, at, NONE)).among(is_new)
