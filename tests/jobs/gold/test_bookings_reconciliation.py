"""gold.bookings_reconciliation: from all orders signed to the ledger's ARR, every difference under its reason."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from jobs.bronze.exchange_rates import table as received_rates
from jobs.gold.bookings_reconciliation import table, transform
from jobs.silver.billing_orders import table as billing_orders
from jobs.silver.customer_months import table as customer_months
from jobs.silver.subscriptions import table as subscriptions
from tests.billing import AS_OF, EXCHANGE_RATES, audited, day


def signed(customer_id, ordered, start, arr, **others):
    usual = {
        "order_id": f"{customer_id} {ordered}",
        "account_id": f"account of {customer_id}",
        "customer_id": customer_id,
        "order_type": "new",
        "product_line": "platform",
        "ordered_date": day(ordered),
        "start_date": day(start),
        "arr": Decimal(arr),
        "arr_reporting": Decimal(arr),
        "currency": "USD",
    }
    return usual | others


def closing(customer_id, *, may, june):
    return [
        {"customer_id": customer_id, "month": day(f"{month}-01"), "arr": Decimal(arr)}
        for month, arr in (("05", may), ("06", june))
    ]


def terms(customer_id, change_type, start, **others):
    usual = {
        "subscription_item_id": f"{customer_id} {start}",
        "customer_id": customer_id,
        "change_type": change_type,
        "opportunity_id": "any",
        "bears_revenue": True,
        "start_date": day(start),
        "currency": "USD",
    }
    return usual | others


@pytest.fixture(scope="module")
def months(rows):
    found = transform(
        orders=rows(
            billing_orders,
            signed("contracts", "04-01", "04-01", "1200"),
            # Signed at 1.20 dollars for a euro, closed at 1.00.
            signed("euros", "03-10", "03-10", "1000", currency="EUR", arr_reporting=Decimal(1200)),
            # Renewed late: what was ordered before is in force until the renewal is signed, and its add-on beyond.
            signed("renews", "01-05", "01-10", "600", opportunity_id="first"),
            signed("renews", "06-05", "05-25", "700", order_type="renewal"),
            signed("begins later", "05-20", "07-15", "500"),
            signed("leaves", "01-05", "01-10", "300"),
            signed(None, "06-02", "06-02", "50"),
            signed("unlike its terms", "04-01", "04-01", "100"),
            signed("sold both at once", "04-01", "04-01", "500", opportunity_id="both"),
            signed("gives an add-on up", "04-01", "04-01", "400", opportunity_id="plan"),
            signed("gives an add-on up", "04-02", "04-02", "60", opportunity_id="extra", product_line="extensions"),
        ),
        customer_months=rows(
            customer_months,
            *closing("contracts", may="1200.00", june="1080.00"),
            *closing("euros", may="1000.04", june="1000.04"),
            *closing("renews", may="600.00", june="760.00"),
            *closing("leaves", may="300.00", june="0.00"),
            *closing("serves itself", may="90.00", june="90.00"),
            *closing("unlike its terms", may="100.00", june="130.00"),
            *closing("gives an add-on up", may="460.00", june="400.00"),
            *closing("sold both at once", may="500.00", june="440.00"),
        ),
        subscriptions=rows(
            subscriptions,
            terms("contracts", "initial", "04-01"),
            terms("contracts", "seat_contraction", "06-10"),
            terms("unlike its terms", "initial", "04-01"),
            terms(
                "sold both at once",
                "add_on",
                "04-01",
                opportunity_id="both",
                item_type="add_on",
                add_on_id="A",
                end_date=day("06-10"),
                monthly_amount=Decimal(5),
            ),
            # The plan's row ends too, and goes on in one that somebody else's opportunity sold.
            terms(
                "gives an add-on up", "initial", "04-01", opportunity_id="plan", item_type="plan", end_date=day("06-01")
            ),
            terms(
                "gives an add-on up",
                "add_on",
                "04-02",
                opportunity_id="extra",
                item_type="add_on",
                add_on_id="A",
                monthly_amount=Decimal(5),
                end_date=day("06-10"),
            ),
            terms("renews", "add_on", "01-10", opportunity_id="first", item_type="add_on", monthly_amount=Decimal(5)),
        ),
        exchange_rates=rows(received_rates, *EXCHANGE_RATES),
        as_of=AS_OF,
        reporting_currency="USD",
    )
    return {row.month: row for row in audited(found, table)}


def differences(row):
    """Return what lies between the two totals, where it is not 0."""
    names = table.column_names[table.column_names.index("ordered_arr") + 1 : table.column_names.index("ledger_arr")]
    return {name: row[name] for name in names if row[name] != 0}


def test_the_orders_of_a_month_lead_to_the_ledger_reason_by_reason(months):
    row = months[date(2026, 5, 1)]
    # 1,200 + 1,200 + 600 + 500 + 300 + 100 + 460 + 500; the ledger has 1,200 + 1,000.04 + 600 + 300 + 90 + 100
    # + 460 + 500.
    assert (row.orders, row.ordered_arr, row.ledger_arr) == (9, Decimal("4860.00"), Decimal("4250.04"))
    assert differences(row) == {
        "exchange_rate": Decimal("-200.00"),
        "not_started": Decimal("-500.00"),
        "self_service": Decimal("90.00"),
        "rounding": Decimal("0.04"),
    }


def test_an_order_drops_out_when_it_is_renewed_ends_or_its_terms_change(months):
    row = months[date(2026, 6, 1)]
    # 4,860 + 700 + 50; the ledger has 1,080 + 1,000.04 + 700 + 60 + 90 + 130 + 400 + 440.
    assert (row.orders, row.ordered_arr, row.ledger_arr) == (11, Decimal("5610.00"), Decimal("3900.04"))
    assert differences(row) == {
        "exchange_rate": Decimal("-200.00"),
        "without_customer": Decimal("-50.00"),
        "not_started": Decimal("-500.00"),
        "superseded": Decimal("-600.00"),
        "cancelled_add_on": Decimal("-120.00"),
        "running_on": Decimal("60.00"),
        "ended": Decimal("-300.00"),
        "self_service": Decimal("90.00"),
        "changed_without_order": Decimal("-120.00"),
        "rounding": Decimal("0.04"),
        "unexplained": Decimal("30.00"),
    }


def test_what_has_no_reason_is_counted(months):
    assert [months[date(2026, month, 1)].unexplained_customers for month in (5, 6)] == [0, 1]


def test_where_no_order_was_ever_received_only_the_ledger_is_known(rows):
    (row,) = audited(
        transform(
            orders=rows(billing_orders),
            customer_months=rows(customer_months, *closing("pays", may="90.00", june="90.00")[:1]),
            subscriptions=rows(subscriptions, terms("pays", "initial", "04-01")),
            exchange_rates=rows(received_rates, *EXCHANGE_RATES),
            as_of=AS_OF,
            reporting_currency="USD",
        ),
        table,
    )
    known = {name: row[name] for name in table.column_names if row[name] is not None}
    assert known == {
        "month": date(2026, 5, 1),
        "currency": "USD",
        "is_complete": True,
        "ledger_arr": Decimal("90.00"),
    }
