"""What reps say of their opportunities: expected close dates that are pushed, amounts and probabilities."""

from __future__ import annotations

import numpy as np

from lakehouse.generator.company import Company
from lakehouse.generator.crm.deals import Deals
from lakehouse.generator.crm.orders import EXPANSION, NEW, RENEWAL
from lakehouse.generator.crm.owners import NEVER, month_of
from lakehouse.generator.crm.paths import LOST, NEGOTIATION, WON
from lakehouse.generator.draws import log_normal
from lakehouse.generator.months import Months
from lakehouse.generator.streams import Floats, Ints
from lakehouse.generator.world import World
from lakehouse.vocabulary import SEGMENTS

MOST_PUSHES = 10
_LATE_DAYS = 4  # at most, from a date that has passed to the push
_SHORTEST_PUSH = 3  # days
# What is left of the first amount's uncertainty in each open stage; assumption.
_UNCERTAINTY = np.array([1.0, 0.8, 0.4, 0.15, 0.0, 0.0])
# The probability that reps begin with in each open stage, for expansions and renewals; assumption.
_WITH_CUSTOMERS = {EXPANSION: [0.55, 0.60, 0.70, 0.80], RENEWAL: [0.70, 0.75, 0.80, 0.88]}
_LOWEST, _HIGHEST, _STEP = 0.05, 0.95, 0.05
_COARSE, _FINE, _COARSE_FROM = 1000, 100, 100_000  # cents to which amounts are rounded before the end
_GUESS_OF_LOST = 0.6  # how soon informed reps see the end of a deal that will be lost; assumption


def expected_closes(world: World, months: Months, deals: Deals, due: Floats) -> tuple[Floats, Floats]:
    """Return by opportunity and place when an expected close date was set (NEVER: not), and the date as a time.

    The first is set on opening; each that passes is pushed. Renewals are expected when the term ends, at ``due``.
    """
    company, source = world.company, world.source
    rules, key = company.crm.forecast, deals.key
    typical = _typical_days(company, deals)
    guess = log_normal(source.uniform("crm/expected", key, 0), rules.optimism * typical, rules.sigma)
    date = _on_period_end(world, months, key, 0, deals.opened + np.maximum(guess, 1))
    date = np.where(deals.kind == RENEWAL, due, date)
    since, dates = [deals.opened], [date]
    for place in range(1, MOST_PUSHES + 1):
        late = 1 + source.uniform("crm/push_late", key, place) * (_LATE_DAYS - 1)
        passed = world.clock.begins(dates[-1].astype(np.int64)) + late
        pushes = (since[-1] < NEVER) & (passed < deals.closed)
        push = log_normal(source.uniform("crm/push", key, place), rules.push_share * typical, rules.sigma)
        rest = (deals.closed - passed) * np.where(deals.is_won, 1.0, _GUESS_OF_LOST)
        guess = log_normal(source.uniform("crm/push_guess", key, place), np.maximum(rest, 0.1), rules.sigma / 2)
        knows = source.uniform("crm/informed", key, place) < rules.informed_share
        date = passed + np.maximum(np.where(knows, guess, push), _SHORTEST_PUSH)
        since.append(np.where(pushes, passed, NEVER))
        dates.append(_on_period_end(world, months, key, place, date))
    return np.stack(since, axis=1), np.stack(dates, axis=1)


def amounts(world: World, deals: Deals, deal: Ints, place: Ints, stage: Ints) -> Ints:
    """Return the amount in cents that is entered in a stage: the nearer to the end, the nearer to the last one."""
    sigma = world.company.crm.forecast.first_amount_sigma * _UNCERTAINTY[stage]
    last = deals.arr[deal]
    guess = last * np.exp(sigma * world.source.normal("crm/amount", deals.key[deal], place))
    unit = np.where(last >= _COARSE_FROM, _COARSE, _FINE)
    return np.where(sigma > 0, np.rint(guess / unit) * unit, last).astype(np.int64)


def probabilities(world: World, deals: Deals, deal: Ints, place: Ints, stage: Ints, *, bias: Floats) -> Floats:
    """Return the probability that a rep of such a ``bias`` gives in a stage: informed, and wrong in the rep's way."""
    rules = world.company.crm.forecast
    base = _base(world.company)[deals.kind[deal], deals.segment[deal], np.minimum(stage, NEGOTIATION)]
    log_odds = np.log(base / (1 - base)) + rules.quality_weight * deals.quality[deal] + bias
    log_odds += rules.noise * world.source.normal("crm/said", deals.key[deal], place)
    said = np.clip(np.rint(1 / (1 + np.exp(-log_odds)) / _STEP) * _STEP, _LOWEST, _HIGHEST)
    return np.where(stage == WON, 1.0, np.where(stage == LOST, 0.0, np.round(said, 2)))


def _base(company: Company) -> Floats:
    """Return by kind, segment and open stage the share that is won from there."""
    new = [np.cumprod(company.crm.stages[name].advance[::-1])[::-1] for name in SEGMENTS]
    others = [[_WITH_CUSTOMERS[kind]] * len(SEGMENTS) for kind in (EXPANSION, RENEWAL)]
    return np.array([new, *others])


def _typical_days(company: Company, deals: Deals) -> Floats:
    rules = company.crm
    new = np.array([sum(rules.stages[name].median_days) for name in SEGMENTS])[deals.segment]
    more = np.array([rules.expansion.cycle_days[name] for name in SEGMENTS])[deals.segment]
    return np.where(deals.kind == NEW, new, more)


def _on_period_end(world: World, months: Months, key: Ints, place: int, time: Floats) -> Floats:
    """Return the times, of which some are moved to the end of their quarter or month."""
    share = world.company.crm.forecast.quarter_end_share
    month = month_of(months, time)
    quarter = np.minimum(month + 2 - (months.month_of_year[month] - 1) % 3, len(months) - 1)
    last_day = months.first_day + months.length - 1
    draw = world.source.uniform("crm/period_end", key, place)
    ends = np.where(draw < share, last_day[quarter], np.where(draw < 2 * share, last_day[month], -NEVER))
    return np.maximum(time, ends)
