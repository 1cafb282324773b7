"""The CRM's records of opportunities, orders and reps: columns by name, and when each row is known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lakehouse.generator import arrays
from lakehouse.generator.company import REPORTING_CURRENCY
from lakehouse.generator.crm.changes import Changes
from lakehouse.generator.crm.deals import Deals, loss_reasons
from lakehouse.generator.crm.force import FOR_EVER, ROLE_OF_TEAM, TEAMS, Force
from lakehouse.generator.crm.ids import account_ids, lead_ids, opportunity_ids, order_ids, rep_ids
from lakehouse.generator.crm.orders import Orders
from lakehouse.generator.crm.owners import region_numbers
from lakehouse.generator.crm.paths import LOST
from lakehouse.generator.crm.staffing import Quotas
from lakehouse.generator.names import contacts
from lakehouse.generator.outbox import NONE
from lakehouse.generator.population import currencies
from lakehouse.generator.records import money, null_where
from lakehouse.generator.streams import Ints
from lakehouse.generator.world import World
from lakehouse.vocabulary import CHANNELS, OPPORTUNITY_TYPES, REP_ROLES, STAGES

PRODUCT_LINES = ("Analytics Platform", "Extensions")  # by line, as in the catalogue
ORDER_TYPES = ("new", "expansion", "renewal")
_REP_NAMES = 1 << 45  # names of reps are counted from here
_OFFICE_OPENS = 9 * 3600 * arrays.MICROSECONDS_PER_SECOND


@dataclass(frozen=True)
class Rows:
    """Rows of a table, and the moment in microseconds from which on each is known."""

    columns: dict[str, pa.Array]
    known_at: Ints


def opportunities(world: World, deals: Deals, changes: Changes, force: Force) -> Rows:
    """Return ``bronze.opportunities``."""
    deal, opened_at = changes.deal, changes.at[changes.before == NONE]
    columns = {
        "opportunity_id": opportunity_ids(deals),
        "account_id": account_ids(deals.account),
        "lead_id": lead_ids(deals.lead),
        "opportunity_type": arrays.labels(OPPORTUNITY_TYPES, deals.kind),
        "product_line": arrays.labels(PRODUCT_LINES, deals.line),
        "lead_source": arrays.labels(CHANNELS, deals.channel),
        "currency": arrays.labels(currencies(world.company), deals.currency),
        "term_months": pa.array(deals.term.astype(np.int32), mask=deals.term == NONE),
        "created_at": arrays.instants(opened_at),
    }
    reasons = arrays.labels(list(world.company.crm.loss_reasons), loss_reasons(world, deals))
    return Rows(
        {name: column.take(pa.array(deal)) for name, column in columns.items()}
        | {
            "owner_rep_id": rep_ids(force).take(pa.array(changes.owner)),
            "stage": arrays.labels(STAGES, changes.stage),
            "arr": money(changes.arr),
            "expected_close_date": arrays.days(changes.expected),
            "closed_at": arrays.instants(changes.closed_at, changes.closed_at == NONE),
            "rep_probability": pa.array(changes.probability),
            "loss_reason": null_where(changes.stage != LOST, reasons.take(pa.array(deal))),
            "updated_at": arrays.instants(changes.at),
        },
        changes.at,
    )


def stage_history(world: World, deals: Deals, changes: Changes, force: Force) -> Rows:
    """Return ``bronze.opportunity_stage_history``."""
    deal = changes.deal
    place = np.arange(len(deal)) - np.searchsorted(deal, deal)
    opportunity = opportunity_ids(deals).take(pa.array(deal))
    return Rows(
        {
            "history_id": pc.binary_join_element_wise("H", opportunity, arrays.numbered_ids("-", (place, 3)), ""),
            "opportunity_id": opportunity,
            "from_stage": null_where(changes.before == NONE, arrays.labels(STAGES, np.maximum(changes.before, 0))),
            "to_stage": arrays.labels(STAGES, changes.stage),
            "changed_at": arrays.instants(changes.at),
            "arr": money(changes.arr),
            "currency": arrays.labels(currencies(world.company), deals.currency[deal]),
            "expected_close_date": arrays.days(changes.expected),
            "rep_id": rep_ids(force).take(pa.array(changes.owner)),
            "rep_probability": pa.array(changes.probability),
        },
        changes.at,
    )


def billing_orders(world: World, orders: Orders, signed_at: Ints) -> Rows:
    """Return ``bronze.billing_orders``: of the ``orders``, those of opportunities that were won at ``signed_at``."""
    orders, signed_at = orders.among(orders.is_won), signed_at[orders.is_won]
    opportunity = arrays.numbered_ids("O", (orders.customer, 7), "-", (orders.number, 4))
    return Rows(
        {
            "order_id": order_ids(orders.customer, orders.number),
            "account_id": account_ids(orders.customer),
            "opportunity_id": opportunity,
            "order_type": arrays.labels(ORDER_TYPES, orders.kind),
            "product_line": arrays.labels(PRODUCT_LINES, orders.line),
            "ordered_at": arrays.instants(signed_at),
            "start_date": arrays.days(orders.start),
            "renewal_date": null_where(orders.renewal == NONE, arrays.days(orders.renewal)),
            "term_months": pa.array(orders.term.astype(np.int32), mask=orders.term == NONE),
            "total_amount": money(orders.total),
            "arr": money(orders.arr),
            "currency": arrays.labels(currencies(world.company), world.people.currency[orders.customer]),
        },
        signed_at,
    )


def sales_reps(world: World, force: Force) -> Rows:
    """Return ``bronze.sales_reps``: a version of each rep from the first day on, and one from the day of leave on."""
    leaves = np.flatnonzero(force.left < FOR_EVER)
    rep = np.concatenate([np.arange(len(force.team)), leaves])
    has_left = np.arange(len(rep)) >= len(force.team)
    at = np.where(has_left, force.left[rep], force.hired[rep]) * arrays.MICROSECONDS_PER_DAY + _OFFICE_OPENS
    name, _ = contacts(world.source, _REP_NAMES + force.key, np.zeros_like(force.key))
    regions, _ = region_numbers(world.company)
    ids, leader = rep_ids(force), force.leader()
    columns = {
        "rep_id": ids,
        "rep_name": name,
        "role": arrays.labels(REP_ROLES, ROLE_OF_TEAM[force.team]),
        "region": arrays.labels(regions, force.region),
        "team": arrays.labels(TEAMS, force.team),
        "manager_id": null_where(leader == NONE, ids.take(pa.array(np.maximum(leader, 0)))),
        "hired_on": arrays.days(force.hired),
        "left_on": arrays.days(np.minimum(force.left, np.iinfo(np.int32).max)),
    }
    taken = {name: column.take(pa.array(rep)) for name, column in columns.items()}
    taken["left_on"] = null_where(~has_left, taken["left_on"])
    return Rows(taken | {"updated_at": arrays.instants(at)}, at)


def quotas(force: Force, rows: Quotas) -> Rows:
    """Return ``bronze.quotas``, known on the first day of the quarter."""
    return Rows(
        {
            "rep_id": rep_ids(force).take(pa.array(rows.rep)),
            "quarter": arrays.days(rows.quarter),
            "quota_arr": money(rows.cents),
            "currency": pa.repeat(REPORTING_CURRENCY, len(rows.rep)),
        },
        rows.quarter * arrays.MICROSECONDS_PER_DAY + _OFFICE_OPENS,
    )
