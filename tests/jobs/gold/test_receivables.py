"""gold.receivables: what was open at each month's end, by hand."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

import pytest

from jobs.gold.receivables import table, transform
from jobs.silver.customers import table as customers
from jobs.silver.invoices import table as invoices
from tests.billing import audited

# May is not over: it is measured on this day.
AS_OF = date(2026, 5, 20)


def invoice(invoice_id, issued, due, total, status="open", *, closed=None, customer_id="ann", **others):
    def moment(text):
        return text and datetime.fromisoformat(f"2026-{text}T12:00")

    return {
        "invoice_id": invoice_id,
        "customer_id": customer_id,
        "invoice_type": "invoice",
        "issued_at": moment(issued),
        "due_at": moment(due),
        "total_reporting": Decimal(total),
        "status": status,
        "closed_at": moment(closed),
    } | others


@pytest.fixture(scope="module")
def receivables(rows):
    found = transform(
        invoices=rows(
            invoices,
            invoice("paid in March", "01-10", "01-31", "100.00", "paid", closed="03-15"),
            invoice("never paid", "01-20", "01-31", "40.00"),
            invoice("voided in April", "02-10", "03-31", "7.00", "void", closed="04-02", customer_id="bob"),
            invoice("written off", "02-28", "02-28", "3.00", "uncollectible", closed="05-20", customer_id="bob"),
            invoice("credit", "03-01", None, "30.00", invoice_type="credit_note"),
            invoice("paid at once", "04-01", "04-01", "900.00", "paid", closed="04-01", customer_id="bob"),
        ),
        customers=rows(
            customers, {"customer_id": "ann", "segment": "SMB"}, {"customer_id": "bob", "segment": "Enterprise"}
        ),
        as_of=AS_OF,
        reporting_currency="USD",
    )
    return {(row.dimension_value, row.month.month, row.bucket): row for row in audited(found, table)}


def open_amounts(receivables, value, month):
    return {
        bucket: row.open_amount
        for (group, number, bucket), row in receivables.items()
        if (group, number) == (value, month) and row.invoices
    }


def test_each_month_end_sees_what_was_open_then_at_its_age_then(receivables):
    assert open_amounts(receivables, "all", 1) == {"not_due": 140}  # due on the very day
    assert open_amounts(receivables, "all", 2) == {"1-30": 140, "not_due": 7 + 3}
    # 31 January to 31 March are 59 days, 28 February to 31 March 31. The credit note without a due day takes 30 off what is not due.
    assert open_amounts(receivables, "all", 3) == {"31-60": 40 + 3, "not_due": 7 - 30}
    # 89 days; 28 February to 30 April are 61; the void one is gone.
    assert open_amounts(receivables, "all", 4) == {"61-90": 40 + 3, "not_due": -30}
    # Written off on the as-of day; 31 January to 20 May are 109 days.
    assert open_amounts(receivables, "all", 5) == {"over_90": 40, "not_due": -30}


def test_every_group_has_all_buckets_with_customers_and_shares(receivables):
    april = {bucket: row for (value, month, bucket), row in receivables.items() if (value, month) == ("all", 4)}
    assert [row.bucket for row in sorted(april.values(), key=lambda row: row.bucket_rank)] == [
        "not_due", "1-30", "31-60", "61-90", "over_90"
    ]  # fmt: skip
    oldest = april["61-90"]
    assert (oldest.customers, oldest.invoices, oldest.receivables) == (2, 2, 13)
    assert oldest.share_of_receivables == pytest.approx(43 / 13)
    assert (april["31-60"].customers, april["31-60"].open_amount) == (0, 0)


def test_days_sales_outstanding_are_measured_against_ninety_days_of_billing(receivables):
    # 1 February to 30 April are 89 days and 31 January is the 90th; the January invoices and the void one are out.
    april = receivables["all", 4, "not_due"]
    assert april.billed_90_days == 3 - 30 + 900
    assert april.dso_days == pytest.approx(13 / 873 * 90)
    march = receivables["all", 3, "not_due"]
    assert march.billed_90_days == 100 + 40 + 7 + 3 - 30  # voided only in April


def test_segments_add_up_to_all(receivables):
    for month in range(1, 6):
        parts = {(row.dimension_value, row.receivables) for row in receivables.values() if row.month.month == month}
        amounts = dict(parts)
        assert amounts.pop("all") == sum(amounts.values())
    assert receivables["Enterprise", 5, "not_due"].month_end == AS_OF
