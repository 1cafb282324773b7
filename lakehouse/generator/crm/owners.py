"""Who owns an opportunity, from when to when."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lakehouse.generator.company import Company
from lakehouse.generator.crm.deals import Deals
from lakehouse.generator.crm.force import CSMS, Force
from lakehouse.generator.crm.orders import NEW
from lakehouse.generator.months import Months
from lakehouse.generator.streams import Floats, Ints
from lakehouse.generator.world import World

NEVER = 1e12  # a time in days that never comes
_OWNERS = 4  # people who can own an opportunity one after another


@dataclass(frozen=True)
class Owners:
    """The reps of each opportunity, one after another, and the time from which on each owns it; NEVER for no other."""

    rep: Ints
    since: Floats

    def at(self, deal: Ints, time: Floats) -> Ints:
        """Return who owns each opportunity ``deal`` at the time."""
        place = np.maximum((self.since[deal] <= time[:, None]).sum(axis=1) - 1, 0)
        return np.asarray(self.rep[deal, place])


def month_of(months: Months, time: Floats) -> Ints:
    """Return the place of the month in which each time lies, the first or last one for times outside."""
    return np.clip(np.searchsorted(months.first_day, time, side="right") - 1, 0, len(months) - 2)


def region_numbers(company: Company) -> tuple[list[str], Ints]:
    """Return the regions, and the number of each country's."""
    of_country = [country.region for country in company.countries.values()]
    regions = list(dict.fromkeys(of_country))
    return regions, np.array([regions.index(region) for region in of_country])


def region_shares(company: Company) -> Floats:
    """Return the shares of the regions, in the order of :func:`region_numbers`."""
    regions, of_country = region_numbers(company)
    shares = np.array([country.share for country in company.countries.values()])
    return np.asarray(np.bincount(of_country, shares, len(regions)), dtype=np.float64)


def owners(world: World, force: Force, months: Months, deals: Deals) -> Owners:
    """Return the owners of all opportunities: AEs of new business, CSMs with customers; who leaves hands over."""
    company, source = world.company, world.source
    team = np.where(deals.kind == NEW, 1 + deals.segment, CSMS)
    region = region_numbers(company)[1][deals.country]
    reps, since = [], [np.full(len(deals), -NEVER)]
    month = month_of(months, deals.opened)
    for place in range(_OWNERS):
        draw = source.uniform("crm/owner", deals.key, place)
        able, free = (force.choose(team, region, month, draw, wins=wins) for wins in (True, False))
        reps.append(np.where(deals.is_won, able, free))
        if place + 1 < _OWNERS:
            left = force.leaves[reps[-1]]
            left = np.where((since[-1] < NEVER) & (left < deals.closed), left, NEVER)
            since.append(left)
            month = month_of(months, np.minimum(left, deals.closed))
    return Owners(np.stack(reps, axis=1), np.stack(since, axis=1))
