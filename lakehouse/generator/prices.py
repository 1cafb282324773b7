"""What things cost: list amounts in cents of the customer's currency per billing interval."""

from __future__ import annotations

import numpy as np

from lakehouse.generator.company import Company
from lakehouse.generator.streams import Floats, Ints

_YEAR = 12


class Prices:
    """The price list as arrays over plans, add-ons and currencies."""

    def __init__(self, company: Company) -> None:
        plans = company.plans.values()
        self._base = np.array([plan.base_price for plan in plans])
        self._per_seat = np.array([plan.price_per_seat for plan in plans])
        self._included = np.array([plan.included_seats for plan in plans])
        self._annual_discount = np.array([plan.annual_discount for plan in plans])
        self._add_on = np.array([add_on.price for add_on in company.add_ons])
        self.per_dollar = np.array([1.0, *(each.price_factor for each in company.currencies.values())])

    def plan_cents(self, plan: Ints, seats: Ints, interval: Ints, level: Floats, currency: Ints) -> Ints:
        """Return the plan's list amount; ``level`` is the customer's price level, 1 at the first price list."""
        monthly = self._base[plan] + self._per_seat[plan] * np.maximum(0, seats - self._included[plan])
        ahead = np.where(interval == _YEAR, 1 - self._annual_discount[plan], 1.0)
        return self._cents(monthly * ahead * level * interval, currency)

    def add_on_cents(self, add_on: int, quantity: Ints, interval: Ints | int, currency: Ints) -> Ints:
        """Return the add-on's list amount, or with an interval of 1 its price once."""
        return self._cents(self._add_on[add_on] * quantity * interval, currency)

    def _cents(self, dollars: Floats, currency: Ints) -> Ints:
        return np.asarray(np.rint(dollars * self.per_dollar[currency] * 100).astype(np.int64))
