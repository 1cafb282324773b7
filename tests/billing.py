"""Received billing records with the usual values filled in, and computed tables held against their declarations."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

from pyspark.sql import DataFrame, Row
from pyspark.sql import functions as F

from lakehouse.table import Table

AS_OF = date(2026, 6, 30)

# Rates change on the last day of February and of April.
EXCHANGE_RATES = (
    {"currency": "EUR", "rate_date": date(2025, 12, 31), "rate": Decimal("1.10")},
    {"currency": "EUR", "rate_date": date(2026, 2, 28), "rate": Decimal("1.20")},
    {"currency": "EUR", "rate_date": date(2026, 4, 30), "rate": Decimal("1.00")},
    {"currency": "GBP", "rate_date": date(2025, 12, 31), "rate": Decimal("1.35")},
)


def day(text: str) -> date:
    """Return a day of 2026 from ``month-day``."""
    return date.fromisoformat(f"2026-{text}")


def terms(customer_id: str, start: str, end: str | None = None, amount: str = "100", **others: object) -> dict:
    """Return a received period of active monthly terms of a plan, with days of 2026 as ``month-day``."""
    usual = {
        "subscription_item_id": f"{customer_id} {start} {amount}",
        "customer_id": customer_id,
        "item_type": "plan",
        "plan_id": "starter",
        "billing_interval": "month",
        "interval_count": 1,
        "quantity": 1,
        "amount": Decimal(amount),
        "currency": "USD",
        "status": "active",
        "start_date": day(start),
        "end_date": end and day(end),
        "updated_at": datetime(2026, 1, 1),
    }
    return usual | others


def audited(frame: DataFrame, table: Table) -> list[Row]:
    """Return the rows of a computed table after proving on them what its declaration says."""
    checks = [F.expr(check.expression).alias(f"check: {check.name}") for check in table.checks]
    rows = frame.select("*", *checks).collect()
    for row in rows:
        assert all(row[f"check: {check.name}"] for check in table.checks), row
        for column in table.columns:
            value = row[column.name]
            assert column.nullable or value is not None, (column.name, row)
            assert value is None or not column.values or value in column.values, (column.name, row)
            assert value is None or column.minimum is None or value >= column.minimum, (column.name, row)
    keys = [tuple(row[name] for name in table.key) for row in rows]
    assert len(keys) == len(set(keys))
    return rows
