"""Records as the source systems would send them: codes become words, cents become decimals."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from lakehouse.generator import arrays
from lakehouse.generator.billing import INVOICE_STATUSES, INVOICE_TYPES, PAYMENT_STATUSES
from lakehouse.generator.items import PLAN
from lakehouse.generator.lifecycle_parameters import DISCOUNT_DURATIONS
from lakehouse.generator.names import company_names, contacts
from lakehouse.generator.outbox import NONE, Columns
from lakehouse.generator.population import METHODS, currencies, zones
from lakehouse.generator.streams import Ints
from lakehouse.generator.world import STATUSES, World, reasons
from lakehouse.vocabulary import CHANGE_TYPES, CHANNELS, COMPANY_SIZES, PLAN_NAMES

Record = dict[str, pa.Array]

_MICROS_PER_CENT = 10_000  # amounts have six decimals


def plan_id(name: str) -> str:
    """Return the plan_id of a plan's name."""
    return f"plan_{name.lower()}"


def money(cents: Ints) -> pa.Array:
    """Return cents as decimal(18,6)."""
    return millionths(cents * _MICROS_PER_CENT)


def millionths(units: Ints) -> pa.Array:
    """Return whole millionths, not negative, as decimal(18,6)."""
    words = np.zeros((len(units), 2), dtype=np.int64)
    words[:, 0] = units
    return pa.Decimal128Array.from_buffers(pa.decimal128(18, 6), len(units), [None, pa.py_buffer(words)])


def customers(world: World, rows: Columns) -> Record:
    """Return ``bronze.customers``."""
    who, people, company = rows["customer"], world.people, world.company
    countries = list(company.countries)
    regions = [country.region for country in company.countries.values()]
    name, email = contacts(world.source, who, rows["contact"])
    return {
        "customer_id": _ids("C", who),
        "account_id": _ids("A", who),
        "company_name": company_names(world.source, who),
        "contact_name": name,
        "email": email,
        "country": arrays.labels(countries, people.country[who]),
        "region": arrays.labels(regions, people.country[who]),
        "industry": arrays.labels(list(company.industries), people.industry[who]),
        "employee_count": pa.array(people.employees[who], pa.int32()),
        "company_size": arrays.labels(COMPANY_SIZES, people.size[who]),
        "acquisition_channel": arrays.labels(CHANNELS, people.channel[who]),
        "signup_at": _moments(rows["signup_at"]),
        "trial_started_at": _moments(rows["trial_started_at"]),
        "trial_ended_at": _moments(rows["trial_ended_at"]),
        "currency": arrays.labels(currencies(company), people.currency[who]),
        "timezone": arrays.labels(zones(company), people.zone[who]),
        "updated_at": _moments(rows["known_at"]),
    }


