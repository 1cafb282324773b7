"""gold.billing_lag and gold.term_mix: how fast orders turn into cash, and for how long customers commit."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from jobs.gold import billing_lag, term_mix
from jobs.silver.billing_orders import table as billing_orders
from jobs.silver.invoices import table as invoices
from jobs.silver.payments import table as payments
from tests.billing import AS_OF, audited, day
from tests.crm import at


def signed(order_id, ordered, lag_days, arr="100", **others):
    usual = {
        "order_id": order_id,
        "segment": "SMB",
        "ordered_date": day(ordered),
        "order_lag_days": lag_days,
        "closed_at": None if lag_days is None else at("03-01 12"),
        "term_months": 12,
        "arr_reporting": Decimal(arr),
    }
    return usual | others


def invoice(invoice_id, order_id, issued, **others):
    usual = {"invoice_id": invoice_id, "order_id": order_id, "issued_at": at(issued), "invoice_type": "invoice"}
    return usual | {"status": "open"} | others


def payment(invoice_id, attempted, *, is_succeeded=True):
    return {
        "payment_id": f"{invoice_id} {attempted}",
        "invoice_id": invoice_id,
        "attempted_at": at(attempted),
        "is_succeeded": is_succeeded,
    }


@pytest.fixture(scope="module")
def orders(rows):
    return rows(
        billing_orders,
        signed("billed twice", "03-01", 0),
        signed("voided first", "03-05", 4, "300", term_months=36),
        signed("not billed", "03-03", 2, "500", term_months=None),
        signed("nobody won it", "03-04", None, "100", segment=None),
        signed("of April", "04-01", 31, "50"),
    ).cache()


@pytest.fixture(scope="module")
def lags(rows, orders):
    found = billing_lag.transform(
        orders,
        invoices=rows(
            invoices,
            invoice("I2", "billed twice", "04-11 09"),
            invoice("I1", "billed twice", "03-11 23"),
            invoice("I3", "voided first", "03-06 09", status="void"),
            invoice("I4", "voided first", "03-06 09", invoice_type="credit_note"),
            invoice("I5", "voided first", "03-09 09"),
            invoice("I6", "nobody won it", "03-04 09"),
            invoice("I7", None, "03-01 09"),
        ),
        payments=rows(
            payments,
            payment("I1", "03-12 09", is_succeeded=False),
            payment("I1", "03-31 01"),
            payment("I1", "04-15 01"),
            payment("I2", "04-12 01"),
            payment("I6", "03-05 09"),
            payment(None, "03-02 09"),
        ),
        as_of=AS_OF,
        min_observations=2,
    )
    return {(row.month, row.segment): row for row in audited(found, billing_lag.table)}


def told(row, step):
    return row[f"orders_{step}"], row[f"median_days_{step}"], row[f"p90_days_{step}"]


def test_each_step_counts_the_orders_that_have_taken_it(lags):
    march = lags[date(2026, 3, 1), "SMB"]
    # 0, 2 and 4 days: the middle is 2, nine tenths of the way from the first to the last 2 + 0.8 × 2.
    assert (march.orders, told(march, "close_to_order")) == (3, (3, 2.0, pytest.approx(3.6)))
    # 10 days from 1 to 11 March, 4 from 5 to 9 March; neither what is void nor a credit note bills.
    assert told(march, "order_to_invoice") == (2, 7.0, pytest.approx(9.4))
    # 11 to 31 March; from the close on 1 March 30 days. The second invoice has no say in it.
    assert told(march, "invoice_to_cash") == (1, 20.0, 20.0)
    assert (told(march, "close_to_cash"), march.is_small) == ((1, 30.0, 30.0), True)


def test_a_step_without_a_beginning_or_end_is_null(lags):
    unknown, april = lags[date(2026, 3, 1), "unknown"], lags[date(2026, 4, 1), "all"]
    assert (told(unknown, "invoice_to_cash"), told(unknown, "close_to_cash")) == ((1, 1.0, 1.0), (0, None, None))
    assert (april.orders, told(april, "order_to_invoice")) == (1, (0, None, None))
    assert lags[date(2026, 3, 1), "all"].orders == 4


def test_the_mix_of_terms_has_shares_in_orders_and_in_money(orders):
    found = audited(
        term_mix.transform(orders, as_of=date(2026, 5, 31), min_observations=4, reporting_currency="USD"),
        term_mix.table,
    )
    mix = {(row.quarter, row.segment, row.term): row for row in found}
    # The first quarter: 100 and 100 for a year, 300 for three, 500 without a term.
    shares = {term: mix[day("01-01"), "all", term] for term in ("12", "36", "none")}
    assert {term: (row.orders, row.share_of_orders) for term, row in shares.items()} == {
        "12": (2, 0.5),
        "36": (1, 0.25),
        "none": (1, 0.25),
    }
    assert {term: row.share_of_arr for term, row in shares.items()} == {"12": 0.2, "36": 0.3, "none": 0.5}
    assert (shares["12"].is_small, shares["12"].is_complete) == (False, True)
    second = mix[day("04-01"), "SMB", "12"]
    assert (second.arr, second.share_of_orders, second.is_small, second.is_complete) == (50, 1.0, True, False)
