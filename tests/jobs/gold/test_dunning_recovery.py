"""gold.dunning_recovery: what each retry brings."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

import pytest

from jobs.gold.dunning_recovery import table, transform
from jobs.silver.payments import table as payments
from tests.billing import AS_OF, audited


def attempt(invoice_id, day, amount, method="card", status="failed"):
    return {
        "payment_id": f"{invoice_id} {day}",
        "invoice_id": invoice_id,
        "attempted_at": datetime.fromisoformat(f"2026-{day}T00:30"),
        "amount_reporting": Decimal(amount),
        "method": method,
        "status": status,
        "is_succeeded": status == "succeeded",
    }


@pytest.fixture(scope="module")
def recovery(rows):
    """Four cards fail in March; two are recovered, one at the second retry. June's failure is too young."""
    found = transform(
        payments=rows(
            payments,
            attempt("first retry", "03-01", "60.00"),
            attempt("first retry", "03-04", "60.00", status="succeeded"),
            attempt("second retry", "03-01", "20.00"),
            attempt("second retry", "03-04", "20.00"),
            attempt("second retry", "03-06", "20.00", "ach", "succeeded"),
            attempt("second retry", "03-09", "5.00", status="refunded"),
            attempt("lost", "03-01", "100.00"),
            attempt("lost", "03-04", "100.00"),
            attempt("given up at once", "05-31", "20.00"),  # 30 days before the as-of day
            attempt("paid", "03-01", "50.00", status="succeeded"),
            attempt("paid twice", "03-01", "50.00", status="succeeded"),
            attempt("paid twice", "03-02", "50.00", status="succeeded"),
            attempt("wired", "03-01", "500.00", None, "succeeded"),
            attempt("young", "06-01", "10.00"),
            attempt(None, "03-01", "10.00"),
        ),
        as_of=AS_OF,
        min_observations=5,
        reporting_currency="USD",
    )
    return {(row.method, row.attempt): row for row in audited(found, table)}


def test_attempts_are_counted_until_one_succeeds_under_the_method_of_the_first(recovery):
    found = {key: (row.attempts, row.succeeded, row.amount) for key, row in recovery.items()}
    assert found == {
        ("card", 1): (6, 2, 100),
        ("card", 2): (3, 1, 60),
        ("card", 3): (1, 1, 20),
        ("unknown", 1): (1, 1, 500),
        ("all", 1): (7, 3, 600),
        ("all", 2): (3, 1, 60),
        ("all", 3): (1, 1, 20),
    }


def test_recovery_accumulates_over_the_invoices_that_failed_first(recovery):
    shares = [recovery["card", number].recovery_rate for number in (1, 2, 3)]
    assert shares == [0, 0.25, 0.5]  # of four
    third = recovery["card", 3]
    assert (third.failed_amount, third.recovered_amount, third.recovery_rate_by_amount) == (200, 80, 0.4)
    assert third.is_small
    # Wilson's interval of 2 of 4.
    assert (third.recovery_rate_low, third.recovery_rate_high) == pytest.approx((0.15004, 0.84996), abs=1e-5)


def test_without_a_failure_there_is_nothing_to_recover(recovery):
    wired = recovery["unknown", 1]
    assert (wired.failed_invoices, wired.recovery_rate, wired.recovery_rate_low) == (0, None, None)
    assert wired.success_rate == 1