def subscriptions(world: World, rows: Columns) -> Record:
    """Return ``bronze.subscriptions``."""
    who, slot, company = rows["customer"], rows["slot"], world.company
    kinds = ["plan", *({"monthly": "add_on"}.get(add_on.billing, add_on.billing) for add_on in company.add_ons)]
    is_yearly = rows["interval"] % 12 == 0
    return {
        "subscription_item_id": _ids("SI", who, rows["item"]),
        "subscription_id": _ids("S", who, rows["subscription"]),
        "customer_id": _ids("C", who),
        "item_type": arrays.labels(kinds, slot),
        "plan_id": arrays.labels([plan_id(name) for name in PLAN_NAMES], rows["plan"]),
        "add_on_id": _words([add_on.id for add_on in company.add_ons], np.where(slot == PLAN, NONE, slot - 1)),
        "change_type": arrays.labels(CHANGE_TYPES, rows["change"]),
        "billing_interval": arrays.labels(("month", "year"), is_yearly.astype(np.int64)),
        "interval_count": _integers(np.where(is_yearly, rows["interval"] // 12, rows["interval"])),
        "term_months": _integers(rows["term"]),
        "quantity": _integers(rows["quantity"]),
        "list_amount": money(rows["list_amount"]),
        "discount_amount": money(rows["discount"]),
        "discount_duration": _words(DISCOUNT_DURATIONS, rows["duration"]),
        "amount": money(rows["list_amount"] - rows["discount"]),
        "currency": arrays.labels(currencies(company), world.people.currency[who]),
        "status": arrays.labels(STATUSES, rows["status"]),
        "start_date": _days(rows["start"]),
        "end_date": _days(rows["end"]),
        "canceled_at": _moments(rows["canceled_at"]),
        "cancel_reason": _words(reasons(company), rows["reason"]),
        "opportunity_id": _ids("O", who, rows["opportunity"]),
        "updated_at": _moments(rows["known_at"]),
    }


def invoices(world: World, rows: Columns) -> Record:
    """Return ``bronze.invoices``."""
    who = rows["customer"]
    return {
        "invoice_id": _ids("I", who, rows["invoice"]),
        "customer_id": _ids("C", who),
        "subscription_id": _ids("S", who, rows["subscription"]),
        "order_id": _ids("OR", who, rows["order"]),
        "invoice_type": arrays.labels(INVOICE_TYPES, rows["kind"]),
        "issued_at": _moments(rows["issued_at"]),
        "due_at": _moments(rows["due_at"]),
        "period_start": _days(rows["period_start"]),
        "period_end": _days(rows["period_end"]),
        "subtotal": money(rows["subtotal"]),
        "tax": money(rows["tax"]),
        "total": money(rows["subtotal"] + rows["tax"]),
        "currency": arrays.labels(currencies(world.company), world.people.currency[who]),
        "status": arrays.labels(INVOICE_STATUSES, rows["status"]),
        "paid_at": _moments(rows["paid_at"]),
        "updated_at": _moments(rows["known_at"]),
    }


def payments(world: World, rows: Columns) -> Record:
    """Return ``bronze.payments``."""
    who = rows["customer"]
    failure_reasons = list(world.company.payments.failure_reasons)
    return {
        "payment_id": _ids("P", who, rows["payment"]),
        "invoice_id": _ids("I", who, rows["invoice"]),
        "customer_id": _ids("C", who),
        "attempted_at": _moments(rows["known_at"]),
        "amount": money(rows["amount"]),
        "currency": arrays.labels(currencies(world.company), world.people.currency[who]),
        "method": arrays.labels(METHODS, rows["method"]),
        "status": arrays.labels(PAYMENT_STATUSES, rows["status"]),
        "attempt": _integers(rows["attempt"]),
        "failure_reason": _words(failure_reasons, rows["reason"]),
    }


# The tables of the life of a customer, each from the outbox's columns.
BY_TABLE: dict[str, Callable[[World, Columns], Record]] = {
    "customers": customers,
    "subscriptions": subscriptions,
    "invoices": invoices,
    "payments": payments,
}


def _ids(prefix: str, customer: Ints, number: Ints | None = None) -> pa.Array:
    if number is None:
        return arrays.numbered_ids(prefix, (customer, 7))
    return null_where(number == NONE, arrays.numbered_ids(prefix, (customer, 7), "-", (np.maximum(number, 0), 4)))


def _words(values: Sequence[str], index: Ints) -> pa.Array:
    return null_where(index == NONE, arrays.labels(values, np.maximum(index, 0)))


def _integers(values: Ints) -> pa.Array:
    return pa.array(values.astype(np.int32), pa.int32(), mask=values == NONE)


def _days(numbers: Ints) -> pa.Array:
    return null_where(numbers == NONE, arrays.days(numbers))


def _moments(microseconds: Ints) -> pa.Array:
    return arrays.instants(microseconds, microseconds == NONE)


def null_where(missing: NDArray[np.bool_], values: pa.Array) -> pa.Array:
    """Return the values, null where ``missing``."""
    return pc.if_else(pa.array(missing), None, values)
