"""Product users: who takes the seats of each customer, month by month."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from lakehouse.generator import arrays
from lakehouse.generator.draws import choice
from lakehouse.generator.product_parameters import Product, Users
from lakehouse.generator.roster import ACTIVITY_UNIT, Roster, signup_second, user_ids
from lakehouse.generator.state import MonthState
from lakehouse.generator.streams import Floats, Ints, Source

_IDLE_ACTIVITY = 0.004
_FIRST_OFFICE_HOUR, _OFFICE_HOURS = 7, 10


@dataclass(frozen=True)
class ProductState:
    """What one month hands to the next; it begins as :meth:`empty`.

    ``started_on`` (days since 1970; 0: never), ``first_satisfaction`` and ``issued`` (users ever invited) are
    indexed by customer ordinal. ``customer``, ``number`` and ``created_at`` (microseconds) list the users who are
    there, by customer and number. ``tickets`` are the versions of tickets that come to hold later.
    """

    started_on: Ints
    first_satisfaction: Floats
    issued: Ints
    customer: Ints
    number: Ints
    created_at: Ints
    tickets: pa.Table | None = None

    @classmethod
    def empty(cls) -> ProductState:
        """Return the state before the first month."""
        none: Ints = np.empty(0, dtype=np.int64)
        return cls(none, np.empty(0), none, none, none, none)


def month_users(
    parameters: Product, seed: int, month: MonthState, state: ProductState, *, schema: pa.Schema
) -> tuple[pa.Table, Roster, ProductState]:
    """Let users of a month come and go.

    Return the versions of users that came to hold in it (rows of ``schema``), the month's roster for the other
    product functions, and the state for the next month (its tickets unchanged).
    """
    state = _with_newcomers(month, state)
    people = _People(parameters.usage.users, Source(seed), month, state)
    old = people.old()
    is_leaving = people.leaving(old)
    leaving, staying = old.where(is_leaving), old.where(~is_leaving)
    new = people.invited(staying.per_customer(month))
    return (
        people.versions(new, leaving, schema),
        people.roster(leaving, staying, new),
        _next_state(month, state, staying, new),
    )


@dataclass(frozen=True)
class _Users:
    """Some users: ``position`` of their customer in the MonthState; ``created_at`` in microseconds."""

    position: Ints
    customer: Ints
    number: Ints
    created_at: Ints
    joined_day: Ints

    def where(self, chosen: NDArray[np.bool_] | Ints) -> _Users:
        return _Users(*(getattr(self, name)[chosen] for name in self.__dataclass_fields__))

    def per_customer(self, month: MonthState) -> Ints:
        return np.bincount(self.position, minlength=len(month.customer))

    @staticmethod
    def together(*parts: _Users) -> _Users:
        names = _Users.__dataclass_fields__
        return _Users(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))


@dataclass(frozen=True)
class _People:
    """The coming and going of a month."""

    parameters: Users
    source: Source
    month: MonthState
    state: ProductState

    @property
    def _index(self) -> int:
        return arrays.month_index(self.month.month)

    @property
    def _leaving_day(self) -> Ints:
        """The day of the month on which those who leave a customer do."""
        first, span = self.month.first_day, self.month.last_day - self.month.first_day + 1
        return np.asarray(
            first + span * self.source.uniform("user_leaving_day", self.month.customer, self._index), dtype=int
        )

    def old(self) -> _Users:
        """Return who was there before the month."""
        position = np.full(len(self.state.issued), -1)
        position[self.month.customer] = np.arange(len(self.month.customer))
        here = np.flatnonzero(position[self.state.customer] >= 0)
        customer = self.state.customer[here]
        number, created_at = self.state.number[here], self.state.created_at[here]
        return _Users(position[customer], customer, number, created_at, np.zeros_like(customer))

    def leaving(self, old: _Users) -> NDArray[np.bool_]:
        """Return who leaves: some by themselves, and as many more as seats are too few; never the founder."""
        draw = self.source.uniform("user_leaving", old.customer, old.number, self._index)
        draw[old.number == 0] = 1.0
        count = old.per_customer(self.month)
        by_themselves = old.where(draw < self.parameters.leaving_share_per_month).per_customer(self.month)
        leavers = np.minimum(np.maximum(by_themselves, count - self.month.seats), np.maximum(count - 1, 0))
        position, rank = arrays.members(count)
        is_leaving: NDArray[np.bool_] = np.empty(len(draw), dtype=bool)
        is_leaving[np.lexsort((draw, old.position))] = rank < leavers[position]
        return is_leaving

    def invited(self, staying: Ints) -> _Users:
        """Return who is invited to the free seats, more of them early in the month; the first is the founder."""
        month, is_new = self.month, staying == 0
        free = np.maximum(month.seats, is_new) - staying
        rounding = self.source.uniform("user_invited", month.customer, self._index)
        count = np.floor(np.maximum(free, 0) * self.parameters.invited_share_per_month + rounding).astype(np.int64)
        position, place = arrays.members(np.maximum(count, is_new))
        customer = month.customer[position]
        number = self.state.issued[customer] + place
        is_founder = number == 0

        through = (place + self.source.uniform("user_joining", customer, self._index)) / np.maximum(count, 1)[position]
        span = (month.last_day - month.first_day + 1)[position]
        joined_day = month.first_day[position] + np.where(is_founder, 0, span * through**2).astype(np.int64)
        signup = signup_second(self.source.seed, self.state.started_on[customer], customer)
        second = np.where(is_founder, signup, self._office_second("user_created", customer, number))
        created_at = self._instant(joined_day, second)
        return _Users(position, customer, number, created_at, np.where(is_founder, 0, joined_day))

    def versions(self, new: _Users, leaving: _Users, schema: pa.Schema) -> pa.Table:
        """Return a version of each user who came or left."""
        users = _Users.together(new, leaving)
        is_gone = np.arange(len(users.number)) >= len(new.number)
        left_second = self._office_second("user_left", users.customer, users.number)
        left_at = self._instant(self._leaving_day[users.position], left_second)
        columns = {
            "user_id": user_ids(users.customer, users.number),
            "customer_id": arrays.customer_ids(users.customer),
            "role": arrays.labels(list(self.parameters.role_shares), self._role(users)),
            "created_at": arrays.instants(users.created_at),
            "deactivated_at": arrays.instants(left_at, missing=~is_gone),
            "updated_at": arrays.instants(np.where(is_gone, left_at, users.created_at)),
        }
        return arrays.table(schema, columns)

    def roster(self, leaving: _Users, staying: _Users, new: _Users) -> Roster:
        """Return everybody by customer: who leaves, who stays, who comes."""
        users = _Users.together(leaving, staying, new)
        users = users.where(np.argsort(users.position, kind="stable"))
        count = users.per_customer(self.month)
        return Roster(
            month=self.month,
            start=np.cumsum(count) - count,
            count=count,
            leaving=leaving.per_customer(self.month),
            leaving_day=self._leaving_day,
            started_on=self.state.started_on[self.month.customer],
            first_satisfaction=self.state.first_satisfaction[self.month.customer],
            position=users.position,
            number=users.number,
            role=self._role(users),
            activity=self._activity(users),
            joined_day=users.joined_day,
        )

    def _role(self, users: _Users) -> Ints:
        shares = self.parameters.role_shares
        role = choice(self.source.uniform("user_role", users.customer, users.number), list(shares.values()))
        return np.where(users.number == 0, list(shares).index("admin"), role)

    def _activity(self, users: _Users) -> Ints:
        """Return each user's activity: log-normal with mean 1 among those who are not idle; the founder never is."""
        sigma = self.parameters.activity_sigma
        activity = np.exp(sigma * self.source.normal("user_activity", users.customer, users.number) - sigma**2 / 2)
        is_idle = self.source.uniform("user_idle", users.customer, users.number) < self.parameters.idle_share
        activity = np.where(is_idle & (users.number > 0), _IDLE_ACTIVITY, activity)
        return np.asarray(np.maximum(np.rint(ACTIVITY_UNIT * activity), 1), dtype=np.int64)

    def _office_second(self, name: str, customer: Ints, number: Ints) -> Ints:
        hour = _FIRST_OFFICE_HOUR + _OFFICE_HOURS * self.source.uniform(name, customer, number)
        return np.asarray(3600 * hour, dtype=np.int64)

    def _instant(self, day: Ints, second: Ints) -> Ints:
        days = arrays.day_number(self.month.month) + day - 1
        return np.asarray((days * arrays.SECONDS_PER_DAY + second) * arrays.MICROSECONDS_PER_SECOND)


