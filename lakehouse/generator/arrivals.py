"""Who signs up, and when: the curve of arrivals, and everyone's place in it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lakehouse.generator.arrays import members
from lakehouse.generator.company import Company
from lakehouse.generator.market_parameters import Growth
from lakehouse.generator.months import Months
from lakehouse.generator.streams import Floats, Ints, stream, uniform
from lakehouse.vocabulary import COMPANY_SIZES

SALES, SELF_SERVICE, LAPSED_TRIAL = range(3)
_MOTIONS = 3

# Sales close late in the month, sign-ups come on any day: exponents of a uniform share of the month.
_CLOSING_SKEW = {SALES: 0.6, SELF_SERVICE: 1.0, LAPSED_TRIAL: 1.0}


@dataclass(frozen=True)
class Arrivals:
    """Everyone who was won or whose trial lapsed, one element each, in order of that day.

    ``month`` counts from the start of the company, ``day`` from 1970; ``size`` is an index of ``COMPANY_SIZES``,
    ``motion`` SALES, SELF_SERVICE or LAPSED_TRIAL; ``rank`` is the place among those of the same size and motion.
    """

    month: Ints
    day: Ints
    size: Ints
    motion: Ints
    rank: Ints

    @property
    def group(self) -> Ints:
        """One number for each pair of size and motion."""
        return self.size * _MOTIONS + self.motion

    def __len__(self) -> int:
        return len(self.month)


def arrivals(company: Company, seed: int, customers: int, months: int, calendar: Months) -> Arrivals:
    """Return the arrivals of all months of the calendar.

    Exactly ``customers`` are won by the end of the first ``months``; later months go on along the same curve.
    """
    cohorts = [
        _group(company, seed, total, months, calendar, size=size, motion=motion)
        for (size, motion), total in _group_totals(company, customers).items()
    ]
    month, day, size, motion, rank = (np.concatenate(columns) for columns in zip(*cohorts, strict=True))
    tie = uniform(stream(seed, "arrival_order"), size, motion, rank)
    order = np.lexsort((tie, day, month))
    return Arrivals(month[order], day[order], size[order], motion[order], rank[order])


def expected_wins(growth: Growth, totals: Floats, months: int, calendar: Months) -> Floats:
    """Return the wins that the curve plans, by month and size, when ``totals`` of each size are won in ``months``."""
    shares = [_curve(growth, calendar, size) for size in range(len(COMPANY_SIZES))]
    return np.stack([total * curve / curve[:months].sum() for total, curve in zip(totals, shares, strict=True)], axis=1)


def _group_totals(company: Company, customers: int) -> dict[tuple[int, int], int]:
    """Split the customers over sizes and motions, the rest to the largest remainders; lapsed trials come on top."""
    exact = {}
    for number, size in enumerate(company.sizes.values()):
        exact[number, SALES] = customers * size.share * (1 - size.self_service)
        exact[number, SELF_SERVICE] = customers * size.share * size.self_service
    totals = {group: int(share) for group, share in exact.items()}
    by_remainder = sorted(exact, key=lambda group: totals[group] - exact[group])
    for group in by_remainder[: customers - sum(totals.values())]:
        totals[group] += 1
    lapsed_per_win = 1 / company.growth.trial_conversion - 1
    for number in range(len(COMPANY_SIZES)):
        totals[number, LAPSED_TRIAL] = round(totals[number, SELF_SERVICE] * lapsed_per_win)
    return totals


def _group(
    company: Company, seed: int, total: int, months: int, calendar: Months, *, size: int, motion: int
) -> tuple[Ints, Ints, Ints, Ints, Ints]:
    curve = np.cumsum(_curve(company.growth, calendar, size))
    reached = np.rint(total * curve / curve[months - 1]).astype(np.int64)
    month, _ = members(np.diff(reached, prepend=0))
    rank = np.arange(len(month))
    share_of_month = uniform(stream(seed, "arrival_day"), size, motion, rank) ** _CLOSING_SKEW[motion]
    day = calendar.first_day[month] + (share_of_month * calendar.length[month]).astype(np.int64)
    # A trial takes at least a day and must not begin before the company.
    day = np.maximum(day, calendar.first_day[0] + 1)
    return month, day, np.full_like(month, size), np.full_like(month, motion), rank


def _curve(growth: Growth, calendar: Months, size: int) -> Floats:
    season = growth.season_small if COMPANY_SIZES[size] in {"Startup", "Small"} else growth.season_large
    steps = np.arange(len(calendar))
    logistic = 1 / (1 + np.exp((growth.midpoint_months - steps) / growth.scale_months))
    return np.asarray(logistic * np.asarray(season)[calendar.month_of_year - 1])
