"""What stands behind a number's customers or other contributors: their movements, the clean rows of the time, and the received rows of each."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from lakehouse.explain.parts import COUNTED, Explanation
from lakehouse.explain.periods import close, last_complete, months_later
from lakehouse.explain.sources import FOLDER
from lakehouse.explain.sql import Database
from lakehouse.policies import Policy
from lakehouse.registry import job

Row = dict[str, Any]
ByContributor = Mapping[str, list[Row]]

# The received table of each kind of record, and the column that names the record there.
RECEIVED = {
    "subscriptions": ("bronze.subscriptions", "subscription_item_id"),
    "payments": ("bronze.payments", "payment_id"),
    "invoices": ("bronze.invoices", "invoice_id"),
    "tickets": ("bronze.support_interactions", "ticket_id"),
    "nps_responses": ("bronze.nps_responses", "response_id"),
    "orders": ("bronze.billing_orders", "order_id"),
    "opportunities": ("bronze.opportunities", "opportunity_id"),
    "opportunity_states": ("bronze.opportunity_stage_history", "history_id"),
    "leads": ("bronze.leads", "lead_id"),
    "spending": ("bronze.marketing_spend", "spend_id"),
}

# The clean table of each kind.
TABLES = {kind: f"silver.{kind}" for kind in RECEIVED} | {
    "orders": "silver.billing_orders",
    "spending": "bronze.marketing_spend",
}

CENT = Decimal("0.01")


@dataclass(frozen=True)
class Evidence:
    """Movements and records by contributor; each record has ``received``, its rows in bronze with what became of them.

    ``unlike`` are the customers whose subscription rows do not come to their MRR at an end of the period.
    """

    movements: ByContributor
    records: ByContributor
    unlike: tuple[str, ...] = ()


def evidence(explanation: Explanation, published: Database, policy: Policy) -> Evidence:
    """Return what stands behind the contributors of an explanation; nothing where its source has no records."""
    source = explanation.figure.source
    if source.records is None:
        return Evidence({}, {})
    contributors = {one.contributor for one in explanation.contributors}
    if source.records == "subscriptions":
        return _terms(explanation, published, policy, contributors)
    rows = {row["record_id"]: row for row in published.rows(_query(source.records))}
    counted = published.rows(
        f"SELECT DISTINCT {source.contributor} AS contributor, record_id FROM {COUNTED} WHERE is_counted ORDER BY ALL"  # noqa: S608 - names of ours
    )
    owners: dict[str, list[str]] = defaultdict(list)
    for one in counted:
        owners[one["record_id"]].append(one["contributor"])
    records: dict[str, list[Row]] = {name: [] for name in contributors}
    for record_id, row in rows.items():
        for owner in owners[record_id]:
            records[owner].append(row)
    _add_received(source.records, records, published)
    return Evidence({}, records)


def _terms(explanation: Explanation, published: Database, policy: Policy, customers: set[str]) -> Evidence:
    source = explanation.figure.source
    period = explanation.address.period or last_complete("month", published.manifest.as_of)
    to_month = period.last_month
    before = months_later(to_month, -12) if source.looks_back_months else months_later(period.start, -1)
    from_day, to_day = close(before), min(close(to_month), published.manifest.as_of)
    days = {"from_day": from_day, "to_day": to_day}
    is_at_old_rates = source.looks_back_months == 12
    currency = published.rows(f"SELECT any_value(currency) AS name FROM {source.table}")[0]["name"]  # noqa: S608 - names of ours
    rated = {**days, "rated_on": from_day if is_at_old_rates else to_day, "currency": currency}
    records = _of(customers, published.rows(_query("subscriptions"), rated))
    months = published.rows(_query("movements"), {"from_month": from_day.replace(day=1), "to_month": to_month})
    ledger = _of(customers, months)
    _add_received("subscriptions", records, published)
    closing = "closing_mrr_at_year_ago_rates" if is_at_old_rates else "closing_mrr"
    ends = (("mrr_at_start", from_day.replace(day=1), "closing_mrr"), ("mrr_at_end", to_month, closing))
    unlike = [
        customer
        for customer in sorted(customers)
        if any(_held(records[customer], end) != _booked(ledger[customer], month, column) for end, month, column in ends)
    ]
    movements = {
        customer: [row for row in rows if row["month"] > from_day and (row["movement"] != "none" or row["fx_mrr"])]
        for customer, rows in ledger.items()
    }
    return Evidence(movements, records, tuple(unlike) if _is_made_of_rows(policy) else ())


def _is_made_of_rows(policy: Policy) -> bool:
    """Say whether MRR on a day is just the terms of silver.subscriptions that bear revenue on it, at the day's rate."""
    return (
        policy.counts_finite_discounts
        and policy.churn_dated == "period_end"
        and policy.late_renewal_days == 0
        and policy.converted_at == "month_end"
    )


def _held(records: Iterable[Row], end: str) -> Decimal:
    return sum((row[end] for row in records if row[end] is not None), Decimal(0)).quantize(CENT, ROUND_HALF_UP)


def _booked(ledger: Iterable[Row], month: date, column: str) -> Decimal:
    return next((Decimal(row[column]) for row in ledger if row["month"] == month), Decimal(0))


def _add_received(kind: str, records: ByContributor, published: Database) -> None:
    """Put beside each record the rows that were received under its id: kept, superseded or rejected.

    Kept is the newest sound version, as :func:`lakehouse.cleaning.kept` finds it, and every exact copy of it.
    """
    name, key = RECEIVED[kind]
    table = job(name).table
    content = [column for column in table.column_names if not column.startswith("_") and column not in table.key]
    newest = ", ".join(f"received.{column} DESC NULLS LAST" for column in filter(None, (table.version_by, *content)))
    received = published.rows(
        f"""
        SELECT
            {key} AS record_id, received._source, received._batch_id, received._row,
            CASE
                WHEN rejected._row IS NOT NULL THEN 'rejected'
                WHEN rank() OVER (PARTITION BY {key}, rejected._row IS NULL ORDER BY {newest}) = 1 THEN 'kept'
                ELSE 'superseded'
            END AS outcome
        FROM {name} AS received
        LEFT JOIN silver.quarantine AS rejected ON rejected.table_name = '{name}'
            AND rejected._source = received._source AND rejected._batch_id = received._batch_id
            AND rejected._row = received._row
        WHERE {key} IN (SELECT unnest($ids))
        ORDER BY ALL
        """,  # noqa: S608 - names of ours
        {"ids": [row["record_id"] for rows in records.values() for row in rows]},
    )
    by_record = defaultdict(list)
    for row in received:
        by_record[row.pop("record_id")].append({"table": name, **row})
    for rows in records.values():
        for row in rows:
            row["received"] = by_record[row["record_id"]]


def _of(customers: set[str], rows: Iterable[Row]) -> ByContributor:
    grouped: dict[str, list[Row]] = {customer: [] for customer in customers}
    for row in rows:
        if row["customer_id"] in customers:
            grouped[row.pop("customer_id")].append(row)
    return grouped


def _query(name: str) -> str:
    return (FOLDER / "records" / f"{name}.sql").read_text(encoding="utf-8")
