"""Opportunities: what they are about, when they are opened and closed, and how good they really are."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from lakehouse.generator.arrays import MICROSECONDS_PER_DAY, MICROSECONDS_PER_SECOND
from lakehouse.generator.crm.market import Prospects, lead_days
from lakehouse.generator.crm.orders import EXPANSION, NEW, RENEWAL, Orders
from lakehouse.generator.crm.paths import DISCOVERY, NEGOTIATION, PROPOSAL, PROSPECTING, WON, cycle_days, lost_stage
from lakehouse.generator.draws import choice, log_normal
from lakehouse.generator.outbox import NONE
from lakehouse.generator.population import Population
from lakehouse.generator.starts import INTERVALS, TERMS
from lakehouse.generator.streams import Floats, Ints, Source
from lakehouse.generator.world import Mask, World
from lakehouse.vocabulary import SEGMENTS

FIRST_STAGE = np.array([PROSPECTING, DISCOVERY, PROPOSAL])  # by kind

_PLACES = 10_000  # numbers of a customer's opportunities
_WORKDAYS = 5
_OPENS = 8 * 3600
_OPEN_SECONDS = 10 * 3600
_LONGEST_EXPANSION = 120  # days
_WIN_BACK = 0.3  # of the usual cycle with those who come back, whom reps know; assumption
_LONGEST_WIN_BACK = 60  # days
_RENEWAL_WIN_RATE = 0.9  # about what comes out; only the latent quality is centred by it
_TO_END = 0.05  # days between the last change and the closing, at least


@dataclass(frozen=True)
class Deals:
    """Opportunities, one element each. ``key`` counts their draws, ``account`` is a customer or counts from PROSPECTS.

    ``opened`` and ``closed`` are times in days, ``closed_at`` the exact moment of the end; ``last`` is the stage in
    which it is lost, or WON. ``arr`` is the last amount, in cents. ``lead`` is the place of a prospect's lead.
    """

    key: Ints
    account: Ints
    number: Ints
    kind: Ints
    line: Ints
    segment: Ints
    country: Ints
    channel: Ints
    currency: Ints
    term: Ints
    arr: Ints
    opened: Floats
    closed: Floats
    closed_at: Ints
    last: Ints
    quality: Floats
    win_probability: Floats
    lead: Ints

    @property
    def is_won(self) -> Mask:
        """Whether each is won in the end."""
        return np.asarray(self.last == WON)

    def __len__(self) -> int:
        return len(self.key)

    def among(self, chosen: Mask | Ints) -> Deals:
        """Return the opportunities that are chosen."""
        return Deals(*(getattr(self, field.name)[chosen] for field in fields(self)))

    @classmethod
    def together(cls, *parts: Deals) -> Deals:
        """Return the opportunities of all parts, one after another."""
        return cls(*(np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(cls)))


def customer_key(customer: Ints, number: Ints) -> Ints:
    """Return the key of a customer's opportunity by its number; 0 stands for what comes before the first."""
    return customer * _PLACES + number


def with_customers(world: World, orders: Orders) -> Deals:
    """Return the opportunities behind the orders, and those that customers let pass: drawn back from their end."""
    source, people, who = world.source, world.people, orders.customer
    key = customer_key(who, orders.number)
    segment = people.segment[who]
    closed_at = _signed_at(world, orders, key)
    last = np.where(orders.is_won, WON, _lost_late(source, key, orders.kind))
    opened, closed = _opened(world, orders, key, closed_at), world.clock.times(closed_at)
    quality, probability = _quality(world, key, orders.kind, segment, orders.is_won)
    return Deals(
        key=key,
        account=who,
        number=orders.number,
        kind=orders.kind,
        line=orders.line,
        segment=segment,
        country=people.country[who],
        channel=people.channel[who],
        currency=people.currency[who],
        term=orders.term,
        arr=orders.arr,
        opened=np.minimum(opened, closed - _TO_END),
        closed=closed,
        closed_at=closed_at,
        last=last,
        quality=quality,
        win_probability=probability,
        lead=np.full(len(who), NONE),
    )


def with_prospects(world: World, leads: Prospects, lead: Ints, opened: Floats) -> Deals:
    """Return new business that is lost, with the prospects ``lead`` from the times ``opened`` on."""
    source, company = world.source, world.company
    key = leads.key[lead]
    people = Population(**{name: values[lead] for name, values in vars(leads.people).items()})
    last = lost_stage(company, source, key, people.segment)
    closed = opened + cycle_days(company, source, key, people.segment, last)
    new = np.full(len(lead), NEW)
    quality, probability = _quality(world, key, new, people.segment, np.zeros(len(lead), dtype=np.bool_))
    term = np.where(TERMS[people.cadence] > 0, TERMS[people.cadence], NONE)
    return Deals(
        key=key,
        account=leads.account[lead],
        number=key,
        kind=new,
        line=np.zeros_like(new),
        segment=people.segment,
        country=people.country,
        channel=leads.channel[lead],
        currency=people.currency,
        term=term,
        arr=_asked(world, key, people, opened),
        opened=opened,
        closed=closed,
        closed_at=world.clock.moments(closed),
        last=last,
        quality=quality,
        win_probability=probability,
        lead=lead,
    )


def lead_times(world: World, key: Ints, opened: Floats) -> tuple[Floats, Floats, Floats]:
    """Return when the lead of each opportunity came, was qualified and was accepted: drawn back from its opening."""
    accepted = opened - lead_days(world.company, world.source, "opportunity", key)
    qualified = accepted - lead_days(world.company, world.source, "sql", key)
    return qualified - lead_days(world.company, world.source, "mql", key), qualified, accepted


