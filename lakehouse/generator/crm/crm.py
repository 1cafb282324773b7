"""The CRM as a whole: made once for all the days that are asked for, and handed out month by month."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np
import pyarrow as pa

from lakehouse.generator import arrays
from lakehouse.generator.company import Company
from lakehouse.generator.crm import lead_tables, tables
from lakehouse.generator.crm.accounts import Accounts, account_versions, contacts, lead_owners
from lakehouse.generator.crm.activities import activities
from lakehouse.generator.crm.changes import changes
from lakehouse.generator.crm.deals import Deals, with_customers
from lakehouse.generator.crm.force import Force
from lakehouse.generator.crm.leads import Leads, funnel
from lakehouse.generator.crm.market import MONTHS_BEFORE, Plan, prospects
from lakehouse.generator.crm.orders import Orders, Turns, live_ahead
from lakehouse.generator.crm.owners import Owners, owners, region_shares
from lakehouse.generator.crm.staffing import Quotas, posts, quotas
from lakehouse.generator.crm.touches import touches
from lakehouse.generator.crm.truth import truth
from lakehouse.generator.months import Months
from lakehouse.generator.streams import Ints
from lakehouse.generator.world import World


@dataclass(frozen=True)
class _Story:
    """All that happens, before it is put in rows; ``months`` is the CRM's calendar."""

    world: World
    months: Months
    force: Force
    orders: Orders
    turns: Turns
    leads: Leads
    lead_owner: Ints
    deals: Deals
    owned: Owners
    accounts: Accounts
    quotas: Quotas

    @classmethod
    def of(cls, company: Company, seed: int, customers: int, history_months: int, count: int) -> _Story:
        # The clock moves what comes around the end of a month from one into the other.
        count += 1
        calendar, months = _calendars(company, max(count, history_months))
        world = World.of(company, seed, customers, history_months, calendar)
        plan = Plan.of(company, world.source, calendar, customers, history_months)
        needed = posts(company, calendar, plan, customers, history_months)
        force = Force.of(company, world.source, months, needed, region_shares(company), clock=world.clock)
        orders, turns = live_ahead(world, count)
        known = MONTHS_BEFORE + count
        they = prospects(company, world.source, months, plan, known, clock=world.clock)
        leads, deals = funnel(world, months, with_customers(world, orders), they, float(months.first_day[known]))
        return cls(
            world=world,
            months=months,
            force=force,
            orders=orders,
            turns=turns,
            leads=leads,
            lead_owner=lead_owners(world, force, months, leads),
            deals=deals,
            owned=owners(world, force, months, deals),
            accounts=Accounts.of(world, they, leads),
            quotas=quotas(world, months, force, orders, customers=customers, history_months=history_months),
        )

    def rows(self) -> dict[str, tables.Rows]:
        """Return the rows of each table."""
        world, months, force, leads, deals = self.world, self.months, self.force, self.leads, self.deals
        # Opportunities with customers stand first, in the order of their orders.
        due = np.zeros(len(deals))
        due[: len(self.orders.start)] = self.orders.start
        changed = changes(world, months, force, deals=deals, owned=self.owned, due=due)
        versions = account_versions(
            world, force, months, accounts=self.accounts, leads=leads, turns=self.turns, deals=deals, owned=self.owned
        )
        done = activities(world, force, months, leads=leads, deals=deals, owned=self.owned)
        return {
            "accounts": lead_tables.accounts(world, self.accounts, versions, force),
            "leads": lead_tables.leads(world, months, force, rows=leads, owner=self.lead_owner, deals=deals),
            "contacts": lead_tables.people(world, contacts(world, self.accounts, deals)),
            "sales_reps": tables.sales_reps(world, force),
            "quotas": tables.quotas(force, self.quotas),
            "opportunities": tables.opportunities(world, deals, changed, force),
            "opportunity_stage_history": tables.stage_history(world, deals, changed, force),
            "activities": lead_tables.activities(world, done, deals, force),
            "billing_orders": tables.billing_orders(world, self.orders, deals.closed_at[: len(self.orders.start)]),
            "marketing_events": lead_tables.marketing_events(world, months, touches(world, months, leads), leads),
        }


@dataclass(frozen=True)
class Crm:
    """The rows of the CRM's tables in the order in which they become known, and the truth behind them."""

    _rows: Mapping[str, tables.Rows]
    _truth: Mapping[str, tables.Rows]

    @classmethod
    def of(cls, company: Company, seed: int, customers: int, history_months: int, count: int) -> Crm:
        """Return the CRM of the company's first ``count`` months; ``customers`` are won in ``history_months``."""
        story = _Story.of(company, seed, customers, history_months, count)
        return cls(_in_order(story.rows()), _in_order(truth(story.world, story.months, story.deals, story.force)))

    def known(self, first: int, end: int) -> dict[str, dict[str, pa.Array]]:
        """Return by table the rows that become known from ``first`` to before ``end``, in microseconds since 1970."""
        return {name: _between(rows, first, end) for name, rows in self._rows.items()}

    def truth(self, first: int, end: int) -> dict[str, pa.Table]:
        """Return the truth about what begins from ``first`` to before ``end``."""
        return {name: pa.table(_between(rows, first, end)) for name, rows in self._truth.items()}


def _calendars(company: Company, count: int) -> tuple[Months, Months]:
    """Return the company's calendar, with room for what is already under way, and the CRM's, which begins earlier."""
    start = company.scale.start_month
    calendar = Months.of(start, count + MONTHS_BEFORE)
    first = arrays.month_index(start) - 1 - MONTHS_BEFORE
    return calendar, Months.of(date(first // 12, first % 12 + 1, 1), len(calendar) + MONTHS_BEFORE)


def _in_order(by_table: Mapping[str, tables.Rows]) -> dict[str, tables.Rows]:
    ordered = {}
    for name, rows in by_table.items():
        order = np.argsort(rows.known_at, kind="stable")
        columns = {column: values.take(pa.array(order)) for column, values in rows.columns.items()}
        ordered[name] = tables.Rows(columns, rows.known_at[order])
    return ordered


def _between(rows: tables.Rows, first: int, end: int) -> dict[str, pa.Array]:
    low, high = np.searchsorted(rows.known_at, [first, end])
    return {name: values.slice(low, high - low) for name, values in rows.columns.items()}
