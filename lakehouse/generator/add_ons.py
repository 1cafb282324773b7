"""Add-ons, monthly and one-time: bought with the first order or later, dropped at a boundary."""

from __future__ import annotations

import numpy as np

from lakehouse.generator.billing import Bill
from lakehouse.generator.items import Value
from lakehouse.generator.outbox import NONE, batch_moment, business_moment
from lakehouse.generator.streams import Ints
from lakehouse.generator.world import CANCELED, CHANGE, IN_FORCE, World

_SEATS_PER_PIECE = 60  # larger customers buy add-ons in pieces


def buy_at_start(world: World, month: int, who: Ints) -> None:
    """Add the add-ons of the first order to contracts that began in the month."""
    day = world.boundary(month, who)
    for number, add_on in enumerate(world.company.add_ons):
        share = np.array(add_on.at_start)[world.accounts.plan[who]]
        buys = world.source.uniform("add_on_at_start", who, number) < share
        _buy(world, who[buys], number, day[buys], world.accounts.contract[who[buys]])


def buy_later(world: World, month: int, who: Ints) -> None:
    """Let some customers buy one more add-on on a day inside their billing month, and bill the rest of the period."""
    attach = np.array([add_on.attach for add_on in world.company.add_ons]).T[world.accounts.plan[who]]
    drawn = world.source.uniform("add_on", who, month)
    wanted = (drawn[:, None] > np.cumsum(attach, axis=1)).sum(axis=1)
    begins, ends = world.boundary(month, who), world.boundary(month + 1, who)
    share = world.source.uniform("add_on_day", who, month)
    day = begins + 1 + (share * (ends - begins - 2)).astype(np.int64)
    for number in range(len(world.company.add_ons)):
        buys = (wanted == number) & ~np.isin(who, world.items.among(who, 1 + number))
        buyers = who[buys]
        _buy(world, buyers, number, day[buys], world.new_order(buyers))


def drop_some(world: World, month: int, who: Ints) -> None:
    """Let some customers drop an add-on at the boundary at which they could also leave."""
    term, interval = world.accounts.term[who], world.accounts.interval[who]
    years = np.where(term > 0, term, interval) / 12
    probability = 1 - (1 - world.company.add_on_removal) ** years
    for slot in world.items.add_ons:
        drops = world.items.among(who[world.source.uniform("add_on_removal", who, month, slot) < probability], slot)
        day = world.boundary(month, drops)
        known_at = batch_moment(world.source, day, drops)
        world.items.close(slot, drops, known_at, end=day, canceled_at=known_at, status=CANCELED)


def reprice(world: World, who: Ints, day: Ints, known_at: Ints) -> None:
    """Bring the open add-ons of each customer to its present billing interval."""
    for slot in world.items.add_ons:
        owners = np.isin(who, world.items.among(who, slot))
        payers = who[owners]
        quantity = world.items.get("quantity", slot, payers)
        world.items.replace(
            slot,
            payers,
            day[owners],
            known_at[owners],
            change=CHANGE["cadence_change"],
            **_terms(world, payers, slot - 1, quantity),
        )


def _buy(world: World, who: Ints, number: int, day: Ints, order: Ints) -> None:
    add_on, state = world.company.add_ons[number], world.accounts
    quantity = 1 + state.seats[who] // _SEATS_PER_PIECE
    known_at = business_moment(world.source, day, who)
    sold: dict[str, Value] = {"subscription": state.subscription[who], "change": CHANGE["add_on"], "status": IN_FORCE}
    sold |= {"start": day, "opportunity": order}
    if add_on.billing == "monthly":
        world.items.open(1 + number, who, known_at, **sold, **_terms(world, who, number, quantity))
        begins, ends = billing_period(world, who)
        cents = prorated(world.items.get("list_amount", 1 + number, who), day, begins, ends)
        # Nothing is left of a period that is yet to be billed.
        bill = Bill(who, day, ends, cents, order).among(cents > 0)
    else:
        cents = world.prices.add_on_cents(number, np.ones_like(who), 1, world.people.currency[who])
        sold |= {"plan": state.plan[who], "interval": 1, "quantity": 1, "list_amount": cents, "discount": 0}
        world.items.open(1 + number, who, known_at, **sold, end=day + 1)
        world.items.forget(1 + number, who)
        bill = Bill(who, day, day + 1, cents, order)
    world.billing.charge(bill, may_be_lost=False)


def _terms(world: World, who: Ints, number: int, quantity: Ints) -> dict[str, Value]:
    state = world.accounts
    cents = world.prices.add_on_cents(number, quantity, state.interval[who], world.people.currency[who])
    term = np.where(state.term[who] > 0, state.term[who], NONE)
    return {"plan": state.plan[who], "interval": state.interval[who], "term": term, "quantity": quantity,
            "list_amount": cents, "discount": 0}  # fmt: skip


def billing_period(world: World, who: Ints) -> tuple[Ints, Ints]:
    """Return the first day of the billing period that each customer has paid for last, and of the one after it."""
    state = world.accounts
    anchor = state.anchor[who]
    begins = world.months.anniversary(state.next_bill[who] - state.interval[who], anchor)
    return begins, world.months.anniversary(state.next_bill[who], anchor)


def prorated(cents: Ints, day: Ints, begins: Ints, ends: Ints) -> Ints:
    """Return the share of a period's amount that falls on ``day`` and after."""
    return np.asarray(np.rint(cents * (ends - day) / (ends - begins)).astype(np.int64))
