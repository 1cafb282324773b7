"""The state of every customer, changed in place month by month."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lakehouse.generator.months import Months
from lakehouse.generator.outbox import NONE
from lakehouse.generator.population import Population
from lakehouse.generator.state import MonthState
from lakehouse.generator.streams import Floats, Ints

# Stages of a customer. NOTICE: has cancelled and is served until the period ends. UNPAID runs out by itself.
AWAITED, TRIAL, ACTIVE, NOTICE, PAUSED, GONE = range(6)

FAR = np.int64(1 << 40)  # a day or month that never comes


@dataclass
class Accounts:
    """One element per customer in order of arrival; months count from the start, days from 1970."""

    stage: Ints
    won: Ints  # first month with revenue
    subscription: Ints  # subscriptions so far
    anchor: Ints  # day of the month on which billing periods begin
    plan: Ints
    seats: Ints
    interval: Ints  # months
    term: Ints  # months of commitment, 0 for none
    term_end: Ints  # month
    next_bill: Ints  # month
    level: Floats  # of prices, 1 at the first price list
    discount_rate: Floats
    discount_kind: Ints  # index of DISCOUNT_DURATIONS, NONE without a discount
    discount_until: Ints  # month
    ends: Ints  # month in which the notice runs out
    resumes: Ints  # month in which a pause ends
    left: Ints  # month of the last end
    orders: Ints  # opportunities won so far
    contract: Ints  # the one that sold the present term, NONE for self-service
    contact: Ints  # billing contacts so far
    access_from: Ints  # day
    access_until: Ints  # day, exclusive
    mood: Floats
    satisfaction: Floats
    engagement: Floats
    incident: Floats

    @classmethod
    def of(cls, population: Population) -> Accounts:
        """Return everyone before the first month."""
        size = len(population.plan)

        def integers(value: int = 0) -> Ints:
            return np.full(size, value, dtype=np.int64)

        return cls(
            stage=integers(AWAITED), won=integers(NONE), subscription=integers(), anchor=integers(1),
            plan=population.plan.copy(), seats=population.seats.copy(), interval=integers(1), term=integers(),
            term_end=integers(NONE), next_bill=integers(NONE), level=np.ones(size), discount_rate=np.zeros(size),
            discount_kind=integers(NONE), discount_until=integers(NONE), ends=integers(NONE), resumes=integers(NONE), left=integers(NONE),
            orders=integers(), contract=integers(NONE), contact=integers(), access_from=integers(int(FAR)), access_until=integers(int(FAR)),
            mood=np.zeros(size), satisfaction=np.zeros(size), engagement=np.ones(size), incident=np.ones(size),
        )  # fmt: skip

    def paying(self) -> Ints:
        """Return the customers whose contract runs, in notice or not."""
        return np.flatnonzero((self.stage == ACTIVE) | (self.stage == NOTICE))

    def served(self, months: Months, month: int) -> NDArray[np.bool_]:
        """Return who has access to the product on some day of the month."""
        first = months.first_day[month]
        return np.asarray((self.access_from < first + months.length[month]) & (self.access_until > first))

    def month_state(self, months: Months, month: int, population: Population) -> MonthState:
        """Return what the product half needs to know of the month."""
        first, length = months.first_day[month], months.length[month]
        who = np.flatnonzero(self.served(months, month))
        return MonthState(
            month=months.dates[month],
            customer=who,
            first_day=np.maximum(self.access_from[who] - first, 0) + 1,
            last_day=np.minimum(self.access_until[who] - first, length),
            tenure_months=np.maximum(month - self.won[who], 0) * (self.won[who] != NONE),
            seats=self.seats[who],
            plan_rank=self.plan[who] + 1,
            segment=population.segment[who],
            engagement=self.engagement[who],
            satisfaction=self.satisfaction[who],
            incident=self.incident[who],
            utc_offset_hours=population.utc_offset_hours[who],
            is_trial=self.won[who] == NONE,
        )


def leaning(strength: float, satisfaction: Floats) -> Floats:
    """Return the factor by which satisfaction moves a probability; its mean is 1."""
    return np.asarray(np.exp(strength * satisfaction - strength**2 / 2))
