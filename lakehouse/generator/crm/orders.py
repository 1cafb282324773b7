"""What the customers of tomorrow will order: the company's life some months ahead, as its records would tell it.

An opportunity is open before it becomes an order, so that the CRM of a day has to know the orders of later months. The
company is lived ahead on its own, without a trace in its records; what it orders then is what it will order.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from lakehouse.generator.accounts import ACTIVE
from lakehouse.generator.arrays import MICROSECONDS_PER_DAY
from lakehouse.generator.draws import log_normal
from lakehouse.generator.items import PLAN
from lakehouse.generator.outbox import NONE, Columns
from lakehouse.generator.starts import win
from lakehouse.generator.step import step
from lakehouse.generator.streams import Floats, Ints
from lakehouse.generator.world import CANCELED, CHANGE, IN_FORCE, UNPAID, Mask, World
from lakehouse.vocabulary import SEGMENTS

NEW, EXPANSION, RENEWAL = range(3)
PLATFORM, EXTENSIONS = range(2)
PROSPECT, CUSTOMER, CHURNED = range(3)

AHEAD_MONTHS = 6  # the longest time that an opportunity with a customer is open, rounded up, and the month itself
LOST_RENEWAL, LOST_EXPANSION = 5000, 7000  # numbers of a customer's lost opportunities: these plus the month
_EVER = 1 << 62
_ITEM_BITS = 20
_YEAR = 12


@dataclass(frozen=True)
class Orders:
    """Opportunities with a known customer: one element each, money in cents of the customer's currency.

    ``number`` tells a customer's opportunities apart. Of a lost one ``known_at`` is when that became clear, ``start``
    when the term ends, and there is no order. ``renewal`` is the first day after the commitment, NONE without one.
    """

    customer: Ints
    number: Ints
    kind: Ints
    line: Ints
    is_won: Mask
    start: Ints
    known_at: Ints
    term: Ints
    renewal: Ints
    arr: Ints
    total: Ints

    def among(self, chosen: Mask | Ints) -> Orders:
        """Return the opportunities that are chosen."""
        return Orders(*(getattr(self, field.name)[chosen] for field in fields(self)))


@dataclass(frozen=True)
class Turns:
    """When customers became customers or ceased to be: ``status`` is CUSTOMER or CHURNED from ``known_at`` on."""

    customer: Ints
    known_at: Ints
    status: Ints


def live_ahead(world: World, months: int) -> tuple[Orders, Turns]:
    """Return the opportunities of ``months`` and of AHEAD_MONTHS more, and first orders to the end of the calendar."""
    ledger = _Ledger(world)
    for month in range(len(world.months) - 1):
        before = world.accounts.orders.copy()
        is_lived = month < months + AHEAD_MONTHS
        if is_lived:
            step(world, month)
        else:
            win(world, month)
        rows = world.outbox.take("subscriptions", _EVER)
        if rows is not None:
            ledger.read(month, rows, before, is_lived=is_lived)
    return ledger.orders(), ledger.turns()


class _Ledger:
    """Reads the versions of subscription items, month by month."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._one_time = np.array([False, *(add_on.billing == "one_time" for add_on in world.company.add_ons)])
        self._plan_arr = np.zeros(len(world.arrivals), dtype=np.int64)
        self._orders: list[Orders] = []
        self._turns: list[tuple[Ints, Ints, Ints]] = []

    def orders(self) -> Orders:
        """Return all opportunities, in order of month."""
        columns = ([getattr(part, field.name) for part in self._orders] for field in fields(Orders))
        return Orders(*(np.concatenate(column) for column in columns))

    def turns(self) -> Turns:
        """Return every change of a customer's status, in order of month."""
        return Turns(*(np.concatenate(column) for column in zip(*self._turns, strict=True)))

    def read(self, month: int, rows: Columns, before: Ints, *, is_lived: bool) -> None:
        """Read the versions that the month left; ``before`` has each customer's orders until then."""
        self._note_turns(rows)
        _, first = np.unique((rows["customer"] << _ITEM_BITS) + rows["item"], return_index=True)
        opened = {name: values[first] for name, values in rows.items()}
        yearly = self._yearly(opened)
        self._orders += [self._won(month, opened, yearly, before), self._lost_renewals(month, rows)]
        if is_lived:
            self._orders.append(self._lost_expansions(month))

    def _yearly(self, opened: Columns) -> Ints:
        """Return the ARR of each item that was opened, for a changed plan beside what it was, and note the new one."""
        net = opened["list_amount"] - opened["discount"]
        return np.where(self._one_time[opened["slot"]], 0, np.rint(_YEAR * net / opened["interval"])).astype(np.int64)

    def _added(self, opened: Columns, yearly: Ints) -> Ints:
        """Return by how much each item raised the ARR: a plan that replaces another by the difference."""
        is_plan = opened["slot"] == PLAN
        plans, who = yearly[is_plan], opened["customer"][is_plan]
        previous = np.concatenate([[0], plans[:-1]])
        is_first = np.concatenate([[True], who[1:] != who[:-1]])[: len(who)]
        previous = np.where(is_first, self._plan_arr[who], previous[: len(who)])
        self._plan_arr[who] = plans
        grows = np.isin(opened["change"][is_plan], (CHANGE["seat_expansion"], CHANGE["plan_upgrade"]))
        added = yearly.copy()
        added[is_plan] = np.where(grows, plans - previous, plans)
        return added

    def _won(self, month: int, opened: Columns, yearly: Ints, before: Ints) -> Orders:
        added = self._added(opened, yearly)
        sold = np.flatnonzero(opened["opportunity"] > before[opened["customer"]])
        who, number, start = (opened[name][sold] for name in ("customer", "opportunity", "start"))
        order = np.lexsort((opened["slot"][sold], start, number, who))
        sold, who, number, start = sold[order], who[order], number[order], start[order]
        # Of the items of an order those count that begin with it; later ones only carry its number on.
        is_head = np.concatenate([[True], (who[1:] != who[:-1]) | (number[1:] != number[:-1])])[: len(who)]
        group = np.cumsum(is_head) - 1
        is_own = start == start[is_head][group]
        once = np.where(self._one_time[opened["slot"][sold]], opened["list_amount"][sold], 0)
        arr = np.bincount(group[is_own], added[sold][is_own]).astype(np.int64)
        at_once = np.bincount(group[is_own], once[is_own]).astype(np.int64)
        heads = sold[is_head]
        return self._booked(month, {name: values[heads] for name, values in opened.items()}, arr, at_once)

    def _booked(self, month: int, head: Columns, arr: Ints, at_once: Ints) -> Orders:
        world, who, change = self._world, head["customer"], head["change"]
        state = world.accounts
        is_new = np.isin(change, (CHANGE["initial"], CHANGE["reactivation"]))
        kind = np.where(is_new, NEW, np.where(change == CHANGE["renewal"], RENEWAL, EXPANSION))
        has_term = head["term"] > 0
        until = np.where(kind == EXPANSION, state.next_bill[who], month + state.interval[who])
        until = np.where(has_term, state.term_end[who], until)
        begins, ends = world.boundary(month, who), world.boundary(month + 1, who)
        gone = np.where(kind == EXPANSION, (head["start"] - begins) / (ends - begins), 0.0)
        return Orders(
            customer=who,
            number=head["opportunity"],
            kind=kind,
            line=np.where(head["slot"] == PLAN, PLATFORM, EXTENSIONS),
            is_won=np.ones(len(who), dtype=np.bool_),
            start=head["start"],
            known_at=head["known_at"],
            term=head["term"],
            renewal=np.where(has_term, self._boundary(until, who), NONE),
            arr=arr,
            total=at_once + np.rint(arr / _YEAR * np.maximum(until - month - gone, 0)).astype(np.int64),
        )

    def _boundary(self, month: Ints, who: Ints) -> Ints:
        """Return the day on which each customer's billing period begins, also in months behind the calendar."""
        first = np.datetime64(self._world.months.dates[0], "M") + month
        begins, ends = (edge.astype("datetime64[D]").astype(np.int64) for edge in (first, first + 1))
        return np.asarray(begins + np.minimum(self._world.accounts.anchor[who], ends - begins) - 1)

    def _lost_renewals(self, month: int, rows: Columns) -> Orders:
        """Return the renewals of those who gave notice, or were cut off within sight of the end of their term."""
        world, state = self._world, self._world.accounts
        who = rows["customer"]
        is_plan = (rows["slot"] == PLAN) & world.people.is_sales[who] & (rows["term"] > 0)
        gives_notice = (rows["status"] == IN_FORCE) & (rows["canceled_at"] == rows["known_at"])
        is_cut_off = (rows["status"] == UNPAID) & (rows["end"] == NONE)
        lost = np.flatnonzero(is_plan & (gives_notice | is_cut_off))
        who = who[lost]
        due = np.where(gives_notice[lost], rows["end"][lost], self._boundary(state.term_end[who], who))
        opened_days = np.array([world.company.crm.renewal.opened_days[name] for name in SEGMENTS])
        was_open = due - opened_days[world.people.segment[who]] < rows["known_at"][lost] // MICROSECONDS_PER_DAY
        lost, who, due = lost[was_open], who[was_open], due[was_open]
        return Orders(
            customer=who,
            number=np.full(len(who), LOST_RENEWAL + month),
            kind=np.full(len(who), RENEWAL),
            line=np.full(len(who), PLATFORM),
            is_won=np.zeros(len(who), dtype=np.bool_),
            start=due,
            known_at=rows["known_at"][lost],
            term=rows["term"][lost],
            renewal=np.full(len(who), NONE),
            arr=self._plan_arr[who],
            total=np.zeros(len(who), dtype=np.int64),
        )

    def _lost_expansions(self, month: int) -> Orders:
        """Return the expansions that come to nothing in the month: as many as the win rate leaves."""
        world, state, rules = self._world, self._world.accounts, self._world.company.crm.expansion
        who = np.flatnonzero(world.people.is_sales & (state.stage == ACTIVE) & (state.won < month))
        wins = world.by_segment("seats_up", who) + world.by_segment("upgrade", who)
        wins += np.sum([add_on.attach for add_on in world.company.add_ons], axis=0)[state.plan[who]]
        who = who[world.source.uniform("crm/lost_expansion", who, month) < wins * (1 / rules.win_rate - 1)]
        share: Floats = world.source.uniform("crm/lost_expansion_day", who, month)
        day = world.months.first_day[month] + (share * world.months.length[month]).astype(np.int64)
        size = log_normal(
            world.source.uniform("crm/lost_expansion_size", who, month), rules.lost_size.median, rules.lost_size.sigma
        )
        return Orders(
            customer=who,
            number=np.full(len(who), LOST_EXPANSION + month),
            kind=np.full(len(who), EXPANSION),
            line=np.full(len(who), PLATFORM),
            is_won=np.zeros(len(who), dtype=np.bool_),
            start=day,
            known_at=day * MICROSECONDS_PER_DAY,
            term=np.where(state.term[who] > 0, state.term[who], NONE),
            renewal=np.full(len(who), NONE),
            arr=np.rint(self._plan_arr[who] * size).astype(np.int64),
            total=np.zeros(len(who), dtype=np.int64),
        )

    def _note_turns(self, rows: Columns) -> None:
        is_plan = rows["slot"] == PLAN
        comes = is_plan & np.isin(rows["change"], [CHANGE[name] for name in ("initial", "conversion", "reactivation")])
        comes &= rows["end"] == NONE
        goes = is_plan & (rows["end"] != NONE) & ((rows["status"] == CANCELED) | (rows["status"] == UNPAID))
        for turned, status in ((comes, CUSTOMER), (goes, CHURNED)):
            who = rows["customer"][turned]
            self._turns.append((who, rows["known_at"][turned], np.full(len(who), status)))
