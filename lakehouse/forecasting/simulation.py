"""The Monte Carlo method: open deals and those to come, won or not by weekly chances, under a shock that all share.

Without the shock deals are won independently, and a quarter's sum looks far more certain than it is. How large the shock
is, and how far the chances are off on the whole, is estimated from the quarters that were over on the day.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lakehouse.forecasting.history import FORECAST_SEGMENTS, Floats, History, Ints, by_segment
from lakehouse.pipeline_settings import Forecast

_YEAR = 364
# With fewer wins of a segment in a year, those to come are worth what the wins of all segments were; assumption.
_FEWEST_WINS = 5
# Wins, expected and found alike, that stand for chances that are right on the whole; assumption.
_PRIOR_WINS = 30.0
_CERTAIN = 1e-6
# Where hardly a win was expected and many came, residuals would suggest any shock whatever.
_LARGEST_SHOCK = 1.0


@dataclass(frozen=True)
class Chances:
    """What a quarter looked like on a day: open deals, the chance of each, and by segment the wins to come of others.

    ``won`` are the wins by segment that came after the day, for a quarter that is over; ``level`` is the correction of
    the log-odds with which it was looked at then.
    """

    deals: History
    chance: Floats
    to_come: Floats
    won: Ints
    level: float = 0.0

    @property
    def expected(self) -> Floats:
        """Wins by segment that the chances expect, before any correction."""
        return by_segment(self.deals, self.chance) + self.to_come

    @property
    def variance(self) -> Floats:
        """Variance of the wins by segment, were all deals independent; also by how much a log-odd more adds."""
        return by_segment(self.deals, self.chance * (1 - self.chance)) + self.to_come


@dataclass(frozen=True)
class Shock:
    """A correction of all log-odds, and the standard deviations that a quarter's and a segment's own share of it have."""

    level: float
    quarter: float
    segment: float


def estimated_shock(past: Sequence[Chances], parameters: Forecast) -> Shock:
    """Return the shock that past quarters suggest, by the method of moments, drawn towards what is assumed.

    A quarter's squared error is the independent deals' variance plus σ² × slope², where slope is what a log-odd more
    adds to the wins: so σ² = Σ (error² − variance) ÷ Σ slope², over quarters for the common shock and over their
    segments for all of it.
    """
    found = sum(float(one.won.sum()) for one in past)
    expected = sum(float(one.expected.sum()) for one in past)
    level = float(np.log((found + _PRIOR_WINS) / (expected + _PRIOR_WINS)))
    errors = [one.won - one.expected * np.exp(one.level) for one in past]
    of_quarters = _excess(
        [(error.sum(), one.variance.sum()) for error, one in zip(errors, past, strict=True)], parameters
    )
    of_segments = _excess(
        [
            pair
            for error, one in zip(errors, past, strict=True)
            for pair in zip(error.tolist(), one.variance.tolist(), strict=True)
        ],
        parameters,
    )
    return Shock(level, float(np.sqrt(of_quarters)), float(np.sqrt(max(of_segments - of_quarters, 0.0))))


def _excess(cells: Sequence[tuple[float, float]], parameters: Forecast) -> float:
    slopes = sum(variance**2 for _, variance in cells)
    excess = sum(error**2 - variance for error, variance in cells)
    prior = parameters.shock_quarters * max(slopes / max(len(cells), 1), 1.0)
    estimate = (excess + prior * parameters.shock_sigma**2) / (slopes + prior)
    return min(max(estimate, 0.0), _LARGEST_SHOCK**2)


def amounts_to_come(history: History, day: int) -> list[Floats]:
    """Return by segment the amounts of the year's wins up to ``day``, from which those of deals to come are drawn."""
    wins = history.won_between(day - _YEAR, day)
    of_segments = [wins.arr[wins.segment == segment] for segment in range(len(FORECAST_SEGMENTS))]
    return [amounts if len(amounts) >= _FEWEST_WINS else wins.arr for amounts in of_segments]


def simulated(now: Chances, shock: Shock, amounts: Sequence[Floats], random: np.random.Generator, draws: int) -> Floats:
    """Return the ARR that is still won in the quarter, by draw and segment."""
    shared = random.normal(0.0, shock.quarter, draws)
    total = np.zeros((draws, len(FORECAST_SEGMENTS)))
    for segment, pool in enumerate(amounts):
        shift = shock.level + shared + random.normal(0.0, shock.segment, draws)
        of_segment = now.deals.segment == segment
        chance = np.clip(now.chance[of_segment], _CERTAIN, 1 - _CERTAIN)
        log_odds = np.log(chance / (1 - chance)) + shift[:, None]
        is_won = random.random(log_odds.shape) < 1 / (1 + np.exp(-log_odds))
        total[:, segment] = is_won @ now.deals.arr[of_segment]
        wins = random.poisson(now.to_come[segment] * np.exp(shift)) if len(pool) else np.zeros(draws, np.int64)
        most = int(wins.max(initial=0))
        drawn = pool[random.integers(0, max(len(pool), 1), (draws, most))] if most else np.zeros((draws, 0))
        total[:, segment] += (drawn * (np.arange(most) < wins[:, None])).sum(axis=1)
    return total
