"""What marketing does to leads: the touch that brings them, and those that follow."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lakehouse.generator.arrays import members
from lakehouse.generator.crm.leads import Leads, campaigns
from lakehouse.generator.draws import choice, poisson
from lakehouse.generator.months import Months
from lakehouse.generator.outbox import NONE
from lakehouse.generator.streams import Floats, Ints
from lakehouse.generator.world import World
from lakehouse.vocabulary import CHANNELS, TOUCH_TYPES

_WEBINAR, _FORM, _CLICK, _CONTENT, _EVENT = range(len(TOUCH_TYPES))
# What touches of a channel are; each of two is as likely. Assumption.
_TYPES = {
    "organic_search": (_CONTENT, _FORM),
    "paid_search": (_CLICK, _CLICK),
    "paid_social": (_CLICK, _CLICK),
    "content": (_CONTENT, _WEBINAR),
    "referral": (_FORM, _FORM),
    "partner": (_FORM, _WEBINAR),
    "outbound": (_WEBINAR, _FORM),
    "events": (_EVENT, _EVENT),
    "direct": (_FORM, _FORM),
}
_LONGEST_DAYS = 120  # from a lead's first touch to its last; assumption


@dataclass(frozen=True)
class Touches:
    """Touches of leads: ``time`` in days, ``place`` 0 for the one that brought the lead; ``campaign`` NONE without one."""

    lead: Ints
    place: Ints
    time: Floats
    at: Ints
    channel: Ints
    campaign: Ints
    touch_type: Ints


def touches(world: World, months: Months, leads: Leads) -> Touches:
    """Return all touches."""
    source, rules = world.source, world.company.crm.touches
    mean = np.where(leads.deal != NONE, rules.opportunity, rules.other)
    lead, place = members(1 + poisson(source.uniform("crm/touches", leads.key), mean))
    key, is_first = leads.key[lead], place == 0
    until = np.minimum(np.minimum(leads.converted, leads.ended), leads.created + _LONGEST_DAYS)
    share = source.uniform("crm/touch_time", key, place)
    time = np.where(is_first, leads.created[lead], leads.created[lead] + share * (until - leads.created)[lead])
    pays = [channel.sales * (channel.programme_cost > 0) for channel in world.company.channels.values()]
    other = choice(source.uniform("crm/touch_channel", key, place), pays)
    is_same = is_first | (source.uniform("crm/touch_same", key, place) < rules.same_channel)
    channel = np.where(is_same, leads.channel[lead], other)
    campaign = np.where(is_first, leads.campaign[lead], campaigns(world, months, key, channel, time, place=place))
    kinds = np.array([_TYPES[name] for name in CHANNELS])
    kind = kinds[channel, (source.uniform("crm/touch_type", key, place) * 2).astype(np.int64)]
    return Touches(lead, place, time, world.clock.moments(time), channel, campaign, kind)
