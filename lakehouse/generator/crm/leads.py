"""Leads: where they come from, how far they get, and when."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np

from lakehouse.generator.arrays import MICROSECONDS_PER_DAY, month_index
from lakehouse.generator.arrivals import LAPSED_TRIAL, SALES
from lakehouse.generator.crm.deals import Deals, customer_key, lead_times, with_prospects
from lakehouse.generator.crm.market import MONTHS_BEFORE, PROSPECTS, Prospects, lead_days
from lakehouse.generator.crm.owners import NEVER, month_of
from lakehouse.generator.draws import choice
from lakehouse.generator.finance import CAMPAIGNS
from lakehouse.generator.months import Months
from lakehouse.generator.outbox import NONE, batch_moment, business_moment
from lakehouse.generator.starts import trial_start
from lakehouse.generator.streams import Floats, Ints
from lakehouse.generator.world import Mask, World
from lakehouse.vocabulary import LEAD_STATUSES

NEW_LEAD, WORKING, QUALIFIED, ACCEPTED, CONVERTED, DISQUALIFIED = range(len(LEAD_STATUSES))
_UNQUALIFIED_DAYS = 30  # until a lead that goes no further is given up, at most; assumption
_SOON = 14  # days from the first touch to a trial, at most; assumption
_TOUCHED_TRIALS = 0.4  # share of the trials to whom a rep reaches out; assumption
# Shortest and longest time to the first touch of the three classes of the parameters: an hour of work is 0.14 days of
# the week's seven, see the clock.
_TOUCH_DAYS = np.array([[0.005, 0.14], [0.14, 1.0], [1.0, 6.0]])
_MOST_SHOCK = 2.0  # standard deviations
_WINS, _FAILS, _NEITHER = range(3)  # whether sales accepted a qualified lead


@dataclass(frozen=True)
class Leads:
    """Leads in order of the month in which they came. Times are in days, NEVER for what does not happen.

    ``account`` and ``key`` are those of the opportunities and prospects; ``deal`` the place of the opportunity that
    the lead becomes. ``ended`` is when it is given up, ``reason`` why. ``campaign`` is NONE without one.
    """

    key: Ints
    account: Ints
    channel: Ints
    campaign: Ints
    segment: Ints
    country: Ints
    created: Floats
    touched: Floats
    qualified: Floats
    accepted: Floats
    converted: Floats
    ended: Floats
    reason: Ints
    deal: Ints

    def __len__(self) -> int:
        return len(self.key)

    def among(self, chosen: Mask | Ints) -> Leads:
        """Return the leads that are chosen."""
        return Leads(*(getattr(self, field.name)[chosen] for field in fields(self)))

    @classmethod
    def together(cls, *parts: Leads) -> Leads:
        """Return the leads of all parts, one after another."""
        return cls(*(np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(cls)))


def funnel(world: World, months: Months, sold: Deals, prospects: Prospects, end: float) -> tuple[Leads, Deals]:
    """Return the leads that come before the time ``end``, and all opportunities; ``sold`` are those with customers."""
    forward, lost = _without_sale(world, months, prospects)
    first = np.flatnonzero((sold.account < len(world.arrivals)) & (sold.number == 1))
    leads = Leads.together(_of_customers(world, months, sold, first), _of_trials(world, months), forward)
    deals = Deals.together(sold, lost)
    offset = np.where(leads.key >= PROSPECTS, len(sold), 0) * (leads.deal != NONE)
    leads = replace(leads, deal=leads.deal + offset)
    order = np.lexsort((leads.key, leads.created))
    leads = leads.among(order[leads.created[order] < end])
    place = np.full(len(deals), NONE)
    has_deal = np.flatnonzero(leads.deal != NONE)
    place[leads.deal[has_deal]] = has_deal
    return leads, replace(deals, lead=place)


def _of_customers(world: World, months: Months, sold: Deals, first: Ints) -> Leads:
    """Return the leads that sales turned into customers, drawn back from their first opportunity."""
    deals = sold.among(first)
    created, qualified, accepted = lead_times(world, deals.key, deals.opened)
    never = np.full(len(first), NEVER)
    touched = np.minimum(created + _touch_days(world, deals.key, _WINS), accepted - 0.01)
    return Leads(
        key=deals.key, account=deals.account, channel=deals.channel,
        campaign=campaigns(world, months, deals.key, deals.channel, created), segment=deals.segment,
        country=deals.country, created=created, touched=np.maximum(touched, created), qualified=qualified,
        accepted=accepted, converted=deals.opened, ended=never, reason=np.full(len(first), NONE), deal=first,
    )  # fmt: skip


def _of_trials(world: World, months: Months) -> Leads:
    """Return the leads that tried the product by themselves, which qualifies them; no rep had to sell."""
    source, arrivals, people = world.source, world.arrivals, world.people
    who = np.flatnonzero(arrivals.motion != SALES)
    key = customer_key(who, np.zeros_like(who))
    signed_up = world.clock.times(business_moment(source, trial_start(world, who), who)) + 0.02
    ended = world.clock.times(batch_moment(source, arrivals.day[who], who)) + 0.02
    created = signed_up - 0.01 - _SOON * source.uniform("crm/before_trial", key) ** 2
    lapses = arrivals.motion[who] == LAPSED_TRIAL
    touched = signed_up + _touch_days(world, key, _NEITHER)
    is_touched = (source.uniform("crm/trial_touched", key) < _TOUCHED_TRIALS) & (touched < ended)
    never, none = np.full(len(who), NEVER), np.full(len(who), NONE)
    return Leads(
        key=key, account=who, channel=people.channel[who],
        campaign=campaigns(world, months, key, people.channel[who], created), segment=people.segment[who],
        country=people.country[who], created=created, touched=np.where(is_touched, touched, NEVER),
        qualified=signed_up, accepted=never, converted=np.where(lapses, NEVER, ended),
        ended=np.where(lapses, ended, NEVER), reason=np.where(lapses, len(world.company.crm.disqualified), NONE),
        deal=none,
    )  # fmt: skip


def _without_sale(world: World, months: Months, prospects: Prospects) -> tuple[Leads, Deals]:
    """Return the leads that never buy, and the opportunities that some of them become."""
    source, rules, key = world.source, world.company.crm, prospects.key
    qualified = prospects.created + lead_days(world.company, source, "mql", key)
    accepted = qualified + lead_days(world.company, source, "sql", key)
    opened = accepted + lead_days(world.company, source, "opportunity", key)
    deals = _lost(world, months, prospects, opened)
    fate = _fates(world, prospects)
    fate[deals.lead] = CONVERTED
    place = np.full(len(key), NONE)
    place[deals.lead] = np.arange(len(deals))
    reached = {stage: fate >= stage for stage in (QUALIFIED, ACCEPTED, CONVERTED)}
    last = np.choose(np.clip(fate - WORKING, 0, 2), [prospects.created, qualified, accepted])
    ended = last + 1 + _UNQUALIFIED_DAYS * source.uniform("crm/given_up", key)
    return Leads(
        key=key,
        account=prospects.account,
        channel=prospects.channel,
        campaign=prospects.campaign,
        segment=prospects.people.segment,
        country=prospects.people.country,
        created=prospects.created,
        touched=_touched(world, prospects, fate, accepted, ended),
        qualified=np.where(reached[QUALIFIED], qualified, NEVER),
        accepted=np.where(reached[ACCEPTED], accepted, NEVER),
        converted=np.where(reached[CONVERTED], opened, NEVER),
        ended=np.where(reached[CONVERTED], NEVER, ended),
        reason=choice(source.uniform("crm/given_up_reason", key), list(rules.disqualified.values())),
        deal=place,
    ), deals


def _lost(world: World, months: Months, prospects: Prospects, opened: Floats) -> Deals:
    """Return the opportunities, ``opened`` at those times, of as many of the leads as get so far."""
    drawn = world.source.uniform("crm/fate", prospects.key)
    most = np.exp(_MOST_SHOCK * world.company.crm.quarter_shock_sigma)
    may_be = np.flatnonzero(drawn < prospects.lost_share * most)
    deals = with_prospects(world, prospects, may_be, opened[may_be])
    factor = shock_factor(world, months, deals.closed_at / MICROSECONDS_PER_DAY)
    return deals.among(drawn[may_be] < prospects.lost_share[may_be] * factor)


def shock_factor(world: World, months: Months, closed: Floats) -> Floats:
    """Return how many deals are lost against the mean in the quarter in which each closes: all share its luck."""
    sigma = world.company.crm.quarter_shock_sigma
    shock = np.clip(world.source.normal("crm/quarter_shock", quarter_number(months, closed)), -_MOST_SHOCK, _MOST_SHOCK)
    return np.asarray(np.exp(sigma * shock - sigma**2 / 2))


def quarter_number(months: Months, time: Floats) -> Ints:
    """Return a number that grows by one from quarter to quarter."""
    return np.asarray((month_index(months.dates[0]) - 1 + month_of(months, time)) // 3)


def _fates(world: World, prospects: Prospects) -> Ints:
    """Return how far the leads come that do not become an opportunity: WORKING, QUALIFIED or ACCEPTED."""
    funnels = world.company.crm.funnel.values()
    shares = np.array([[1 - f.mql, f.mql * (1 - f.sql), f.mql * f.sql * (1 - f.opportunity)] for f in funnels])
    ends = np.cumsum(shares / shares.sum(axis=1, keepdims=True), axis=1)[prospects.channel]
    drawn = world.source.uniform("crm/how_far", prospects.key)
    return np.asarray(WORKING + (drawn > ends[:, 0]) + (drawn > ends[:, 1]))


def _touched(world: World, prospects: Prospects, fate: Ints, accepted: Floats, ended: Floats) -> Floats:
    key = prospects.key
    days = np.where(
        fate >= ACCEPTED,
        _touch_days(world, key, _WINS),
        np.where(fate == QUALIFIED, _touch_days(world, key, _FAILS), _touch_days(world, key, _NEITHER)),
    )
    limit = np.where(fate >= ACCEPTED, accepted, ended) - 0.01
    touched = np.maximum(np.minimum(prospects.created + days, limit), prospects.created)
    is_never = world.source.uniform("crm/never_touched", key) < world.company.crm.first_touch.never_share
    return np.where((fate < QUALIFIED) & is_never, NEVER, touched)


def _touch_days(world: World, key: Ints, outcome: int) -> Floats:
    """Return the days to the first touch: the sooner a rep reaches out, the oftener sales accepts (Bayes' rule)."""
    rules = world.company.crm.first_touch
    shares, accepts = np.array(rules.shares), np.array(rules.acceptance)
    weights = {_WINS: shares * accepts, _FAILS: shares * (1 - accepts), _NEITHER: shares}[outcome]
    low, high = _TOUCH_DAYS[choice(world.source.uniform("crm/touch_class", key), weights)].T
    return np.asarray(low * (high / low) ** world.source.uniform("crm/touch_days", key))


def campaigns(world: World, months: Months, key: Ints, channel: Ints, time: Floats, *, place: Ints | int = 0) -> Ints:
    """Return the campaign of the channel behind each touch; NONE where the channel had none."""
    has_campaign = np.array([each.programme_cost > 0 for each in world.company.channels.values()])[channel]
    campaign = (world.source.uniform("crm/campaign", key, place) * CAMPAIGNS).astype(np.int64)
    return np.where(has_campaign & (world.clock.days(time) >= months.first_day[MONTHS_BEFORE]), campaign, NONE)
