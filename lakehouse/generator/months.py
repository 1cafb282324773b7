"""The months that are simulated, as days since 1970."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np

from lakehouse.generator.arrays import day_number, month_days, month_index
from lakehouse.generator.streams import Ints


@dataclass(frozen=True)
class Months:
    """Consecutive months: one element each. ``first_day`` counts from 1970, ``length`` in days."""

    dates: list[date]
    first_day: Ints
    length: Ints
    month_of_year: Ints

    @classmethod
    def of(cls, start_month: date, count: int) -> Months:
        """Return ``count`` months from ``start_month`` on."""
        first = month_index(start_month) - 1
        dates = [date(number // 12, number % 12 + 1, 1) for number in range(first, first + count)]
        return cls(
            dates,
            np.array([day_number(month) for month in dates]),
            np.array([month_days(month) for month in dates]),
            np.array([month.month for month in dates]),
        )

    def __len__(self) -> int:
        return len(self.dates)

    def anniversary(self, month: Ints | int, day_of_month: Ints) -> Ints:
        """Return the day of each month on which a period begins that once began on ``day_of_month``."""
        return np.asarray(self.first_day[month] + np.minimum(day_of_month, self.length[month]) - 1)

    def position(self, month: date) -> int:
        """Return the position of ``month`` among these; it may lie outside."""
        return month_index(month) - month_index(self.dates[0])
