"""The period that a number is of: a day, a month or a calendar quarter."""

from __future__ import annotations

import calendar
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal, get_args

Length = Literal["day", "month", "quarter"]
LENGTHS: tuple[Length, ...] = get_args(Length)


@dataclass(frozen=True)
class Period:
    """A period of a ``length`` by the day on which it begins."""

    length: Length
    start: date

    @property
    def last_month(self) -> date:
        """The first day of the month in which it ends."""
        return months_later(self.start, 2) if self.length == "quarter" else self.start.replace(day=1)

    @property
    def end(self) -> date:
        """Its last day."""
        return self.start if self.length == "day" else close(self.last_month)

    def __str__(self) -> str:
        """Return what people call it: 2026-03-31, 2026-03 or 2026-Q1."""
        if self.length == "quarter":
            return f"{self.start.year}-Q{(self.start.month + 2) // 3}"
        return f"{self.start:%Y-%m}" if self.length == "month" else f"{self.start}"


def last_complete(length: Length, as_of: date) -> Period:
    """Return the last period of a length that is over at the end of the as-of day."""
    next_day = as_of + timedelta(days=1)
    if length == "day":
        return Period(length, as_of)
    if length == "month":
        return Period(length, months_later(next_day.replace(day=1), -1))
    quarter = next_day.replace(month=(next_day.month - 1) // 3 * 3 + 1, day=1)
    return Period(length, months_later(quarter, -3))


def months_later(month: date, months: int) -> date:
    """Return the first day of the month so many months after one."""
    count = 12 * month.year + month.month - 1 + months
    return date(count // 12, count % 12 + 1, 1)


def close(month: date) -> date:
    """Return the last day of a month."""
    return month.replace(day=calendar.monthrange(month.year, month.month)[1])