def _with_newcomers(month: MonthState, state: ProductState) -> ProductState:
    """Return the state with room for the month's customers and with the start of those who are new."""
    size = max(len(state.issued), int(month.customer.max(initial=-1)) + 1)
    room = (0, size - len(state.issued))
    started_on, issued = np.pad(state.started_on, room), np.pad(state.issued, room)
    first_satisfaction = np.pad(state.first_satisfaction, room)
    is_new = started_on[month.customer] == 0
    newcomer = month.customer[is_new]
    started_on[newcomer] = arrays.day_number(month.month) + month.first_day[is_new] - 1
    first_satisfaction[newcomer] = month.satisfaction[is_new]
    return replace(state, started_on=started_on, issued=issued, first_satisfaction=first_satisfaction)


def _next_state(month: MonthState, state: ProductState, staying: _Users, new: _Users) -> ProductState:
    is_elsewhere = ~np.isin(state.customer, month.customer)
    here = _Users.together(staying, new)
    customer = np.concatenate([state.customer[is_elsewhere], here.customer])
    number = np.concatenate([state.number[is_elsewhere], here.number])
    created_at = np.concatenate([state.created_at[is_elsewhere], here.created_at])
    order = np.lexsort((number, customer))
    return replace(
        state,
        issued=state.issued + np.bincount(new.customer, minlength=len(state.issued)),
        customer=customer[order],
        number=number[order],
        created_at=created_at[order],
    )
