"""silver.payments: what came in, with and without tax, and what a retry recovered."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

import pytest

from jobs.bronze.exchange_rates import table as received_rates
from jobs.bronze.payments import table as received
from jobs.silver.invoices import table as invoices
from jobs.silver.payments import table, transform
from tests.billing import AS_OF, EXCHANGE_RATES, audited, day


def payment(payment_id: str, amount: str = "119", invoice_id: str | None = "taxed", **others: object) -> dict:
    usual = {
        "payment_id": payment_id,
        "invoice_id": invoice_id,
        "customer_id": "c",
        "attempted_at": datetime(2026, 3, 10),
        "amount": Decimal(amount),
        "currency": "USD",
        "status": "succeeded",
        "attempt": 1,
    }
    return usual | others


@pytest.fixture(scope="module")
def payments(rows):
    """Rows by payment; every test reads its own from one job."""
    clean = transform(
        payments=rows(
            received,
            payment("first"),
            payment("retry_failed", status="failed", attempt=2),
            payment("retry", attempt=2),
            payment("refund", "59.5", status="refunded"),
            payment("third", "10", "thirds"),
            payment("nothing", "0", "nothing_due"),
            payment("unknown_invoice", invoice_id="lost"),
            payment("no_invoice", invoice_id=None, attempt=None),
            payment("euro", currency="EUR"),
            payment("franc", currency="CHF"),
            payment("future", attempted_at=datetime(2026, 7, 1)),
            payment("last_minute", attempted_at=datetime(2026, 6, 30, 23, 59)),
        ),
        invoices=rows(
            invoices,
            {"invoice_id": "taxed", "subtotal": Decimal(100), "total": Decimal(119)},
            {"invoice_id": "thirds", "subtotal": Decimal(2), "total": Decimal(3)},
            {"invoice_id": "nothing_due", "subtotal": Decimal(0), "total": Decimal(0)},
        ),
        exchange_rates=rows(received_rates, *EXCHANGE_RATES),
        as_of=AS_OF,
        reporting_currency="USD",
    )
    return {row.payment_id: row for row in audited(clean, table)}


def test_tax_is_taken_off_in_the_proportion_of_the_invoice(payments):
    net = {name: row.amount_net_of_tax_reporting for name, row in payments.items()}
    assert (net["first"], net["refund"]) == (100, 50)
    assert net["third"] == Decimal("6.666667")  # 10 x 2 / 3
    assert net["euro"] == 120  # 119 x 1.20 x 100 / 119


def test_without_a_known_invoice_or_total_the_whole_amount_counts(payments):
    net = {name: row.amount_net_of_tax_reporting for name, row in payments.items()}
    assert (net["unknown_invoice"], net["no_invoice"], net["nothing"]) == (119, 119, 0)


def test_only_a_success_after_the_first_attempt_is_a_recovery(payments):
    assert {name for name, row in payments.items() if row.is_recovered} == {"retry"}
    assert {name for name, row in payments.items() if not row.is_succeeded} == {"retry_failed", "refund"}


def test_the_as_of_day_counts_and_what_follows_does_not(payments):
    assert payments["last_minute"].payment_month == day("06-01")
    assert payments.keys().isdisjoint({"future", "franc"})
