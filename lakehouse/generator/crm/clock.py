"""Working time: times in days since 1970, as numbers, become moments on weekdays between eight and eighteen o'clock."""

from __future__ import annotations

import numpy as np

from lakehouse.generator.arrays import MICROSECONDS_PER_DAY, MICROSECONDS_PER_SECOND, SECONDS_PER_DAY
from lakehouse.generator.streams import Floats, Ints

LONGEST_SHIFT_DAYS = 2  # so many days a moment may lie before its time
_FIRST_MONDAY = 4  # 1970-01-05
_WEEK, _WORKDAYS = 7, 5
_OPENS, _OPEN_SECONDS = 8 * 3600, 10 * 3600


def moments(times: Floats) -> Ints:
    """Return the moment of each time in microseconds, whole seconds; later times never come to earlier moments.

    A week of seven days is mapped evenly on its five workdays.
    """
    week, place = np.divmod(times - _FIRST_MONDAY, _WEEK)
    workday, share = np.divmod(np.minimum(place * _WORKDAYS / _WEEK, _WORKDAYS - 1e-9), 1)
    day = week * _WEEK + _FIRST_MONDAY + workday
    seconds = day.astype(np.int64) * SECONDS_PER_DAY + _OPENS + (share * _OPEN_SECONDS).astype(np.int64)
    return np.asarray(seconds * MICROSECONDS_PER_SECOND)


def times(moment: Ints) -> Floats:
    """Return the time of each moment, to about a second; outside working hours that of the next one inside."""
    day, rest = np.divmod(moment, MICROSECONDS_PER_DAY)
    week, weekday = np.divmod(day - _FIRST_MONDAY, _WEEK)
    share = np.clip((rest / MICROSECONDS_PER_SECOND - _OPENS) / _OPEN_SECONDS, 0, 1)
    place = np.minimum(weekday + share, _WORKDAYS)
    return np.asarray(week * _WEEK + _FIRST_MONDAY + place * _WEEK / _WORKDAYS)


def last_workday(day: Ints) -> Ints:
    """Return the last workday that is not after each day since 1970."""
    weekday = (day - _FIRST_MONDAY) % _WEEK
    return np.asarray(day - np.maximum(weekday - _WORKDAYS + 1, 0))


def days(times: Floats) -> Ints:
    """Return the day since 1970 on which the moment of each time falls."""
    return np.asarray(moments(times) // MICROSECONDS_PER_DAY)


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
