"""The users of a month, as all product functions see them."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import pyarrow as pa

from lakehouse.generator import arrays
from lakehouse.generator.outbox import business_moment
from lakehouse.generator.state import MonthState
from lakehouse.generator.streams import Floats, Ints, Source

# Activity is in whole numbers, so that its sums do not depend on what else is summed.
ACTIVITY_UNIT = 1 << 12
_DAY_KEYS = 32


@dataclass(frozen=True)
class Roster:
    """Customers with access in a month and their users; those who leave stand first, those who come last.

    Of each customer, in the order of ``month``: ``start`` (index of its first user), ``count``, ``leaving`` (how many
    leave), ``leaving_day`` (the first day without them), ``started_on`` (first day of access since 1970) and
    ``first_satisfaction``. Of each user: ``position`` of the customer, ``number``, ``role`` (index in the parameters'
    order), ``activity`` (1 ÷ ACTIVITY_UNIT) and ``joined_day`` (0: before this month).
    """

    month: MonthState
    start: Ints
    count: Ints
    leaving: Ints
    leaving_day: Ints
    started_on: Ints
    first_satisfaction: Floats
    position: Ints
    number: Ints
    role: Ints
    activity: Ints
    joined_day: Ints

    @property
    def day_numbers(self) -> Ints:
        """The days of the month, since 1970."""
        month = self.month.month
        return arrays.day_number(month) + np.arange(arrays.month_days(month))

    @property
    def founder(self) -> Ints:
        """The index of each customer's first user, who stays."""
        return self.start + self.leaving

    def user_ids(self) -> pa.Array:
        """Return the user_id of each user."""
        return user_ids(self.month.customer[self.position], self.number)

    def present(self) -> tuple[Ints, Ints]:
        """Return per customer and day of the month the half-open range of the users who are there all day."""
        day = np.arange(1, len(self.day_numbers) + 1)
        has_left = day >= self.leaving_day[:, None]
        low = self.start[:, None] + np.where(has_left, self.leaving[:, None], 0)
        # A customer's users stand in order of joining, so that one search counts those who joined before each day.
        joined = self.position * _DAY_KEYS + self.joined_day
        high = np.searchsorted(joined, np.arange(len(self.start))[:, None] * _DAY_KEYS + day, side="left")
        return low, high

    def part(self, first: int, end: int) -> Roster:
        """Return the roster of the customers from ``first`` to before ``end``."""
        users = slice(self.start[first], self.start[end - 1] + self.count[end - 1])
        state = {field.name: getattr(self.month, field.name) for field in fields(self.month)}
        month = MonthState(**{key: value if key == "month" else value[first:end] for key, value in state.items()})
        by_customer = ("count", "leaving", "leaving_day", "started_on", "first_satisfaction")
        by_user = ("number", "role", "activity", "joined_day")
        return Roster(
            month=month,
            start=self.start[first:end] - self.start[first],
            position=self.position[users] - first,
            **{name: getattr(self, name)[first:end] for name in by_customer},
            **{name: getattr(self, name)[users] for name in by_user},
        )


def user_ids(customer: Ints, number: Ints) -> pa.Array:
    """Return the user_id of each user."""
    return arrays.numbered_ids("U", (customer, 7), "-", (number, 5))


def signup_second(seed: int, started_on: Ints, customer: Ints) -> Ints:
    """Return the second of its first day at which each customer starts; it leaves no record before."""
    moment = business_moment(Source(seed), started_on, customer)
    return (moment - started_on * arrays.MICROSECONDS_PER_DAY) // arrays.MICROSECONDS_PER_SECOND
