"""gold.payment_summary: what each way of paying brought."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from jobs.gold.payment_summary import transform
from jobs.silver.payments import table as payments

MARCH = date(2026, 3, 1)


def payment(payment_id, amount, status="succeeded", method="card", customer_id="c1", *, is_recovered=False):
    return {
        "payment_id": payment_id,
        "customer_id": customer_id,
        "payment_month": MARCH,
        "amount_reporting": Decimal(amount),
        "method": method,
        "status": status,
        "is_recovered": is_recovered,
    }


@pytest.fixture(scope="module")
def summary(rows):
    made = rows(
        payments,
        payment("a", "100.004000"),
        payment("b", "50.002000", is_recovered=True),
        payment("c", "49.999000", customer_id="c2"),
        payment("d", "50.002000", status="failed"),
        payment("e", "30.000000", status="refunded"),
        payment("f", "20.000000", method=None),
        payment("g", "9.000000") | {"payment_month": date(2026, 4, 1)},
    )
    found = transform(payments=made, reporting_currency="EUR").collect()
    return {(row.payment_month, row.method, row.status): row for row in found}


def test_amounts_add_up_before_they_are_rounded(summary):
    succeeded = summary[MARCH, "card", "succeeded"]
    assert succeeded.amount == Decimal("200.01")  # 200.005 half up; each rounded alone would give 200.00
    assert (succeeded.attempts, succeeded.customers, succeeded.recovered_attempts) == (3, 2, 1)
    assert succeeded.currency == "EUR"


def test_refunds_take_away_what_failures_never_brought(summary):
    cash = {key: row.net_cash for key, row in summary.items() if key[0] == MARCH}
    assert cash == {
        (MARCH, "card", "succeeded"): Decimal("200.01"),
        (MARCH, "card", "failed"): Decimal("0.00"),
        (MARCH, "card", "refunded"): Decimal("-30.00"),
        (MARCH, "unknown", "succeeded"): Decimal("20.00"),
    }


def test_shares_are_those_of_the_month(summary):
    march = [row for row in summary.values() if row.payment_month == MARCH]
    assert summary[MARCH, "card", "succeeded"].share_of_attempts == 0.5
    assert sum(row.share_of_attempts for row in march) == pytest.approx(1)
    assert sum(row.share_of_amount for row in march) == pytest.approx(1)
    assert summary[date(2026, 4, 1), "card", "succeeded"].share_of_amount == 1.0


def test_no_payments_give_no_rows(rows):
    assert transform(payments=rows(payments), reporting_currency="EUR").collect() == []
