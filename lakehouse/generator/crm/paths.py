"""The way of an opportunity through its stages: which it visits, and when."""

from __future__ import annotations

from functools import cache
from itertools import product

import numpy as np

from lakehouse.generator.company import Company
from lakehouse.generator.crm_parameters import OPEN_STAGES
from lakehouse.generator.draws import choice
from lakehouse.generator.outbox import NONE
from lakehouse.generator.streams import Floats, Ints, Source
from lakehouse.generator.world import Mask
from lakehouse.vocabulary import SEGMENTS, STAGES

PROSPECTING, DISCOVERY, PROPOSAL, NEGOTIATION, WON, LOST = range(len(STAGES))
MOST_VISITS = OPEN_STAGES + 2 + 2 + 1  # all stages, a step back and forth, a loss and a return, the end
_WAY_BACK = 1.5  # weight of the time between a loss and the return, as of a stage; assumption


def lost_stage(company: Company, source: Source, key: Ints, segment: Ints) -> Ints:
    """Return the stage in which each opportunity would be lost."""
    uniform = source.uniform("crm/lost_stage", key)
    shares = [company.crm.stages[name].lost_shares for name in SEGMENTS]
    return np.choose(segment, [choice(uniform, of_segment) for of_segment in shares])


def cycle_days(company: Company, source: Source, key: Ints, segment: Ints, last: Ints) -> Floats:
    """Return the days from opening to closing of new business whose last open stage is ``last``; WON: all of them.

    A deal's own slowness times the sum of its stages, both log-normal.
    """
    rules = company.crm
    stage = np.arange(OPEN_STAGES)
    median = np.array([rules.stages[name].median_days for name in SEGMENTS])[segment]
    spread = np.exp(rules.stage_sigma * source.normal("crm/stage_days", key[:, None], stage))
    days = (median * spread * (stage <= last[:, None])).sum(axis=1)
    slowness = np.exp(rules.deal_sigma * source.normal("crm/deal_days", key))
    days = days * slowness * np.where(last == WON, 1.0, rules.lost_slowdown)
    return np.asarray(np.minimum(days, rules.longest_days))


def visits(company: Company, source: Source, key: Ints, first: Ints, last: Ints) -> Ints:
    """Return the stages that each opportunity visits, closed ones too, padded with NONE.

    ``first`` is the stage in which it is opened, ``last`` the stage in which it is lost, or WON.
    """
    rules = company.crm
    furthest = np.minimum(last, NEGOTIATION)
    falls = source.uniform("crm/falls_back", key) < rules.back_share
    span = furthest - first
    back = first + 1 + (source.uniform("crm/back_stage", key) * span).astype(np.int64)
    back = np.where(falls & (span > 0), back, NONE)
    returns = source.uniform("crm/reopened", key) < rules.reopened_share
    lost_once = first + (source.uniform("crm/reopened_stage", key) * (span + 1)).astype(np.int64)
    lost_once = np.where(returns, lost_once, NONE)
    return _ways()[first, last, back + 1, lost_once + 1]


def entered(source: Source, key: Ints, way: Ints, segment: Ints, company: Company) -> Floats:
    """Return when each visit begins, as a share of the time from opening to closing; 1 for the end and the padding."""
    place = np.arange(MOST_VISITS)
    median = np.array([[*company.crm.stages[name].median_days, 0.0, 0.0] for name in SEGMENTS])
    median[:, LOST] = _WAY_BACK * median[:, :OPEN_STAGES].mean(axis=1)
    stays = np.concatenate([way[:, 1:] != NONE, np.zeros((len(way), 1), dtype=np.bool_)], axis=1)
    noise = np.exp(company.crm.stage_sigma * source.normal("crm/visit_days", key[:, None], place))
    weight = np.where(stays, median[segment[:, None], np.maximum(way, 0)] * noise, 0.0)
    until = np.cumsum(weight, axis=1)
    before = np.concatenate([np.zeros((len(way), 1)), until[:, :-1]], axis=1)
    return np.asarray(before / until[:, -1:])


def away(way: Ints, share: Floats) -> tuple[Floats, Floats]:
    """Return between which shares of its time an opportunity was lost before it was opened again; 2 if never."""
    is_interim = (way == LOST) & np.concatenate([way[:, 1:] != NONE, np.zeros((len(way), 1), dtype=np.bool_)], axis=1)
    place = np.argmax(is_interim, axis=1)
    row = np.arange(len(way))
    has_interim: Mask = is_interim.any(axis=1)
    return np.where(has_interim, share[row, place], 2.0), np.where(has_interim, share[row, place + 1], 2.0)


@cache
def _ways() -> Ints:
    """Return the visits by first stage, last open stage or WON, stage left backwards + 1, stage once lost in + 1."""
    shape = (OPEN_STAGES, WON + 1, OPEN_STAGES + 1, OPEN_STAGES + 1)
    ways = np.full((*shape, MOST_VISITS), NONE, dtype=np.int64)
    for first, last, back, lost_once in product(*map(range, shape)):
        furthest = min(last, NEGOTIATION)
        if first > furthest:
            continue
        way = list(range(first, furthest + 1))
        if back and back - 1 in way[1:]:
            here = way.index(back - 1) + 1
            way[here:here] = [back - 2, back - 1]
        if lost_once and lost_once - 1 in way:
            here = way.index(lost_once - 1) + 1
            way[here:here] = [LOST, lost_once - 1]
        way.append(WON if last == WON else LOST)
        ways[first, last, back, lost_once, : len(way)] = way
    return ways
