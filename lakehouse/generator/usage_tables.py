"""What an event of use can be, as tables of quantiles by the fields of a random word."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lakehouse.generator import arrays
from lakehouse.generator.draws import FIELD_MIDPOINTS, FIELD_VALUES, log_normal, negative_binomial, zipf_shares
from lakehouse.generator.product_parameters import Duration, Rhythm, Usage
from lakehouse.generator.streams import Floats, Ints

PLAN_RANKS = 4
DAY_MS = arrays.SECONDS_PER_DAY * 1000
_LONGEST_SESSION = 40  # events


def profile(role: Ints, plan_rank: Ints, is_early: NDArray[np.bool_]) -> Ints:
    """Return the row of :attr:`Tables.action` for each combination."""
    return (role * PLAN_RANKS + plan_rank - 1) * 2 + is_early


@dataclass(frozen=True)
class Tables:
    """What an event can be, and quantiles by the 65,536 values of a word's field.

    An action is a feature, the login or a step of onboarding, in this order; ``action`` has, for each profile (role,
    rank of the plan, early or not) in turn, the action of each value. Times are in milliseconds.
    """

    types: list[str]
    features: list[str | None]
    median_ms: Floats
    action: NDArray[np.uint8]
    actions: Ints
    spread: Floats
    pause_ms: Ints
    time_of_day_ms: Ints

    @property
    def login(self) -> int:
        """The action that opens a session."""
        return self.types.index("login")

    @property
    def first_step(self) -> int:
        """The action that is the first step of onboarding."""
        return self.login + 1

    @classmethod
    def of(cls, usage: Usage) -> Tables:
        """Work the tables out from the parameters."""
        steps = [step.name for step in usage.onboarding.steps]
        types = [feature.event_type for feature in usage.features] + ["login"] + ["onboarding_step"] * len(steps)
        actions = negative_binomial(FIELD_MIDPOINTS, usage.actions_per_session, usage.actions_dispersion)
        median_seconds = {str(name): median for name, median in usage.action_median_seconds.items()}
        return cls(
            types=types,
            features=[*(feature.name for feature in usage.features), None, *steps],
            median_ms=np.array([1000.0 * median_seconds[name] for name in types]),
            action=_action_table(usage),
            actions=np.minimum(actions, _LONGEST_SESSION - 1),
            spread=log_normal(FIELD_MIDPOINTS, 1.0, usage.action_sigma),
            pause_ms=_milliseconds(usage.pause),
            time_of_day_ms=_times_of_day(usage.rhythm),
        )


def _milliseconds(duration: Duration) -> Ints:
    return np.rint(log_normal(FIELD_MIDPOINTS, 1000 * duration.median_seconds, duration.sigma)).astype(np.int64)


def _times_of_day(rhythm: Rhythm) -> Ints:
    """Return the quantiles of the local time of day, in milliseconds, uniform within each hour."""
    ends = np.concatenate([[0.0], np.cumsum(rhythm.hours)]) / np.sum(rhythm.hours)
    return (np.interp(FIELD_MIDPOINTS, ends, np.arange(25) / 24) * DAY_MS).astype(np.int64)


def _action_table(usage: Usage) -> NDArray[np.uint8]:
    popularity = zipf_shares(len(usage.features), usage.feature_exponent)
    types = [feature.event_type for feature in usage.features]
    profiles = []
    for role in usage.users.role_shares:
        role_factor = np.array([usage.role_factors.get(role, {}).get(name, 1.0) for name in types])
        for rank in range(1, PLAN_RANKS + 1):
            has_it = np.array([rank >= usage.lowest_plan_rank.get(name, 1) for name in types])
            for factors in ({}, usage.early_factors):
                early_factor = np.array([factors.get(name, 1.0) for name in types])
                profiles.append(popularity * role_factor * has_it * early_factor)
    ends = [np.rint(FIELD_VALUES * np.cumsum(shares) / shares.sum()).astype(np.int64) for shares in profiles]
    counts = np.concatenate([np.diff(end, prepend=0) for end in ends])
    return np.repeat(np.tile(np.arange(len(types), dtype=np.uint8), len(profiles)), counts)
