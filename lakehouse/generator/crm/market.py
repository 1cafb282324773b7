"""Who shows interest without buying: leads by month, channel, campaign and size, from the plan and what is spent."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lakehouse.generator.arrays import members
from lakehouse.generator.arrivals import SALES, Arrivals, expected_wins
from lakehouse.generator.company import Company
from lakehouse.generator.crm.clock import Clock
from lakehouse.generator.crm.paths import WON, cycle_days
from lakehouse.generator.draws import log_normal, poisson
from lakehouse.generator.finance import CAMPAIGNS, spend_factor
from lakehouse.generator.months import Months
from lakehouse.generator.outbox import NONE
from lakehouse.generator.population import SEGMENT_OF_SIZE, Population, population
from lakehouse.generator.streams import Floats, Ints, Source, stream
from lakehouse.vocabulary import CHANNELS, COMPANY_SIZES, SEGMENTS

MONTHS_BEFORE = 22  # the CRM goes back so long before the company's first sale, and the calendar beyond the last
PROSPECTS = 1 << 40  # prospects are counted from here on, customers from 0

_DAYS_PER_MONTH = 30.4375
_SAMPLE = 4000  # deals from which the time from a lead to a customer is known
_SAMPLE_KEY = 1 << 50
_CLOSING_SKEW = 0.6  # as arrivals close late in a month


@dataclass(frozen=True)
class Plan:
    """What is expected of each month of the CRM, size and channel: leads without a sale, and how many get lost late.

    ``leads`` are those that never buy; ``lost_share`` is the share of them that become an opportunity.
    """

    leads: Floats
    lost_share: Floats

    @classmethod
    def of(cls, company: Company, source: Source, calendar: Months, customers: int, history_months: int) -> Plan:
        """Return the plan; ``calendar`` begins with the company, the plan MONTHS_BEFORE earlier."""
        totals = np.array([customers * size.share * (1 - size.self_service) for size in company.sizes.values()])
        wins = expected_wins(company.growth, totals, history_months, calendar)
        lag = _lag_shares(company, source)[SEGMENT_OF_SIZE]
        won = np.zeros((len(calendar), len(COMPANY_SIZES)))
        for month in range(len(won)):
            # The month's own place among the company's is month - MONTHS_BEFORE.
            won_in = np.arange(max(month - MONTHS_BEFORE, 0), month + 1)
            won[month] = (wins[won_in] * lag[:, won_in - month + MONTHS_BEFORE].T).sum(axis=0)
        return cls._from_wins(company, won)

    @classmethod
    def _from_wins(cls, company: Company, won: Floats) -> Plan:
        """Turn the leads that become customers, by month and size, into those that do not."""
        funnels = list(company.crm.funnel.values())
        share = np.array([channel.sales for channel in company.channels.values()])
        difficulty = 1 / np.array([funnel.win_factor for funnel in funnels])
        difficulty /= (share * difficulty).sum()
        win_rate = np.array([company.crm.stages[name].win_rate for name in SEGMENTS])[SEGMENT_OF_SIZE]
        won_by_channel = won[:, :, None] * share
        opportunities = won_by_channel * difficulty / win_rate[:, None]
        lost = np.maximum(opportunities - won_by_channel, 0)
        leads = opportunities / [funnel.to_opportunity for funnel in funnels] - won_by_channel
        return cls(leads, np.divide(lost, leads, out=np.zeros_like(lost), where=leads > 0))


@dataclass(frozen=True)
class Prospects:
    """Leads that never buy, in order of month: ``month`` counts from the CRM's first, ``created`` is a time in days.

    ``campaign`` is NONE where there is none. ``again`` is the place of the lead by whom the same person came before,
    NONE for those who come first; such a lead has the ``people`` attributes of the former.
    """

    month: Ints
    channel: Ints
    campaign: Ints
    created: Floats
    lost_share: Floats
    again: Ints
    people: Population

    @property
    def key(self) -> Ints:
        """The number by which each lead's draws are counted."""
        return PROSPECTS + np.arange(len(self.month))

    @property
    def account(self) -> Ints:
        """The account of each lead: that of the first lead of the same person."""
        return PROSPECTS + np.where(self.again == NONE, np.arange(len(self.month)), self.again)


