"""A small company that uses the product: its customers' states are a function of customer and month alone."""

from __future__ import annotations

from calendar import monthrange
from collections import defaultdict
from datetime import date
from functools import cache
from importlib import import_module
from pathlib import Path

import numpy as np
import pyarrow as pa
import yaml

from lakehouse.generator.product_parameters import Product
from lakehouse.generator.roster import Roster
from lakehouse.generator.state import MonthState
from lakehouse.generator.support import month_tickets
from lakehouse.generator.surveys import month_surveys
from lakehouse.generator.usage import month_events
from lakehouse.generator.users import ProductState, month_users

SEED = 7
CUSTOMERS, MONTHS = 60, 5
FIRST_MONTH = date(2025, 10, 1)

KEYS = {
    "users": ("user_id", "updated_at"),
    "events": ("event_id",),
    "tickets": ("ticket_id", "updated_at"),
    "answers": ("response_id",),
}

_COMPANY = yaml.safe_load((Path(__file__).resolve().parents[1] / "conf/company.yml").read_text())
PARAMETERS = Product.model_validate({name: _COMPANY[name] for name in Product.model_fields})


def schema(name: str) -> pa.Schema:
    """Return the received columns of a bronze table."""
    fields = import_module(f"jobs.bronze.{name}").table.arrow_schema
    return pa.schema([field for field in fields if not field.name.startswith("_")])


USERS, EVENTS, TICKETS = schema("users"), schema("usage_events"), schema("support_interactions")
ANSWERS, TRAFFIC = schema("nps_responses"), schema("web_traffic")


def month_of(number: int) -> date:
    """Return the first day of the month with this number."""
    year, month = divmod(FIRST_MONTH.month - 1 + number, 12)
    return date(FIRST_MONTH.year + year, month + 1, 1)


def state_of(number: int, customer: np.ndarray, **values: object) -> MonthState:
    """Return ordinary customers in the month with this number; ``values`` are the same for all of them."""
    month = month_of(number)
    usual: dict[str, object] = {
        "first_day": 1,
        "last_day": monthrange(month.year, month.month)[1],
        "tenure_months": number,
        "seats": 20,
        "plan_rank": 3,
        "segment": 0,
        "engagement": 1.0,
        "satisfaction": 0.0,
        "incident": 1.0,
        "utc_offset_hours": 0.0,
        "is_trial": False,
    }
    return MonthState(
        month=month,
        customer=customer,
        **{name: np.broadcast_to(value, customer.shape).copy() for name, value in (usual | values).items()},
    )


def varied(number: int, customer: np.ndarray) -> MonthState:
    """Return customers of all sizes: one in three begins a month later, one in seven pauses in the third month."""
    customer = customer[(number > 0) | (customer % 3 > 0)]
    customer = customer[(number != 2) | (customer % 7 > 0)]
    return state_of(
        number,
        customer,
        first_day=np.where((customer % 3 == 0) & (number == 1), 1 + customer % 25, 1),
        tenure_months=number - (customer % 3 == 0),
        seats=np.maximum(1, customer * (6 - number) // 4),
        plan_rank=1 + customer % 4,
        satisfaction=np.sin(customer + number),
        engagement=1 + 0.5 * np.cos(customer),
        utc_offset_hours=(customer % 20 - 8).astype(float),
        is_trial=(customer % 5 == 0) & (number == 0),
    )


@cache
def lived(blocks: int, batch_rows: int = 250_000) -> dict[str, pa.Table]:
    """Return the rows of all tables after all months, made in so many blocks of customers, sorted by key."""
    tables: dict[str, list[pa.Table]] = defaultdict(list)
    for customer in np.array_split(np.arange(CUSTOMERS), blocks):
        state = ProductState.empty()
        for number in range(MONTHS):
            month = varied(number, customer)
            users, roster, state = month_users(PARAMETERS, SEED, month, state, schema=USERS)
            tickets, state = month_tickets(PARAMETERS, SEED, roster, state, schema=TICKETS)
            tables["users"].append(users)
            tables["tickets"].append(tickets)
            tables["answers"].append(month_surveys(PARAMETERS, SEED, roster, schema=ANSWERS))
            tables["events"].append(events_of(roster, batch_rows))
    return {
        name: pa.concat_tables(parts).sort_by([(key, "ascending") for key in KEYS[name]])
        for name, parts in tables.items()
    }


def events_of(roster: Roster, batch_rows: int = 250_000) -> pa.Table:
    """Return the events of a roster's month."""
    batches = month_events(PARAMETERS, SEED, roster, schema=EVENTS, batch_rows=batch_rows)
    return pa.Table.from_batches(batches, schema=EVENTS)


def rosters(months: int, customer: np.ndarray, **values: object) -> list[tuple[pa.Table, Roster]]:
    """Return the versions of users and the roster of each month of ordinary customers."""
    state, result = ProductState.empty(), []
    for number in range(months):
        users, roster, state = month_users(PARAMETERS, SEED, state_of(number, customer, **values), state, schema=USERS)
        result.append((users, roster))
    return result
