"""The ids of the CRM: those of customers are the ones that billing carries."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lakehouse.generator import arrays
from lakehouse.generator.crm.deals import Deals
from lakehouse.generator.crm.force import Force
from lakehouse.generator.crm.market import PROSPECTS
from lakehouse.generator.outbox import NONE
from lakehouse.generator.streams import Ints

_PROSPECT_DIGITS = 8  # there are some thirty for each customer


def account_ids(account: Ints) -> pa.Array:
    """Return the account_id of each account, null for NONE: customers have theirs from billing, prospects a P."""
    number = account % PROSPECTS
    of_customer, of_prospect = (
        arrays.numbered_ids("A", (number, 7)),
        arrays.numbered_ids("P", (number, _PROSPECT_DIGITS)),
    )
    ids = pc.if_else(pa.array(account < PROSPECTS), of_customer, of_prospect)
    return pc.if_else(pa.array(account == NONE), None, ids)


def contact_ids(account: Ints, number: Ints) -> pa.Array:
    """Return the contact_id of each person of an account."""
    return pc.binary_join_element_wise("K", account_ids(account), arrays.numbered_ids("-", (number, 3)), "")


def opportunity_ids(deals: Deals) -> pa.Array:
    """Return the opportunity_id of each: with customers as subscriptions name it, with prospects a Q."""
    is_customer = deals.account < PROSPECTS
    of_customer = arrays.numbered_ids("O", (deals.account % PROSPECTS, 7), "-", (deals.number, 4))
    of_prospect = arrays.numbered_ids("Q", (deals.key % PROSPECTS, _PROSPECT_DIGITS), "-", (np.ones_like(deals.key), 4))
    return pc.if_else(pa.array(is_customer), of_customer, of_prospect)


def order_ids(customer: Ints, number: Ints) -> pa.Array:
    """Return the order_id of each order, as invoices name it."""
    return arrays.numbered_ids("OR", (customer, 7), "-", (number, 4))


def lead_ids(lead: Ints) -> pa.Array:
    """Return the lead_id of each lead by its place, null for NONE."""
    return pc.if_else(pa.array(lead == NONE), None, arrays.numbered_ids("L", (np.maximum(lead, 0), 8)))


def rep_ids(force: Force) -> pa.Array:
    """Return the rep_id of each rep: team, post and the place among those who held it."""
    return arrays.numbered_ids("R", (force.team + 1, 1), (force.post + 1, 5), "-", (force.generation + 1, 1))