def _signed_at(world: World, orders: Orders, key: Ints) -> Ints:
    """Return when each ended: before the service begins, or when the customer said no."""
    source, rules = world.source, world.company.crm
    slack = np.array([rules.start_days[name] for name in SEGMENTS])[world.people.segment[orders.customer]]
    wait = 1 + (source.uniform("crm/start_wait", key) * slack).astype(np.int64)
    early = log_normal(
        source.uniform("crm/early", key), rules.renewal.early_days.median, rules.renewal.early_days.sigma
    )
    opened_days = _renewal_days(world, orders)
    early = np.clip(early, 1, opened_days - 10).astype(np.int64)
    wanted = orders.start - np.where(orders.kind == RENEWAL, early, wait)
    # Instead of on a weekend, or often on a quiet day, it is signed on any of the five busy workdays before.
    is_signed_then = source.uniform("crm/signed_on_quiet_day", key) < world.clock.work(wanted)
    sooner = (source.uniform("crm/signing_day", key) * _WORKDAYS).astype(np.int64)
    day = np.where(is_signed_then, wanted, world.clock.busy_day(wanted, sooner))
    second = _OPENS + (source.uniform("crm/signing", key) * _OPEN_SECONDS).astype(np.int64)
    signed_at = day * MICROSECONDS_PER_DAY + second * MICROSECONDS_PER_SECOND
    # What a customer adds is in force on the spot.
    shortly = (120 + source.uniform("crm/signing", key) * 1500).astype(np.int64) * MICROSECONDS_PER_SECOND
    won_at = np.where(orders.kind == EXPANSION, orders.known_at - shortly, signed_at)
    # A notice comes on any day; when an expansion comes to nothing is up to those who work on it.
    known = np.where(
        orders.kind == EXPANSION, orders.known_at / MICROSECONDS_PER_DAY, world.clock.times(orders.known_at)
    )
    lost_at = world.clock.moments(known + source.uniform("crm/noted", key))
    return np.where(orders.is_won, won_at, lost_at)


def _renewal_days(world: World, orders: Orders) -> Floats:
    days = np.array([world.company.crm.renewal.opened_days[name] for name in SEGMENTS])
    return np.asarray(days[world.people.segment[orders.customer]])


def _opened(world: World, orders: Orders, key: Ints, closed_at: Ints) -> Floats:
    source, rules = world.source, world.company.crm
    segment, closed = world.people.segment[orders.customer], world.clock.times(closed_at)
    cycle = cycle_days(world.company, source, key, segment, np.full(len(key), WON))
    is_back = (orders.kind == NEW) & (orders.number > 1)
    cycle = np.where(is_back, np.minimum(_WIN_BACK * cycle, _LONGEST_WIN_BACK), cycle)
    typical = np.array([rules.expansion.cycle_days[name] for name in SEGMENTS])[segment]
    grown = log_normal(source.uniform("crm/expansion_days", key), typical, rules.expansion.cycle_sigma)
    since_start = closed - world.clock.begins(world.arrivals.day[orders.customer])
    grown = np.clip(grown, 0, np.maximum(np.minimum(since_start, _LONGEST_EXPANSION), 0))
    days = np.choose(orders.kind, [cycle, grown, 0.0])
    due = orders.start - _renewal_days(world, orders) + source.uniform("crm/renewal_opened", key)
    return np.where(orders.kind == RENEWAL, due, closed - days)


def _lost_late(source: Source, key: Ints, kind: Ints) -> Ints:
    """Return a stage in which a customer lets an opportunity pass, from its first one on."""
    first = FIRST_STAGE[kind]
    return np.asarray(first + (source.uniform("crm/lost_stage", key) * (NEGOTIATION - first + 1)).astype(np.int64))


def _quality(world: World, key: Ints, kind: Ints, segment: Ints, is_won: Mask) -> tuple[Floats, Floats]:
    """Return the latent quality of each, and the probability that one of that quality is won."""
    rules = world.company.crm
    new = np.array([rules.stages[name].win_rate for name in SEGMENTS])[segment]
    rate = np.choose(kind, [new, rules.expansion.win_rate, _RENEWAL_WIN_RATE])
    effect = rules.quality_effect
    mean = effect * np.where(is_won, 1 - rate, -rate)
    quality = mean + world.source.normal("crm/quality", key)
    log_odds = np.log(rate / (1 - rate)) + effect * (quality - effect * (1 - 2 * rate) / 2)
    return quality, 1 / (1 + np.exp(-log_odds))


def _asked(world: World, key: Ints, people: Population, opened: Floats) -> Ints:
    """Return the ARR that a lost opportunity was about: a first order at list prices, often a larger one."""
    rules, months = world.company.crm.lost_amount, world.months
    month = np.clip(np.searchsorted(months.first_day, opened, side="right") - 1, 0, len(months) - 1)
    rise = world.company.price_rise
    level = np.where(month >= months.position(rise.month), 1 + rise.rate, 1.0)
    interval = INTERVALS[people.cadence]
    cents = world.prices.plan_cents(people.plan, people.seats, interval, level, people.currency)
    size = log_normal(world.source.uniform("crm/asked", key), rules.median, rules.sigma)
    return np.asarray(np.rint(cents * 12 / interval * size).astype(np.int64))


def loss_reasons(world: World, deals: Deals) -> Ints:
    """Return the index of the reason why each would be lost."""
    return choice(world.source.uniform("crm/loss_reason", deals.key), list(world.company.crm.loss_reasons.values()))
