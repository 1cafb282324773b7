"""What an open opportunity is worth to a forecast: the weighted methods, from deals that were closed before the day.

Rates are shares of deal-weeks: of the weeks that earlier deals spent as this one stands now, those of deals that were
won. So they fit a pipeline looked at on some day, in which slow deals are more often met than quick ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lakehouse.forecasting.history import FORECAST_SEGMENTS, OPEN_STAGES, WON, Floats, History, Ints

_WEEK = 7
# Deal-weeks of a coarser group that count beside a finer one's own; assumption.
_PRIOR_WEEKS = 50.0


@dataclass(frozen=True)
class DealWeeks:
    """The weeks that opportunities spent open, one element for each state that held, with ``weeks`` as its weight.

    ``closed`` is the day on which the opportunity was closed next, ``is_won`` whether that won it.
    """

    history: History
    weeks: Floats
    closed: Ints
    is_won: Floats

    @classmethod
    def of(cls, history: History) -> DealWeeks:
        """Return the open states of opportunities with their next end; those without one close never."""
        is_closed = history.stage >= OPEN_STAGES
        ends = np.where(is_closed, np.arange(len(history)), len(history))
        following = np.minimum.accumulate(ends[::-1])[::-1]
        has_end = following < len(history)
        end = np.minimum(following, len(history) - 1)
        has_end &= history.opportunity[end] == history.opportunity
        is_open = ~is_closed & has_end
        rows, end = history.among(is_open), end[is_open]
        weeks = (rows.until - rows.day) / _WEEK
        return cls(rows, weeks, history.day[end], (history.stage[end] == WON).astype(np.float64))

    def closed_by(self, day: int) -> DealWeeks:
        """Return those of opportunities that were closed at the end of ``day``."""
        known = self.closed <= day
        return DealWeeks(self.history.among(known), self.weeks[known], self.closed[known], self.is_won[known])


def stage_weights(deals: History, earlier: DealWeeks, day: int, age_bands: Sequence[int]) -> Floats:
    """Return the share won of the deal-weeks in each deal's stage, segment and band of age.

    A group is drawn towards its stage and segment, that towards its stage, that towards all.
    """
    bands = len(age_bands) + 1
    # A state counts in the band of its first day.
    then = np.digitize(earlier.history.day - earlier.history.opened, age_bands)
    now = np.digitize(day - deals.opened, age_bands)
    rate = np.full(len(deals), _ratio((earlier.is_won * earlier.weeks).sum(), earlier.weeks.sum(), otherwise=0.0))
    size = OPEN_STAGES * len(FORECAST_SEGMENTS) * bands
    for of_earlier, of_deals in (
        (earlier.history.stage, deals.stage),
        (_pair(earlier.history), _pair(deals)),
        (_pair(earlier.history) * bands + then, _pair(deals) * bands + now),
    ):
        won = np.bincount(of_earlier, weights=earlier.weeks * earlier.is_won, minlength=size)[of_deals]
        weeks = np.bincount(of_earlier, weights=earlier.weeks, minlength=size)[of_deals]
        rate = (won + _PRIOR_WEEKS * rate) / (weeks + _PRIOR_WEEKS)
    return rate


def rep_weights(deals: History, earlier: DealWeeks) -> Floats:
    """Return what the rep says of each deal, times the wins that came of what the rep had said of earlier ones."""
    said = earlier.weeks * earlier.history.probability
    won = earlier.weeks * earlier.is_won
    of_all = _ratio(won.sum(), said.sum(), otherwise=1.0)
    size = int(max(deals.rep.max(initial=0), earlier.history.rep.max(initial=0))) + 1
    said_by_rep = np.bincount(earlier.history.rep, weights=said, minlength=size)[deals.rep]
    won_of_rep = np.bincount(earlier.history.rep, weights=won, minlength=size)[deals.rep]
    calibration = (won_of_rep + _PRIOR_WEEKS * of_all) / (said_by_rep + _PRIOR_WEEKS)
    return np.minimum(deals.probability * calibration, 1.0)


def _pair(history: History) -> Ints:
    return history.stage * len(FORECAST_SEGMENTS) + history.segment


def _ratio(part: float, whole: float, otherwise: float) -> float:
    return float(part / whole) if whole > 0 else otherwise
