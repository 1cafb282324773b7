"""Setting up: the steps that a new customer takes in its first days, each in a session of its founder."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lakehouse.generator import arrays
from lakehouse.generator.draws import log_normal, normal_quantile
from lakehouse.generator.product_parameters import Onboarding
from lakehouse.generator.roster import Roster, signup_second
from lakehouse.generator.streams import Ints, stream, uniform

_LEAST_GAP_SECONDS = 1800
_DAY = arrays.SECONDS_PER_DAY
_MORNING, _EVENING = 8 * 3600, 20 * 3600


@dataclass(frozen=True)
class Steps:
    """Steps taken in a month by customer and time: the customer's position, the day since 1970, second and step."""

    position: Ints
    day_number: Ints
    second: Ints
    step: Ints


def steps_of(onboarding: Onboarding, seed: int, roster: Roster) -> Steps:
    """Return the steps that the month's customers take while they have access; each follows the one before it."""
    month = roster.month
    step = np.arange(len(onboarding.steps))
    customer = month.customer[:, None]
    medians = np.array([_DAY * one.median_days for one in onboarding.steps])
    after = log_normal(uniform(stream(seed, "onboarding_time"), customer, step), medians, onboarding.sigma)
    signup = signup_second(seed, roster.started_on, month.customer)[:, None]
    second = signup + after.astype(np.int64)
    second = np.where(second % _DAY > _EVENING, (second // _DAY + 1) * _DAY + _MORNING, second)
    second = np.maximum.accumulate(second, axis=1) + _LEAST_GAP_SECONDS * step
    age = second // _DAY
    day = roster.started_on[:, None] + age - arrays.day_number(month.month) + 1

    shares = np.array([one.completed_share for one in onboarding.steps])
    pull = onboarding.satisfaction_effect * roster.first_satisfaction[:, None]
    is_taken = (
        normal_quantile(uniform(stream(seed, "onboarding_step"), customer, step)) < normal_quantile(shares) + pull
    )
    has_access = (day >= month.first_day[:, None]) & (day <= month.last_day[:, None])
    position, taken = np.nonzero(is_taken & has_access & (age <= onboarding.last_day))
    return Steps(
        position=position,
        day_number=(roster.started_on[:, None] + age)[position, taken],
        second=(second % _DAY)[position, taken],
        step=taken,
    )
