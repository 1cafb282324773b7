"""How opportunities move in a week: a Markov chain over the open stages, with won and lost as its ends."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from lakehouse.forecasting.history import FORECAST_SEGMENTS, LOST, OPEN_STAGES, WON, Floats, History, Ints
from lakehouse.vocabulary import STAGES

_WEEK = 7
_SUNDAY = 3  # 1970-01-01 was a Thursday
_NOT_YET = -1
_STATES = len(STAGES)
# Weeks of a segment's own moves count against so many of all segments; assumption.
_PRIOR_MOVES = 20.0
# New opportunities are expected to come as in so many weeks before.
_RECENT_WEEKS = 13


@dataclass(frozen=True)
class Weeks:
    """Moves by week, segment, stage before and stage after, and new opportunities by week, segment and stage then.

    ``last_day`` is the Sunday that ends each week. An opportunity that was lost and is opened again is new once more.
    """

    last_day: Ints
    moves: Floats
    arrivals: Floats

    @classmethod
    def of(cls, history: History, last: int) -> Weeks:
        """Return the whole weeks up to the close of the day ``last``."""
        if not len(history):
            return cls(np.zeros(0, np.int64), *(np.zeros((0, len(FORECAST_SEGMENTS), *s)) for s in ((4, 6), (6,))))
        first = int(history.day.min())
        sundays = np.arange(first - 1 - (first - 1 - _SUNDAY) % _WEEK, last + 1, _WEEK)
        stage = _stage_at(history, sundays)
        segment = np.zeros(stage.shape[1], np.int64)
        segment[history.opportunity] = history.segment
        moves = np.zeros((len(sundays) - 1, len(FORECAST_SEGMENTS), OPEN_STAGES, _STATES))
        arrivals = np.zeros((len(sundays) - 1, len(FORECAST_SEGMENTS), _STATES))
        for week, (before, after) in enumerate(pairwise(stage)):
            was_open = (before != _NOT_YET) & (before < OPEN_STAGES)
            np.add.at(moves[week], (segment[was_open], before[was_open], after[was_open]), 1)
            is_new = ((before == _NOT_YET) & (after != _NOT_YET)) | ((before == LOST) & (after < LOST))
            np.add.at(arrivals[week], (segment[is_new], after[is_new]), 1)
        return cls(sundays[1:], moves, arrivals)

    def win_probabilities(self, day: int, weeks: float) -> Floats:
        """Return by segment, whole weeks ahead and stage the probability of being won by then, as known on ``day``.

        Whole weeks count from 0 to one more than ``weeks``; a closed stage keeps its end.
        """
        known = self.moves[self.last_day <= day].sum(axis=0)
        pooled = known.sum(axis=0)
        total = pooled.sum(axis=1, keepdims=True)
        pooled = np.where(total > 0, pooled / np.maximum(total, 1), np.eye(OPEN_STAGES, _STATES))
        chain = np.tile(np.eye(_STATES), (len(FORECAST_SEGMENTS), 1, 1))
        counted = known + _PRIOR_MOVES * pooled
        chain[:, :OPEN_STAGES] = counted / counted.sum(axis=2, keepdims=True)
        ahead = [np.tile(np.eye(_STATES), (len(FORECAST_SEGMENTS), 1, 1))]
        for _ in range(int(weeks) + 1):
            ahead.append(ahead[-1] @ chain)
        return np.stack(ahead, axis=1)[..., WON]

    def expected_arrivals(self, day: int) -> Floats:
        """Return the opportunities that come in a week by segment and stage at its end, as in the weeks before ``day``."""
        known = self.arrivals[self.last_day <= day][-_RECENT_WEEKS:]
        return np.asarray(known.mean(axis=0)) if len(known) else np.zeros((len(FORECAST_SEGMENTS), _STATES))


def within(probabilities: Floats, weeks: float) -> Floats:
    """Return the probabilities of :meth:`Weeks.win_probabilities` after ``weeks``, on a line between whole ones."""
    whole = int(weeks)
    return np.asarray(
        probabilities[..., whole, :]
        + (weeks - whole) * (probabilities[..., whole + 1, :] - probabilities[..., whole, :])
    )


def wins_to_come(probabilities: Floats, arrivals: Floats, weeks: float) -> Floats:
    """Return by segment the wins expected within ``weeks`` of opportunities that are not there yet."""
    wins = np.zeros(len(FORECAST_SEGMENTS))
    for week in range(int(np.ceil(weeks))):
        share_of_week = min(1.0, weeks - week)
        left = max(weeks - week - 1, 0.0)
        wins += share_of_week * (arrivals * within(probabilities, left)).sum(axis=1)
    return wins


def _stage_at(history: History, days: Ints) -> Ints:
    """Return by day and opportunity the stage at the close of each of the ``days``."""
    stage = np.full((len(days), int(history.opportunity.max()) + 1), _NOT_YET, dtype=np.int8)
    first = np.searchsorted(days, history.day)
    last = np.searchsorted(days, history.until)
    for place in range(len(history)):
        stage[first[place] : last[place], history.opportunity[place]] = history.stage[place]
    return stage.astype(np.int64)
