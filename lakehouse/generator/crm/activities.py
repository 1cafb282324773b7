"""What reps do: emails, calls, meetings and demos, with leads and in opportunities."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from lakehouse.generator.arrays import members
from lakehouse.generator.crm.accounts import known_people, lead_callers
from lakehouse.generator.crm.deals import Deals
from lakehouse.generator.crm.force import Force
from lakehouse.generator.crm.leads import Leads
from lakehouse.generator.crm.orders import NEW
from lakehouse.generator.crm.owners import NEVER, Owners
from lakehouse.generator.draws import choice, log_normal, poisson
from lakehouse.generator.months import Months
from lakehouse.generator.outbox import NONE
from lakehouse.generator.streams import Floats, Ints
from lakehouse.generator.world import World
from lakehouse.vocabulary import ACTIVITY_TYPES, SEGMENTS

_EMAIL, _CALL, _MEETING, _DEMO = range(len(ACTIVITY_TYPES))
# Of each type: the better outcome, and how often it comes with an opportunity of middling quality. Assumption.
_BETTER = np.array([0, 2, 4, 4])
_GOES_WELL = np.array([0.38, 0.42, 0.88, 0.90])
_QUALITY_SHOWS = 0.35  # log of the odds per unit of latent quality; assumption
_CALL_MINUTES, _CALL_SIGMA = 8.0, 0.6
_MEETING_MINUTES = np.array([30, 30, 45, 60])  # each as likely
_LEAD_CALLS = 0.3  # share of the activities with leads; the others are emails
_MEAN_QUALITY_SPREAD = 0.5  # half the variance of the latent quality
_LEAD_DAYS = 21  # from the first touch to the last activity with a lead, at most; assumption


@dataclass(frozen=True)
class Activities:
    """Activities: ``deal`` NONE before there is one; ``number`` is that of the person; ``minutes`` NONE for an email."""

    key: Ints
    place: Ints
    deal: Ints
    account: Ints
    number: Ints
    rep: Ints
    kind: Ints
    at: Ints
    minutes: Ints
    outcome: Ints


def activities(world: World, force: Force, months: Months, *, leads: Leads, deals: Deals, owned: Owners) -> Activities:
    """Return all activities."""
    parts = (_with_leads(world, force, months, leads), _in_opportunities(world, deals, owned))
    return Activities(*(np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(Activities)))


def _in_opportunities(world: World, deals: Deals, owned: Owners) -> Activities:
    """Return a rate a week times the time that each is open, so that a long life alone does not make it likelier won."""
    source, rules = world.source, world.company.crm.activities
    per_week = np.array([rules.per_week[name] for name in SEGMENTS])[deals.segment]
    mean = per_week * (deals.closed - deals.opened) / 7 * np.where(deals.is_won, 1.0, rules.lost_factor)
    mean *= np.exp(rules.quality_effect * deals.quality - rules.quality_effect**2 * _MEAN_QUALITY_SPREAD)
    mean *= np.where(deals.kind == NEW, 1.0, rules.with_customers)
    deal, place = members(poisson(source.uniform("crm/activities", deals.key), mean))
    key = deals.key[deal]
    share = source.uniform("crm/activity_time", key, place) ** np.where(deals.is_won[deal], 1.0, rules.fading)
    time = deals.opened[deal] + 0.01 + share * (deals.closed - deals.opened - 0.05)[deal]
    kind = choice(source.uniform("crm/activity_type", key, place), list(rules.types.values()))
    met = known_people(world, deals, deal, time)
    person = (source.uniform("crm/activity_person", key, place) * (met + 1)).astype(np.int64)
    return _finished(
        world, key=key, place=place, deal=deal, account=deals.account[deal],
        number=person, rep=owned.at(deal, time), kind=kind,
        time=time, quality=deals.quality[deal],
    )  # fmt: skip


def _with_leads(world: World, force: Force, months: Months, leads: Leads) -> Activities:
    source, rules = world.source, world.company.crm.activities
    is_touched = leads.touched < NEVER
    further = poisson(source.uniform("crm/lead_activities", leads.key), max(rules.per_lead - 1, 0.0))
    lead, place = members(np.where(is_touched, 1 + further, 0))
    key, first = leads.key[lead], leads.touched[lead]
    until = np.minimum(np.minimum(leads.converted, leads.ended)[lead], first + _LEAD_DAYS)
    share = np.where(place == 0, 0.0, source.uniform("crm/lead_activity_time", key, place))
    time = first + share * np.maximum(until - first, 0)
    kind = np.where(source.uniform("crm/lead_activity_type", key, place) < _LEAD_CALLS, _CALL, _EMAIL)
    quality = np.where(leads.deal[lead] != NONE, 1.0, -1.0)
    none = np.full(len(lead), NONE)
    return _finished(
        world, key=key, place=-1 - place, deal=none, account=leads.account[lead], number=np.zeros_like(lead),
        rep=lead_callers(world, force, months, leads.among(lead), time), kind=kind, time=time, quality=quality,
    )  # fmt: skip


def _finished(
    world: World, *, key: Ints, place: Ints, deal: Ints, account: Ints, number: Ints, rep: Ints, kind: Ints, time: Floats,
    quality: Floats,
) -> Activities:  # fmt: skip
    source = world.source
    length = source.uniform("crm/activity_minutes", key, place)
    call = np.maximum(np.rint(log_normal(length, _CALL_MINUTES, _CALL_SIGMA)), 1).astype(np.int64)
    meeting = _MEETING_MINUTES[(length * len(_MEETING_MINUTES)).astype(np.int64)]
    odds = _GOES_WELL[kind] / (1 - _GOES_WELL[kind]) * np.exp(_QUALITY_SHOWS * quality)
    goes_well = source.uniform("crm/activity_outcome", key, place) < odds / (1 + odds)
    minutes = np.where(kind == _EMAIL, NONE, np.where(kind == _CALL, call, meeting))
    return Activities(
        key,
        place,
        deal,
        account,
        number,
        rep,
        kind,
        world.clock.moments(time),
        minutes,
        _BETTER[kind] + np.where(goes_well, 0, 1),
    )
