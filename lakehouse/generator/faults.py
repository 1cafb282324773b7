"""What can be wrong with a record: each fault makes a soiled copy of a sound row.

A copy that differs under the same key always has the smaller content, and of two rows of one version the jobs keep the
one with the greater content: so duplicates and rejected rows leave every clean result as it is. Orphans and events with
a skewed clock have keys of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lakehouse.generator import arrays

Change = Callable[[pa.Table], pa.Array | pa.ChunkedArray]

EVENTS = "bronze.usage_events"

# First characters of ids: of what nobody knows, and of rows that only dirt adds.
_UNKNOWN, _ADDED = "X", "Y"
_UNKNOWN_CURRENCY = "XTS"  # ISO 4217 keeps it for tests
_HOUR = 3600 * arrays.MICROSECONDS_PER_SECOND
_SKEWED_DAYS = 28

# What tells the rows of each table apart: an id of constant length, and the moment of the version.
KEYS: dict[str, tuple[str, ...]] = {
    "bronze.customers": ("customer_id", "updated_at"),
    "bronze.subscriptions": ("subscription_item_id", "updated_at"),
    "bronze.invoices": ("invoice_id", "updated_at"),
    "bronze.payments": ("payment_id",),
    "bronze.support_interactions": ("ticket_id", "updated_at"),
    "bronze.nps_responses": ("response_id",),
    "bronze.users": ("user_id", "updated_at"),
    "bronze.marketing_spend": ("spend_id",),
    "bronze.expenses": ("expense_id",),
    "bronze.exchange_rates": ("currency", "rate_date"),
    EVENTS: ("event_id",),
}


@dataclass(frozen=True)
class Fault:
    """A kind of dirt in a table: a copy of the row in which ``changes`` give the values of some columns anew."""

    kind: str
    table: str
    changes: Mapping[str, Change] = field(default_factory=dict)

    @property
    def columns(self) -> str:
        """The columns that are changed."""
        return ", ".join(self.changes)

    def soiled(self, rows: pa.Table) -> pa.Table:
        """Return the copies."""
        columns = {name: rows[name] for name in rows.column_names}
        return pa.table(columns | {name: change(rows) for name, change in self.changes.items()}).cast(rows.schema)


def faults(start_day: int) -> list[Fault]:
    """Return every fault in a fixed order; ``start_day`` is the company's first, in days since 1970."""
    return [
        *(Fault("exact_duplicate", table) for table in KEYS),
        *(Fault("changed_duplicate", table, changes) for table, changes in _CHANGED.items()),
        *(_nulls("missing_field", table, column) for table, columns in _REQUIRED.items() for column in columns),
        *(_nulls("broken_value", table, *columns) for table, columns in _UNREADABLE.items()),
        Fault("broken_value", "bronze.payments", {"status": _constant("settled")}),
        *(
            Fault("orphan", table, {KEYS[table][0]: _added(table), column: _unknown(column)})
            for table, column in _ORPHANED.items()
        ),
        *(Fault("clock_skew", "bronze.support_interactions", changes) for changes in _TICKET_SKEWS),
        Fault("clock_skew", EVENTS, {"event_id": _added(EVENTS), **_before(start_day)}),
        *(Fault("unknown_currency", table, {"currency": _constant(_UNKNOWN_CURRENCY)}) for table in _AMOUNTS),
        *(Fault("negative_amount", table, {amount: _negative(amount)}) for table, amount in _AMOUNTS.items()),
        Fault("end_before_start", "bronze.subscriptions", {"end_date": _week_before("start_date")}),
        Fault("unknown_interval", "bronze.subscriptions", {"billing_interval": _constant("fortnight")}),
    ]


def _nulls(kind: str, table: str, *columns: str) -> Fault:
    return Fault(kind, table, {column: _null(column) for column in columns})


def _null(column: str) -> Change:
    return lambda rows: pa.nulls(len(rows), rows.schema.field(column).type)


def _constant(value: str) -> Change:
    return lambda rows: pa.repeat(value, len(rows))


def _unknown(column: str) -> Change:
    return lambda rows: pc.binary_replace_slice(rows[column], 0, 1, _UNKNOWN)


def _added(table: str) -> Change:
    return lambda rows: pc.binary_replace_slice(rows[KEYS[table][0]], 0, 1, _ADDED)


def _less(column: str, units: int) -> Change:
    return lambda rows: pc.subtract(rows[column], pa.scalar(units, pa.int32()))


