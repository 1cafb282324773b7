"""Subscription items: every change of terms closes one and opens another, and each leaves versions behind."""

from __future__ import annotations

import numpy as np

from lakehouse.generator.outbox import NONE, Outbox
from lakehouse.generator.streams import Ints

PLAN = 0  # the slot of the plan; the add-ons follow in the order of the company's list

# What a version says: dates in days, moments in microseconds, money in cents, the rest codes and counts.
TERMS = (
    "item", "subscription", "plan", "change", "interval", "term", "quantity", "list_amount", "discount", "duration",
    "status", "start", "end", "canceled_at", "reason", "opportunity",
)  # fmt: skip

Value = Ints | int


class Items:
    """The open items of all customers, one slot for the plan and one for each add-on."""

    def __init__(self, outbox: Outbox, customers: int, slots: int) -> None:
        self._outbox = outbox
        self._terms = {name: np.full((slots, customers), NONE, dtype=np.int64) for name in TERMS}
        self._opened = np.zeros(customers, dtype=np.int64)
        self.slots = range(slots)
        self.add_ons = range(1, slots)

    def among(self, who: Ints, slot: int) -> Ints:
        """Return those of ``who`` that have an open item in the slot."""
        return np.asarray(who[self._terms["item"][slot, who] != NONE])

    def get(self, name: str, slot: int, who: Ints) -> Ints:
        """Return a term of the items in the slot."""
        return np.asarray(self._terms[name][slot, who])

    def amount(self, who: Ints) -> Ints:
        """Return the cents per billing interval of everything that is open, after discounts."""
        is_open = self._terms["item"][:, who] != NONE
        net = self._terms["list_amount"][:, who] - self._terms["discount"][:, who]
        return np.asarray(np.where(is_open, net, 0).sum(axis=0))

    def open(self, slot: int, who: Ints, known_at: Ints, **terms: Value) -> None:
        """Open an item for each of ``who``; terms that are not given are null."""
        for name in TERMS:
            self._terms[name][slot, who] = terms.get(name, NONE)
        self._opened[who] += 1
        self._terms["item"][slot, who] = self._opened[who]
        self._emit(slot, who, known_at)

    def amend(self, slot: int, who: Ints, known_at: Ints, **terms: Value) -> None:
        """Leave a new version of the open item of each of ``who``."""
        for name, value in terms.items():
            self._terms[name][slot, who] = value
        self._emit(slot, who, known_at)

    def close(self, slot: int, who: Ints, known_at: Ints, **terms: Value) -> None:
        """Leave the last version of the open item of each of ``who``; ``terms`` has at least its end."""
        self.amend(slot, who, known_at, **terms)
        self._terms["item"][slot, who] = NONE

    def forget(self, slot: int, who: Ints) -> None:
        """Hold the items of ``who`` no longer open, without a further version: they carried their end from the start."""
        self._terms["item"][slot, who] = NONE

    def replace(self, slot: int, who: Ints, day: Ints, known_at: Ints, **terms: Value) -> None:
        """Close the open item of each of ``who`` on ``day`` and open one that differs by ``terms``."""
        carried = {name: self._terms[name][slot, who] for name in TERMS}
        self.close(slot, who, known_at, end=day)
        self.open(slot, who, known_at, **{**carried, "start": day, **terms})

    def _emit(self, slot: int, who: Ints, known_at: Ints) -> None:
        version = {name: self._terms[name][slot, who] for name in TERMS}
        self._outbox.add("subscriptions", known_at, customer=who, slot=slot, **version)
