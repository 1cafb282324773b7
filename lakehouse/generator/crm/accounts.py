"""Accounts and the people who work there."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lakehouse.generator.arrays import MICROSECONDS_PER_DAY, carried, members
from lakehouse.generator.crm.clock import one_after_another
from lakehouse.generator.crm.deals import Deals
from lakehouse.generator.crm.force import BDRS, CSMS, Force
from lakehouse.generator.crm.leads import Leads
from lakehouse.generator.crm.market import PROSPECTS, Prospects
from lakehouse.generator.crm.orders import CUSTOMER, NEW, PROSPECT, Turns
from lakehouse.generator.crm.owners import Owners, month_of, region_numbers
from lakehouse.generator.draws import log_normal, poisson
from lakehouse.generator.months import Months
from lakehouse.generator.outbox import NONE
from lakehouse.generator.streams import Floats, Ints
from lakehouse.generator.world import World
from lakehouse.vocabulary import COMPANY_SIZES

_LARGEST = len(COMPANY_SIZES) - 1
_MOST_PEOPLE = 40
_NOTICE_DAYS = 3  # in which a leaving rep calls nobody
_MET_BY = 0.7  # share of an opportunity's time by which the last person is met; assumption


@dataclass(frozen=True)
class Accounts:
    """Accounts in order of ``created``, a time in days; ``account`` is a customer or counts from PROSPECTS.

    ``parent`` is the account that owns it, NONE without one.
    """

    account: Ints
    created: Floats
    parent: Ints
    size: Ints
    industry: Ints
    employees: Ints
    country: Ints
    revenue: Ints

    @classmethod
    def of(cls, world: World, prospects: Prospects, leads: Leads) -> Accounts:
        """Return the account of each lead whose person comes for the first time."""
        first = np.flatnonzero((leads.account < PROSPECTS) | (leads.account == leads.key))
        account = leads.account[first]
        employees, size = (_attribute(world, prospects, name, account) for name in ("employees", "size"))
        rules = world.company.crm.revenue_per_employee
        revenue = employees * log_normal(world.source.uniform("crm/revenue", account), rules.median, rules.sigma)
        return cls(
            account=account,
            created=leads.created[first],
            parent=_parents(world, account, size),
            size=size,
            industry=_attribute(world, prospects, "industry", account),
            employees=employees,
            country=_attribute(world, prospects, "country", account),
            revenue=np.rint(revenue / 1000).astype(np.int64) * 1000,
        )

    def places(self, account: Ints) -> Ints:
        """Return the place of each account among these, NONE where it is not among them."""
        order = np.argsort(self.account)
        found = order[np.minimum(np.searchsorted(self.account[order], account), len(order) - 1)]
        return np.where(self.account[found] == account, found, NONE)


@dataclass(frozen=True)
class AccountVersions:
    """Versions of accounts by ``place`` among them, in order of place and moment ``at``."""

    place: Ints
    at: Ints
    status: Ints
    owner: Ints


@dataclass(frozen=True)
class Contacts:
    """People by account and ``number``; 0 is the first one, with a customer the billing contact of the beginning."""

    account: Ints
    number: Ints
    country: Ints
    at: Ints


def lead_owners(world: World, force: Force, months: Months, leads: Leads) -> Ints:
    """Return the BDR who owns each lead."""
    return _bdrs(world, force, months, leads, leads.created)


def lead_callers(world: World, force: Force, months: Months, leads: Leads, times: Floats) -> Ints:
    """Return the BDR who calls each lead at the time: its owner, or another one where the owner has left."""
    owner = lead_owners(world, force, months, leads)
    return np.where(force.leaves[owner] <= times + _NOTICE_DAYS, _bdrs(world, force, months, leads, times), owner)


def _bdrs(world: World, force: Force, months: Months, leads: Leads, times: Floats) -> Ints:
    region = region_numbers(world.company)[1][leads.country]
    draw = world.source.uniform("crm/lead_owner", leads.key)
    return force.choose(np.full(len(leads), BDRS), region, month_of(months, times), draw, wins=False)


def account_versions(
    world: World,
    force: Force,
    months: Months,
    *,
    accounts: Accounts,
    leads: Leads,
    turns: Turns,
    deals: Deals,
    owned: Owners,
) -> AccountVersions:
    """Return the versions: BDRs own accounts until the first opportunity, AEs until the sale, CSMs from then on."""
    first_lead = np.flatnonzero((leads.account < PROSPECTS) | (leads.account == leads.key))
    bdr = lead_owners(world, force, months, leads)[first_lead]
    opened = np.flatnonzero(deals.kind == NEW)
    turned = accounts.places(turns.customer)
    parts = [
        (np.arange(len(bdr)), world.clock.moments(accounts.created), np.full(len(bdr), PROSPECT), bdr),
        (
            accounts.places(deals.account[opened]),
            world.clock.moments(deals.opened[opened]),
            np.full(len(opened), NONE),
            owned.rep[opened, 0],
        ),
        (turned, turns.known_at, turns.status, _csms(world, force, months, turns, accounts.country[turned])),
    ]
    place, at, status, owner = (np.concatenate(column) for column in zip(*parts, strict=True))
    order = np.lexsort((at, place))
    order = order[place[order] != NONE]
    place = place[order]
    return AccountVersions(place, one_after_another(place, at[order]), carried(status[order]), carried(owner[order]))


def _csms(world: World, force: Force, months: Months, turns: Turns, country: Ints) -> Ints:
    """Return the CSM who takes over each new customer, NONE where the customer leaves."""
    month = month_of(months, turns.known_at / MICROSECONDS_PER_DAY)
    draw = world.source.uniform("crm/account_owner", turns.customer)
    team = np.full(len(month), CSMS)
    csm = force.choose(team, region_numbers(world.company)[1][country], month, draw, wins=False)
    return np.where(turns.status == CUSTOMER, csm, NONE)


def further_people(world: World, deals: Deals) -> Ints:
    """Return how many people are met in an account's first opportunity beside the one who is known."""
    rules = world.company.crm.contacts
    mean = np.where(deals.is_won, rules.won, rules.lost)
    count = np.minimum(poisson(world.source.uniform("crm/people", deals.key), mean), _MOST_PEOPLE)
    is_first = np.where(deals.account < PROSPECTS, deals.number == 1, deals.account == deals.key)
    return np.where(is_first, count, 0)


