"""silver.invoices: what is paid and how late it is as of 30 June 2026."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

import pytest

from jobs.bronze.exchange_rates import table as received_rates
from jobs.bronze.invoices import table as received
from jobs.silver.invoices import table, transform
from tests.billing import AS_OF, EXCHANGE_RATES, audited, day


def invoice(invoice_id: str, status: str, due: str | None, paid: str | None = None, **others: object) -> dict:
    usual = {
        "invoice_id": invoice_id,
        "customer_id": "c",
        "issued_at": datetime(2026, 3, 10, 23, 59),
        "due_at": due and datetime.fromisoformat(f"2026-{due}T00:00"),
        "subtotal": Decimal(100),
        "tax": Decimal(19),
        "total": Decimal(119),
        "currency": "USD",
        "status": status,
        "paid_at": paid and datetime.fromisoformat(f"2026-{paid}T12:00"),
        "updated_at": datetime(2026, 3, 10),
    }
    return usual | others


@pytest.fixture(scope="module")
def invoices(rows):
    """Rows by invoice; every test reads its own from one job."""
    clean = transform(
        invoices=rows(
            received,
            invoice("in_time", "paid", "04-09", "04-01"),
            invoice("late", "paid", "04-09", "04-19"),
            invoice("open", "open", "06-20"),
            invoice("not_due", "open", "07-01"),
            invoice("no_due_day", "open", None),
            invoice("written_off", "uncollectible", "04-01"),
            invoice("credit", "open", "04-01", invoice_type="credit_note"),
            invoice("paid_later", "paid", "06-20", "07-05"),
            invoice("euro", "open", "04-09", currency="EUR"),
            invoice("franc", "open", "04-09", currency="CHF"),
            invoice("negative", "open", "04-09", total=Decimal(-1)),
            invoice("future", "open", "08-01", issued_at=datetime(2026, 7, 1)),
            invoice("revised", "open", "04-09"),
            invoice("revised", "paid", "04-09", "04-10", updated_at=datetime(2026, 4, 10)),
            invoice("void", "void", "04-01", updated_at=datetime(2026, 3, 20)),
            invoice("void", "void", "04-01", updated_at=datetime(2026, 5, 1)),
            invoice("void", "open", "04-01", updated_at=datetime(2026, 3, 12)),
        ),
        exchange_rates=rows(received_rates, *EXCHANGE_RATES),
        as_of=AS_OF,
        reporting_currency="USD",
    )
    return {row.invoice_id: row for row in audited(clean, table)}


def test_days_late_run_from_due_to_paid_or_to_the_as_of_day(invoices):
    assert {name: row.days_late for name, row in invoices.items()} == {
        "in_time": 0,
        "late": 10,
        "open": 10,
        "not_due": None,
        "no_due_day": None,
        "written_off": 90,  # 1 April to 30 June
        "void": None,
        "credit": None,
        "paid_later": 10,
        "euro": 82,
        "revised": 1,
    }


def test_what_is_paid_after_the_as_of_day_is_not_paid_yet(invoices):
    assert {name for name, row in invoices.items() if row.is_paid} == {"in_time", "late", "revised"}


def test_amounts_are_converted_at_the_day_of_issue(invoices):
    euro = invoices["euro"]
    assert (euro.subtotal_reporting, euro.tax_reporting, euro.total_reporting) == (
        120,
        Decimal("22.8"),
        Decimal("142.8"),
    )
    assert (euro.invoice_month, euro.invoice_type) == (day("03-01"), "invoice")


def test_an_invoice_is_closed_when_it_is_paid_or_else_by_the_first_version_that_says_so(invoices):
    assert {name: row.closed_at for name, row in invoices.items() if row.closed_at} == {
        "in_time": datetime(2026, 4, 1, 12),
        "late": datetime(2026, 4, 19, 12),
        "paid_later": datetime(2026, 7, 5, 12),
        "revised": datetime(2026, 4, 10, 12),
        "void": datetime(2026, 3, 20),
        "written_off": datetime(2026, 3, 10),
    }
