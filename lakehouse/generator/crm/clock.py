"""Working time: times in days since 1970, as numbers, become moments on weekdays between eight and eighteen o'clock.

A year's days are spread over its workdays, and a quiet workday gets less of them: what would fall on it is done before
and after.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from lakehouse.generator.arrays import MICROSECONDS_PER_DAY, MICROSECONDS_PER_SECOND, SECONDS_PER_DAY
from lakehouse.generator.crm_parameters import QuietDays
from lakehouse.generator.streams import Floats, Ints

_FIRST_MONDAY = 4  # 1970-01-05
_WEEK, _WORKDAYS = 7, 5
_OPENS, _OPEN_SECONDS = 8 * 3600, 10 * 3600
_FIRST_YEAR, _LAST_YEAR = 1970, 2200
_YEAR_BEGINS = 7  # half a year from the quiet days around New Year, so that no time is far from its moment


@dataclass(frozen=True)
class Clock:
    """The workdays, the time at which each begins (and the last one ends), and its work: 1, on quiet days less."""

    _workday: Ints
    _begins: Floats
    _work: Floats

    @classmethod
    def of(cls, quiet: Iterable[QuietDays]) -> Clock:
        """Return the clock with the ``quiet`` days of every year."""
        first_days = np.array(
            [f"{year}-{_YEAR_BEGINS:02}-01" for year in range(_FIRST_YEAR, _LAST_YEAR)], "datetime64[D]"
        )
        first_days = first_days.astype(np.int64)
        mondays = first_days + (_FIRST_MONDAY - first_days) % _WEEK
        day = np.arange(mondays[0], mondays[-1])
        day = day[_weekday(day) < _WORKDAYS]
        work = _work_of(quiet, day)
        year = np.searchsorted(mondays, day, side="right") - 1
        of_year = np.bincount(year, work)
        done = np.cumsum(work) - work - (np.cumsum(of_year) - of_year)[year]
        begins = mondays[year] + np.diff(mondays)[year] * done / of_year[year]
        return cls(day, np.append(begins, mondays[-1]), work)

    @property
    def longest_shift_days(self) -> int:
        """The most days by which a moment lies before or after its time."""
        first_day, day_after = np.floor(self._begins[:-1]), np.ceil(self._begins[1:])
        return int(max((self._workday - first_day).max(), (day_after - 1 - self._workday).max()))

    def moments(self, times: Floats) -> Ints:
        """Return the moment of each time in microseconds, whole seconds; later times never come to earlier moments."""
        place = np.searchsorted(self._begins, times, side="right") - 1
        begin, end = self._begins[place], self._begins[place + 1]
        share = np.minimum((times - begin) / (end - begin), 1 - 1e-9)
        seconds = self._workday[place] * SECONDS_PER_DAY + _OPENS + (share * _OPEN_SECONDS).astype(np.int64)
        return np.asarray(seconds * MICROSECONDS_PER_SECOND)

    def times(self, moment: Ints) -> Floats:
        """Return the time of each moment, to about a second; outside working hours that of the next one inside."""
        day, rest = np.divmod(moment, MICROSECONDS_PER_DAY)
        place = np.searchsorted(self._workday, day)
        share = np.clip((rest / MICROSECONDS_PER_SECOND - _OPENS) / _OPEN_SECONDS, 0, 1)
        begin, end = self._begins[place], self._begins[place + 1]
        return np.asarray(begin + np.where(self._workday[place] == day, share, 0) * (end - begin))

    def days(self, times: Floats) -> Ints:
        """Return the day since 1970 on which the moment of each time falls."""
        return np.asarray(self.moments(times) // MICROSECONDS_PER_DAY)

    def begins(self, day: Ints) -> Floats:
        """Return the time from which on moments lie on each day since 1970 or after it."""
        return self.times(day * MICROSECONDS_PER_DAY)

    def work(self, day: Ints) -> Floats:
        """Return the work that is done on each day: 1 on most workdays, less on quiet ones, 0 on weekends."""
        place = np.searchsorted(self._workday, day)
        return np.where(self._workday[place] == day, self._work[place], 0.0)

    def busy_day(self, day: Ints, sooner: Ints) -> Ints:
        """Return the workday that is no quiet one, ``sooner`` of them before the last that is not after each day."""
        busy = self._workday[self._work == 1]
        return np.asarray(busy[np.searchsorted(busy, day, side="right") - 1 - sooner])


def one_after_another(group: Ints, moment: Ints) -> Ints:
    """Return the moments, at least a second after the one before in the same group; groups are sorted from 0 on."""
    if not group.size:
        return moment
    place = np.arange(len(group)) - np.searchsorted(group, group)
    seconds = moment // MICROSECONDS_PER_SECOND - place
    base = seconds - seconds.min()
    offset = group * (base.max() + 1)
    in_order = np.maximum.accumulate(base + offset) - offset + seconds.min() + place
    return np.asarray(in_order * MICROSECONDS_PER_SECOND)


def _weekday(day: Ints) -> Ints:
    return np.asarray((day - _FIRST_MONDAY) % _WEEK)


def _work_of(quiet: Iterable[QuietDays], day: Ints) -> Floats:
    month = day.astype("datetime64[D]").astype("datetime64[M]")
    day_of_month = day - month.astype("datetime64[D]").astype(np.int64) + 1
    month_day = 100 * (month.astype(np.int64) % 12 + 1) + day_of_month
    work = np.ones(len(day))
    for period in quiet:
        first, last = (int(edge.replace("-", "")) for edge in (period.first, period.last))
        has_begun, goes_on = month_day >= first, month_day <= last
        is_quiet = has_begun & goes_on if first <= last else has_begun | goes_on
        work[is_quiet] = np.minimum(work[is_quiet], period.work)
    return work
