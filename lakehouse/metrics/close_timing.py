"""Days on which business is expected to crowd or to rest, and the days that they are compared with."""

from __future__ import annotations

from collections.abc import Iterable
from functools import reduce
from operator import or_

from pyspark.sql import Column
from pyspark.sql import functions as F

QUARTER_END_DAYS = 14


def quarter_end_role(day: Column) -> Column:
    """Return ``inside`` for one of the last 14 days of a calendar quarter, else ``compared``."""
    next_quarter = F.trunc(F.add_months(day, 3), "quarter")
    return F.when(F.date_diff(next_quarter, day) <= QUARTER_END_DAYS, "inside").otherwise("compared")


def holiday_role(day: Column, holidays: Iterable[str]) -> Column:
    """Return ``inside`` for a holiday (``month-day``) and the day before and after it, ``compared`` for its counterpart.

    The counterpart is the same weekday of the week before or, if that is such a day too, of the week after; a day that
    has neither has no role, like all other days, and is null.
    """

    def is_near(days: int) -> Column:
        around = (F.date_format(F.date_add(day, days + offset), "MM-dd").isin(*holidays) for offset in (-1, 0, 1))
        return reduce(or_, around)

    before_is_free, after_is_free = ~is_near(-7), ~is_near(7)
    # The week before serves the day a week later; the week after only a day whose own week before is not free.
    is_counterpart = is_near(7) | (is_near(-7) & is_near(-14))
    return F.when(is_near(0), F.when(before_is_free | after_is_free, "inside")).when(is_counterpart, "compared")
