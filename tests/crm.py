"""Received CRM records with the usual values filled in."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal


def at(text: str) -> datetime:
    """Return a moment of 2026 from ``month-day`` or ``month-day hour``."""
    day, _, hour = text.partition(" ")
    return datetime.fromisoformat(f"2026-{day}T{hour or '00'}:00:00")


def change(opportunity_id: str, changed: str, to_stage: str | None, arr: str = "1000", **others: object) -> dict:
    """Return a row of the stage history; ``changed`` is a moment of 2026 as ``month-day hour``."""
    usual = {
        "history_id": f"{opportunity_id} {changed}",
        "opportunity_id": opportunity_id,
        "to_stage": to_stage,
        "changed_at": at(changed),
        "arr": Decimal(arr),
        "currency": "USD",
        "expected_close_date": date(2026, 6, 30),
        "rep_id": "R1",
        "rep_probability": {"closed_won": 1.0, "closed_lost": 0.0}.get(str(to_stage), 0.5),
    }
    return usual | others


def opportunity(opportunity_id: str, stage: str, updated: str, **others: object) -> dict:
    """Return a version of an opportunity of 1,000 dollars that was opened on 2 March."""
    usual = {
        "opportunity_id": opportunity_id,
        "account_id": "A1",
        "owner_rep_id": "R1",
        "opportunity_type": "new_business",
        "stage": stage,
        "arr": Decimal(1000),
        "currency": "USD",
        "created_at": at("03-02 09"),
        "updated_at": at(updated),
    }
    return usual | others


def lead(lead_id: str, created: str, updated: str | None = None, **others: object) -> dict:
    """Return a version of a lead of a contact of its own that came from content; moments as ``month-day hour``."""
    usual = {
        "lead_id": lead_id,
        "account_id": "A1",
        "contact_id": f"contact of {lead_id}",
        "lead_source": "content",
        "created_at": at(created),
        "status": "new",
        "updated_at": at(updated or created),
    }
    return usual | others


def order(order_id: str, ordered: str, arr: str = "1200", **others: object) -> dict:
    """Return an order of 12 months from 1 February on, signed at a moment of 2026, of the opportunity of the same name."""
    usual = {
        "order_id": order_id,
        "account_id": "A1",
        "opportunity_id": order_id,
        "order_type": "new",
        "product_line": "platform",
        "ordered_at": at(ordered),
        "start_date": date(2026, 2, 1),
        "renewal_date": date(2027, 2, 1),
        "term_months": 12,
        "total_amount": Decimal(arr),
        "arr": Decimal(arr),
        "currency": "USD",
    }
    return usual | others