def prospects(company: Company, source: Source, months: Months, plan: Plan, count: int, *, clock: Clock) -> Prospects:
    """Return the leads of the first ``count`` months of the CRM's calendar ``months`` that never buy."""
    month, size, channel, campaign = np.meshgrid(
        np.arange(count), np.arange(len(COMPANY_SIZES)), np.arange(len(CHANNELS)), np.arange(CAMPAIGNS), indexing="ij"
    )
    since_start = month - MONTHS_BEFORE
    factor = np.where(since_start >= 0, spend_factor(company, source, channel, campaign, since_start), 1.0)
    mean = plan.leads[month, size, channel] / CAMPAIGNS * factor
    number = poisson(source.uniform("crm/leads", since_start, size, channel, campaign), mean)
    cell, place = members(number.reshape(-1))
    month, size, channel, campaign = (values.reshape(-1)[cell] for values in (month, size, channel, campaign))
    has_campaign = np.array([each.programme_cost > 0 for each in company.channels.values()])[channel]
    draw = source.uniform("crm/lead_day", month - MONTHS_BEFORE, size * 100 + channel * 10 + campaign, place)
    again = _came_before(company, source, month)
    people = _people(company, source, month, size)
    created = months.first_day[month] + draw * months.length[month]
    return Prospects(
        month=month,
        channel=channel,
        campaign=np.where(has_campaign & (clock.days(created) >= months.first_day[MONTHS_BEFORE]), campaign, NONE),
        created=created,
        lost_share=plan.lost_share[month, size, channel],
        again=again,
        people=_like(people, np.where(again == NONE, np.arange(len(month)), again)),
    )


def _lag_shares(company: Company, source: Source) -> Floats:
    """Return by segment the share of the wins whose lead came so many months before, from 0 to MONTHS_BEFORE."""
    key = _SAMPLE_KEY + np.arange(_SAMPLE)
    closes = source.uniform("crm/sample_day", key) ** _CLOSING_SKEW
    shares = []
    for segment in range(len(SEGMENTS)):
        everyone = np.full(_SAMPLE, segment)
        lasts = cycle_days(company, source, key, everyone, np.full(_SAMPLE, WON))
        lasts = lasts + sum(lead_days(company, source, step, key) for step in ("mql", "sql", "opportunity"))
        behind = np.ceil(np.maximum(lasts / _DAYS_PER_MONTH - closes, 0)).astype(np.int64)
        counts = np.bincount(np.minimum(behind, MONTHS_BEFORE), minlength=MONTHS_BEFORE + 1)
        shares.append(counts / _SAMPLE)
    return np.array(shares)


def lead_days(company: Company, source: Source, step: str, key: Ints) -> Floats:
    """Return the days to a step of the funnel from the one before."""
    rules = getattr(company.crm.lead_days, step)
    return log_normal(source.uniform(f"crm/days_to_{step}", key), rules.median, rules.sigma)


def _came_before(company: Company, source: Source, month: Ints) -> Ints:
    """Return for a few leads the place of one that came two months before or earlier, itself the first of its person."""
    place = np.arange(len(month))
    comes_again = source.uniform("crm/comes_again", place) < company.crm.again_share
    earlier = np.searchsorted(month, month - 1)
    former = (source.uniform("crm/former_lead", place) * earlier).astype(np.int64)
    may_be = comes_again & (earlier > 0)
    return np.where(may_be & ~may_be[former], former, NONE)


def _people(company: Company, source: Source, month: Ints, size: Ints) -> Population:
    """Return what kind of companies the leads come from: drawn from the same market as the customers."""
    rank = np.zeros(len(size), dtype=np.int64)
    for each in range(len(COMPANY_SIZES)):
        rank[size == each] = np.arange((size == each).sum())
    motion = np.full(len(size), SALES)
    return population(company, int(stream(source.seed, "crm/people")), Arrivals(month, month, size, motion, rank))


def _like(people: Population, former: Ints) -> Population:
    return Population(**{name: values[former] for name, values in vars(people).items()})
