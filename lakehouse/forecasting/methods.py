"""All forecasts of a kind of business: of every quarter and day that was asked for, by every method."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from lakehouse.forecasting.history import FORECAST_SEGMENTS, Floats, History, by_segment
from lakehouse.forecasting.simulation import Chances, amounts_to_come, estimated_shock, simulated
from lakehouse.forecasting.transitions import Weeks, wins_to_come, within
from lakehouse.forecasting.weights import DealWeeks, rep_weights, stage_weights
from lakehouse.pipeline_settings import Pipeline

METHODS = ("monte_carlo", "stage_weighted", "rep_weighted", "coverage_ratio", "last_year")
BASELINES = METHODS[3:]
QUANTILES = (0.1, 0.5, 0.9)

_WEEK = 7
_QUARTERS_A_YEAR = 4
# With fewer past cells a quantile of their errors says nothing: the outer two of nine are the 10 % and 90 % ranks.
_FEWEST_ERRORS = 9


@dataclass(frozen=True)
class Quarter:
    """A calendar quarter, by its place among ``starts``, the first days of consecutive ones."""

    place: int
    first: int
    last: int


@dataclass(frozen=True)
class View:
    """What is seen of a quarter at the close of ``day``, which lies ``offset`` days after its eve."""

    quarter: Quarter
    day: int

    @property
    def offset(self) -> int:
        """Days of the quarter that are over."""
        return self.day - self.quarter.first + 1

    @property
    def weeks_left(self) -> float:
        """Weeks from the day to the end of the quarter."""
        return (self.quarter.last - self.day) / _WEEK

    def before(self, quarter: Quarter) -> View:
        """Return the view of an earlier quarter after as many days of it."""
        return View(quarter, min(quarter.first - 1 + self.offset, quarter.last))


@dataclass(frozen=True)
class Business:
    """The forecasts of one kind of opportunities, from their ``history`` and the ``quarters`` since the first win."""

    history: History
    quarters: Sequence[Quarter]
    pipeline: Pipeline
    stream: int
    _chances: dict[View, Chances] = field(default_factory=dict)
    _points: dict[View, Mapping[str, Floats]] = field(default_factory=dict)

    @cached_property
    def _weeks(self) -> Weeks:
        return Weeks.of(self.history, self.quarters[-1].last)

    @cached_property
    def _deal_weeks(self) -> DealWeeks:
        return DealWeeks.of(self.history)

    def won_to_date(self, view: View) -> Floats:
        """Return the ARR won in the quarter up to the day, by segment."""
        return self.history.won_between(view.quarter.first, view.day).arr_by_segment()

    def expected_to_close(self, view: View) -> History:
        """Return what is open and expected to close by the end of the quarter, overdue deals too."""
        deals = self.history.open_at(view.day)
        return deals.among(deals.expected <= view.quarter.last)

    def draws(self, view: View) -> Floats:
        """Return the simulated ARR of the whole quarter, by draw and segment."""
        parameters = self.pipeline.forecast
        random = np.random.Generator(np.random.Philox([parameters.seed, self.stream, view.day, view.quarter.first]))
        to_come = simulated(
            self._seen(view),
            estimated_shock([self._seen(past) for past in self._past(view)], parameters),
            amounts_to_come(self.history, view.day),
            random,
            parameters.draws,
        )
        return to_come + self.won_to_date(view)

    def points(self, view: View) -> Mapping[str, Floats]:
        """Return the forecast ARR of the quarter by the methods that weigh and the baselines, by segment."""
        if view not in self._points:
            deals, earlier = self.expected_to_close(view), self._deal_weeks.closed_by(view.day)
            weights = {
                "stage_weighted": stage_weights(deals, earlier, view.day, self.pipeline.age_bands_days),
                "rep_weighted": rep_weights(deals, earlier),
                "coverage_ratio": np.full(len(deals), self._conversion(view)),
            }
            weighted = {method: by_segment(deals, deals.arr * weight) for method, weight in weights.items()}
            found = {method: self.won_to_date(view) + to_come for method, to_come in weighted.items()}
            self._points[view] = found | {"last_year": self._last_year(view)}
        return self._points[view]

    def quantiles(self, view: View, method: str, forecast: Floats) -> Floats | None:
        """Return ``forecast`` times the 10, 50 and 90 % quantiles of actual ÷ forecast in past quarters; None if few.

        All segments of the quarters that were over on the day, after as many days, are pooled; of n ratios the rank is
        that of (n + 1) × level, so that few of them do not look too certain.
        """
        ratios: list[float] = []
        for past in self._past(view):
            then, actual = self.points(past)[method], self.actual(past.quarter)
            ratios.extend((actual[then > 0] / then[then > 0]).tolist())
        if len(ratios) < _FEWEST_ERRORS:
            return None
        ranks = (np.array(QUANTILES) * (len(ratios) + 1) - 1) / (len(ratios) - 1)
        return np.multiply.outer(np.quantile(ratios, np.clip(ranks, 0, 1)), forecast)

    def actual(self, quarter: Quarter) -> Floats:
        """Return the ARR won in the quarter, by segment."""
        return self.history.won_between(quarter.first, quarter.last).arr_by_segment()

    def _past(self, view: View) -> list[View]:
        # The first quarters had next to nothing to go by; their errors say little of later ones.
        told = self.quarters[self.pipeline.forecast.history_quarters // 2 :]
        return [view.before(quarter) for quarter in told if quarter.last <= view.day]

    def _seen(self, view: View) -> Chances:
        if view not in self._chances:
            deals = self.history.open_at(view.day)
            ahead = self._weeks.win_probabilities(view.day, view.weeks_left)
            chance = within(ahead, view.weeks_left)[deals.segment, deals.stage]
            arrivals = self._weeks.expected_arrivals(view.day)
            wins = self.history.won_between(view.day + 1, view.quarter.last)
            past = [self._seen(earlier) for earlier in self._past(view)]
            self._chances[view] = Chances(
                deals=deals,
                chance=chance,
                to_come=wins_to_come(ahead, arrivals, view.weeks_left),
                won=np.bincount(wins.segment, minlength=len(FORECAST_SEGMENTS)),
                level=estimated_shock(past, self.pipeline.forecast).level,
            )
        return self._chances[view]

    def _conversion(self, view: View) -> float:
        """Return what was won in past quarters from the same day on ÷ what was then open and expected to close."""
        won = opened = 0.0
        for past in self._past(view):
            won += self.history.won_between(past.day + 1, past.quarter.last).arr.sum()
            opened += self.expected_to_close(past).arr.sum()
        return won / opened if opened > 0 else 0.0

    def _last_year(self, view: View) -> Floats:
        """Return the ARR won in the same quarter a year before; 0 where that is older than all wins."""
        place = view.quarter.place - _QUARTERS_A_YEAR
        return self.actual(self.quarters[place]) if place >= 0 else np.zeros(len(FORECAST_SEGMENTS))
