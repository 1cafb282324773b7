"""What customers feel, and how likely they are to leave: the causes behind everything that is recorded."""

from __future__ import annotations

import numpy as np

from lakehouse.generator.accounts import NOTICE, TRIAL
from lakehouse.generator.streams import Floats, Ints, Source
from lakehouse.generator.world import Mask, World
from lakehouse.vocabulary import SEGMENTS

_FIRST_RENEWAL_OFFSET = 6  # months
_HIGHEST_BASE = 0.9


def feel(world: World, month: int) -> Ints:
    """Let a month's events move everyone's mood, and return who lost a champion.

    Satisfaction is fit and mood in the variances' shares; the events' mean is taken out, so that it stays near 0.
    """
    feelings, source, accounts = world.company.satisfaction, world.source, world.accounts
    who = np.flatnonzero((accounts.stage >= TRIAL) & (accounts.stage <= NOTICE))
    is_new = (accounts.won[who] == month) | (accounts.stage[who] == TRIAL)
    champion_left = _hit(source, "champion", who, month, feelings.champion_leaves.probability)
    in_pain = _hit(source, "support_pain", who, month, feelings.support_pain.probability)
    episode_shock, episode_tickets = _episodes(world, month, who)

    expected = sum(event.probability * event.shock for event in (feelings.champion_leaves, feelings.support_pain))
    shock = feelings.champion_leaves.shock * champion_left + feelings.support_pain.shock * in_pain - expected
    memory = feelings.mood_memory
    noise = source.normal("mood", who, month)
    mood = memory * accounts.mood[who] + np.sqrt(1 - memory**2) * noise + shock + episode_shock
    accounts.mood[who] = np.where(is_new, source.normal("onboarding", who), mood)

    share = feelings.fit_share
    accounts.satisfaction[who] = np.sqrt(share) * world.people.fit[who] + np.sqrt(1 - share) * accounts.mood[who]
    log_engagement = feelings.engagement_sigma * accounts.satisfaction[who]
    log_engagement += feelings.engagement_noise * source.normal("engagement", who, month)
    spread = feelings.engagement_sigma**2 + feelings.engagement_noise**2
    accounts.engagement[who] = np.exp(log_engagement - spread / 2)
    accounts.incident[who] = episode_tickets * np.where(in_pain, feelings.support_pain.tickets, 1.0)
    return np.asarray(who[champion_left & ~is_new])


def churn_probability(world: World, month: int, who: Ints) -> Floats:
    """Return each customer's probability to end at its next billing boundary, or at its renewal under a term.

    Logit form: the base of segment and cadence times the tenure's and the calendar month's factor, moved by
    satisfaction; minus half the variance, so that the mean over everyone who came stays near the base.
    """
    churn, accounts, segment = world.company.churn, world.accounts, world.people.segment[who]
    has_term = accounts.term[who] > 0
    per_month, per_renewal = (
        np.array([rates[name] for name in SEGMENTS])[segment] for rates in (churn.monthly, churn.renewal)
    )
    base = np.where(has_term, per_renewal, 1 - (1 - per_month) ** accounts.interval[who])
    # A first renewal is as early in the life of a contract as the first months are under monthly payment.
    tenure = month - accounts.won[who] + 1
    aged = np.where(has_term, np.maximum(tenure - _FIRST_RENEWAL_OFFSET, 0), tenure)
    band = np.searchsorted(np.array(churn.tenure_months), aged)
    multiplier = np.array(churn.tenure_multiplier)[band] * churn.season[world.months.month_of_year[month] - 1]
    typical = np.minimum(base * multiplier, _HIGHEST_BASE)
    sigma = churn.log_odds_sigma
    log_odds = np.log(typical / (1 - typical)) - sigma**2 / 2 * (1 - base) - sigma * accounts.satisfaction[who]
    return np.asarray(1 / (1 + np.exp(-log_odds)))


def _hit(source: Source, event: str, who: Ints, month: int, probability: float) -> Mask:
    return np.asarray(source.uniform(event, who, month) < probability)


def _episodes(world: World, month: int, who: Ints) -> tuple[Floats, Floats]:
    shock, tickets = np.zeros(len(who)), np.ones(len(who))
    for number, episode in enumerate(world.company.episodes):
        first = world.months.position(episode.month)
        if first <= month < first + episode.months:
            hit = world.source.uniform("episode", who, number) < episode.share
            shock += np.where(hit, episode.shock, 0.0)
            tickets *= np.where(hit, episode.tickets, 1.0)
    return shock, tickets