def _cent_less(column: str) -> Change:
    return lambda rows: pc.subtract(rows[column], Decimal("0.01"))


def _negative(column: str) -> Change:
    # Also where the amount is nothing.
    return lambda rows: pc.subtract(pc.negate(rows[column]), Decimal(1))


def _hour_before(column: str) -> Change:
    return lambda rows: arrays.instants(_microseconds(rows, column) - _HOUR)


def _week_before(column: str) -> Change:
    return lambda rows: arrays.days(_days(rows, column) - 7)


def _before(start_day: int) -> dict[str, Change]:
    """Return the columns of an event whose clock stood in the four weeks before the company began."""

    def days_back(rows: pa.Table) -> np.ndarray:
        day = _days(rows, "event_date")
        return np.asarray(day - start_day + 1 + day % _SKEWED_DAYS)

    def skewed_day(rows: pa.Table) -> pa.Array:
        return arrays.days(_days(rows, "event_date") - days_back(rows))

    return {
        "occurred_at": lambda rows: arrays.instants(
            _microseconds(rows, "occurred_at") - days_back(rows) * arrays.MICROSECONDS_PER_DAY
        ),
        "event_date": skewed_day,
        "event_month": lambda rows: pc.floor_temporal(skewed_day(rows), unit="month"),
    }


def _microseconds(rows: pa.Table, column: str) -> np.ndarray:
    return np.asarray(rows[column].cast(pa.int64()))


def _days(rows: pa.Table, column: str) -> np.ndarray:
    return np.asarray(rows[column].cast(pa.int32())).astype(np.int64)


_CHANGED: dict[str, dict[str, Change]] = {
    "bronze.customers": {"signup_at": _hour_before("signup_at")},
    "bronze.subscriptions": {"quantity": _less("quantity", 1)},
    "bronze.invoices": {"due_at": _hour_before("due_at")},
    "bronze.payments": {"attempted_at": _hour_before("attempted_at")},
    "bronze.support_interactions": {"agent_replies": _less("agent_replies", 1)},
    "bronze.nps_responses": {"responded_at": _hour_before("responded_at")},
    "bronze.users": {"created_at": _hour_before("created_at")},
    "bronze.marketing_spend": {"amount": _cent_less("amount")},
    "bronze.expenses": {"amount": _cent_less("amount")},
    "bronze.exchange_rates": {"rate": _cent_less("rate")},
    EVENTS: {"occurred_at": _hour_before("occurred_at")},
}

_REQUIRED: dict[str, tuple[str, ...]] = {
    "bronze.customers": ("customer_id",),
    "bronze.subscriptions": ("customer_id", "start_date", "currency"),
    "bronze.invoices": ("customer_id", "currency"),
    "bronze.payments": ("customer_id", "currency"),
    "bronze.support_interactions": ("customer_id",),
    "bronze.nps_responses": ("customer_id",),
    "bronze.users": ("customer_id",),
    "bronze.marketing_spend": ("channel", "currency"),
    "bronze.expenses": ("department", "currency"),
    "bronze.exchange_rates": ("currency",),
    EVENTS: ("customer_id", "user_id"),
}

# What was sent in place of a number or a moment cannot be read as one and is null.
_UNREADABLE: dict[str, tuple[str, ...]] = {
    "bronze.customers": ("updated_at",),
    "bronze.subscriptions": ("amount",),
    "bronze.invoices": ("total",),
    "bronze.payments": ("amount",),
    "bronze.support_interactions": ("opened_at",),
    "bronze.nps_responses": ("score",),
    "bronze.users": ("updated_at",),
    "bronze.marketing_spend": ("amount",),
    "bronze.expenses": ("amount",),
    "bronze.exchange_rates": ("rate",),
    EVENTS: ("occurred_at", "event_date", "event_month"),
}

# What points to nobody.
_ORPHANED = {
    "bronze.subscriptions": "customer_id",
    "bronze.invoices": "customer_id",
    "bronze.payments": "invoice_id",
    "bronze.support_interactions": "customer_id",
    "bronze.nps_responses": "customer_id",
    EVENTS: "customer_id",
}

_TICKET_SKEWS: tuple[dict[str, Change], ...] = (
    {"first_responded_at": _hour_before("opened_at")},
    {"resolved_at": _hour_before("opened_at")},
)

_AMOUNTS = {
    "bronze.subscriptions": "amount",
    "bronze.invoices": "total",
    "bronze.payments": "amount",
    "bronze.marketing_spend": "amount",
    "bronze.expenses": "amount",
}
