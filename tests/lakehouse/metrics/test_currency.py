"""Conversion: the rate of the day, else the last one before it, else nothing."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from jobs.bronze.exchange_rates import table as received_rates
from jobs.bronze.marketing_spend import table as amounts
from lakehouse.cleaning import kept, rejected
from lakehouse.metrics.currency import convertible, to_reporting, with_rate_known

RATES = (
    {"currency": "EUR", "rate_date": date(2026, 1, 10), "rate": Decimal("1.1")},
    {"currency": "EUR", "rate_date": date(2026, 1, 13), "rate": Decimal("1.2")},
    {"currency": "USD", "rate_date": date(2026, 1, 1), "rate": Decimal(7)},
)


@pytest.fixture(scope="module")
def converted(rows):
    def on(currency: str, day: str, amount: str = "10") -> dict:
        return {
            "spend_id": f"{currency} {day}",
            "currency": currency,
            "month": date.fromisoformat(day),
            "amount": Decimal(amount),
        }

    received = rows(
        amounts,
        on("EUR", "2026-01-09"),
        on("EUR", "2026-01-10"),
        on("EUR", "2026-01-12"),
        on("EUR", "2026-01-13"),
        on("EUR", "2026-03-01"),
        on("USD", "2026-01-05"),
        on("CHF", "2026-01-05"),
        {"spend_id": "no day", "currency": "EUR", "amount": Decimal(10)},
        {"spend_id": "no amount", "currency": "EUR", "month": date(2026, 1, 10)},
    )
    frame = to_reporting(
        received, rows(received_rates, *RATES), day="month", amounts={"amount": "usd"}, reporting_currency="USD"
    )
    return {row.spend_id: row.usd for row in frame.collect()}


def test_a_gap_is_filled_with_the_last_rate_before_it(converted):
    assert converted["EUR 2026-01-10"] == 11
    assert converted["EUR 2026-01-12"] == 11
    assert converted["EUR 2026-01-13"] == 12
    assert converted["EUR 2026-03-01"] == 12


def test_before_the_first_rate_and_without_any_the_amount_is_unknown(converted):
    assert converted["EUR 2026-01-09"] is None
    assert converted["CHF 2026-01-05"] is None
    assert converted["no day"] is None
    assert converted["no amount"] is None


def test_the_reporting_currency_is_worth_one_whatever_the_rates_say(converted):
    assert converted["USD 2026-01-05"] == 10


def test_a_currency_without_any_rate_is_rejected_with_that_rule(rows):
    spend = {"month": date(2026, 1, 1), "channel": "direct", "amount": Decimal(1)}
    received = rows(
        amounts, *({"spend_id": currency, "currency": currency} | spend for currency in ("EUR", "CHF", "USD"))
    )
    marked = with_rate_known(received, rows(received_rates, RATES[0]), "USD")
    assert {row.currency for row in kept(marked, convertible(amounts)).collect()} == {"EUR", "USD"}
    (refused,) = rejected(marked, convertible(amounts)).collect()
    assert refused.rule == "currency_without_rate"
    assert '"currency":"CHF"' in refused.row_json