def known_people(world: World, deals: Deals, deal: Ints, time: Floats) -> Ints:
    """Return how many of the further people are known at each time."""
    count = further_people(world, deals)[deal]
    span = _MET_BY * (deals.closed - deals.opened)[deal]
    return np.clip((time - deals.opened[deal]) / span * count, 0, count).astype(np.int64)


def contacts(world: World, accounts: Accounts, deals: Deals) -> Contacts:
    """Return the first person of each account, and those who are met in the course of an opportunity."""
    count = further_people(world, deals)
    deal, place = members(count)
    span = _MET_BY * (deals.closed - deals.opened)[deal]
    met = deals.opened[deal] + (place + 1) / count[deal] * span
    return Contacts(
        account=np.concatenate([accounts.account, deals.account[deal]]),
        number=np.concatenate([np.zeros(len(accounts.account), dtype=np.int64), place + 1]),
        country=np.concatenate([accounts.country, deals.country[deal]]),
        at=world.clock.moments(np.concatenate([accounts.created, met])),
    )


def _attribute(world: World, prospects: Prospects, name: str, account: Ints) -> Ints:
    ours, theirs = getattr(world.people, name), getattr(prospects.people, name)
    is_customer = account < PROSPECTS
    values = np.zeros(len(account), dtype=np.int64)
    values[is_customer] = ours[account[is_customer]]
    values[~is_customer] = theirs[account[~is_customer] - PROSPECTS]
    return values


def _parents(world: World, account: Ints, size: Ints) -> Ints:
    """Return for a few accounts a large one that came earlier and belongs to nobody."""
    belongs = world.source.uniform("crm/belongs", account) < world.company.crm.parent_share
    owners = np.flatnonzero((size == _LARGEST) & ~belongs)
    earlier = np.searchsorted(owners, np.arange(len(account)))
    chosen = (world.source.uniform("crm/parent", account) * earlier).astype(np.int64)
    has_parent = belongs & (earlier > 0)
    return np.where(
        has_parent, account[owners[np.minimum(chosen, max(len(owners) - 1, 0))]] if len(owners) else NONE, NONE
    )
