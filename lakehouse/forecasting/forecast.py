"""The forecast table: which quarters are forecast when, and the rows of every kind of business, segment and method."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from itertools import product

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lakehouse.forecasting.history import FORECAST_SEGMENTS, WON, Floats, History
from lakehouse.forecasting.methods import METHODS, QUANTILES, Business, Quarter, View
from lakehouse.metrics.breakdown import ALL
from lakehouse.pipeline_settings import Pipeline
from lakehouse.vocabulary import OPPORTUNITY_TYPES

MONTE_CARLO = METHODS[0]
_EPOCH = date(1970, 1, 1)
_WEEK = 7
_CENT = Decimal("0.01")

Row = dict[str, object]
# By method, and for each of ``QUANTILES`` too: the forecast by segment, all of them last.
Found = dict[str, tuple[Floats, Floats | None]]


def forecasts(states: pa.Table, as_of: date, pipeline: Pipeline) -> list[Row]:
    """Return the forecasts of every quarter made up to ``as_of``: rows by view, opportunity type, segment and method.

    ``states`` have the columns of :mod:`lakehouse.forecasting.history`.
    """
    by_type = {
        name: History.of(states.filter(pc.equal(states["opportunity_type"], name))) for name in OPPORTUNITY_TYPES
    }
    quarters = _quarters(list(by_type.values()), as_of)
    businesses = {
        name: Business(history, quarters, pipeline, stream) for stream, (name, history) in enumerate(by_type.items())
    }
    return [row for view in _views(quarters, as_of, pipeline) for row in _rows_of(view, businesses)]


def _quarters(histories: list[History], as_of: date) -> list[Quarter]:
    """The calendar quarters from the one after the first win to that of the day after ``as_of``."""
    wins = [int(history.day[history.stage == WON].min()) for history in histories if (history.stage == WON).any()]
    if not wins:
        return []
    quarters: list[Quarter] = []
    first = _next_quarter(_EPOCH + timedelta(days=min(wins)))
    while first <= as_of + timedelta(days=1):
        following = _next_quarter(first)
        quarters.append(Quarter(len(quarters), _day(first), _day(following) - 1))
        first = following
    return quarters


def _views(quarters: list[Quarter], as_of: date, pipeline: Pipeline) -> list[View]:
    parameters, today = pipeline.forecast, _day(as_of)
    ready = quarters[parameters.history_quarters :]
    days = {View(quarter, quarter.first - 1 + _WEEK * (week - 1)) for quarter in ready for week in parameters.weeks}
    days |= {View(quarter, today) for quarter in ready if quarter.first - 1 <= today < quarter.last}
    return sorted((view for view in days if view.day <= today), key=lambda view: (view.quarter.place, view.day))


def _rows_of(view: View, businesses: dict[str, Business]) -> Iterator[Row]:
    draws = {name: business.draws(view) for name, business in businesses.items()}
    draws[ALL] = np.sum(list(draws.values()), axis=0)
    found = {name: _of_business(business, view, draws[name]) for name, business in businesses.items()}
    found[ALL] = _of_all(found, draws[ALL])
    facts = {name: _facts(business, view) for name, business in businesses.items()}
    facts[ALL] = np.sum(list(facts.values()), axis=0)
    for name, method in product(found, METHODS):
        forecast, quantiles = found[name][method]
        for place, segment in enumerate((*FORECAST_SEGMENTS, ALL)):
            won, opportunities, expected = facts[name][:, place]
            yield {
                "quarter": _EPOCH + timedelta(days=view.quarter.first),
                "forecast_date": _EPOCH + timedelta(days=view.day),
                "week_of_quarter": view.offset // _WEEK + 1,
                "opportunity_type": name,
                "segment": segment,
                "method": method,
                "won_to_date_arr": _money(won),
                "open_opportunities": int(opportunities),
                "open_arr": _money(expected),
                "forecast_arr": _money(forecast[place]),
                **{
                    f"forecast_p{int(100 * level)}": None if quantiles is None else _money(quantiles[rank][place])
                    for rank, level in enumerate(QUANTILES)
                },
            }


def _of_business(business: Business, view: View, draws: Floats) -> Found:
    found: Found = {MONTE_CARLO: _of_draws(draws)}
    for method, of_segments in business.points(view).items():
        forecast = _with_sum(of_segments)
        found[method] = forecast, business.quantiles(view, method, forecast)
    return found


def _of_draws(draws: Floats) -> tuple[Floats, Floats]:
    with_sum = _with_sum(draws)
    return with_sum.mean(axis=0), np.quantile(with_sum, QUANTILES, axis=0)


def _of_all(found: dict[str, Found], draws: Floats) -> Found:
    """The sum of all kinds of business; only the simulation tells how uncertain a sum is."""
    of_all: Found = {method: (np.sum([one[method][0] for one in found.values()], axis=0), None) for method in METHODS}
    return of_all | {MONTE_CARLO: _of_draws(draws)}


def _facts(business: Business, view: View) -> Floats:
    """The ARR won to date, and the number and ARR of what is expected to close in the quarter, by segment."""
    expected = business.expected_to_close(view)
    counts = np.bincount(expected.segment, minlength=len(FORECAST_SEGMENTS)).astype(np.float64)
    return np.stack([_with_sum(one) for one in (business.won_to_date(view), counts, expected.arr_by_segment())])


def _with_sum(of_segments: Floats) -> Floats:
    return np.concatenate([of_segments, of_segments.sum(axis=-1, keepdims=True)], axis=-1)


def _next_quarter(day: date) -> date:
    month = 3 * ((day.month - 1) // 3) + 4
    return date(day.year + month // 13, (month - 1) % 12 + 1, 1)


def _day(day: date) -> int:
    return (day - _EPOCH).days


def _money(amount: float) -> Decimal:
    return Decimal(repr(float(amount))).quantize(_CENT)
