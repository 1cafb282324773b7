"""gold.renewals: what becomes of commitments that end, by hand."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

import pytest

from jobs.bronze.exchange_rates import table as exchange_rates
from jobs.gold.renewals import GROUP, table, transform
from jobs.silver.billing_orders import table as orders
from jobs.silver.customers import table as customers
from tests.billing import AS_OF, EXCHANGE_RATES, audited, day
from tests.crm import at

YEAR_BEFORE = datetime(2025, 5, 1)


def signed(account_id, order_type, ordered_at, end, arr, **others):
    usual = {
        "order_id": f"{account_id} {order_type} {ordered_at}",
        "account_id": account_id,
        "order_type": order_type,
        "product_line": "platform",
        "segment": "SMB",
        "ordered_at": ordered_at,
        "ordered_date": ordered_at.date(),
        "start_date": ordered_at.date(),
        "renewal_date": end,
        "arr": Decimal(arr),
        "currency": "USD",
    }
    return usual | others


ORDERS = (
    # With an expansion up to the same end, and one of another product line, which no renewal orders anew; what was renewed
    # is up for renewal a year later.
    signed("on time", "new", YEAR_BEFORE, day("05-10"), 1000, segment="Mid-Market"),
    signed("on time", "expansion", at("02-01"), day("05-10"), 200),
    signed("on time", "expansion", at("02-02"), day("05-10"), 77, product_line="extensions"),
    signed("on time", "renewal", at("05-01"), date(2027, 5, 10), 1500, start_date=day("05-10")),
    signed("early", "new", YEAR_BEFORE, day("05-20"), 1000),
    signed("early", "renewal", at("04-01"), None, 800, start_date=day("05-20")),
    # A euro is a dollar when the commitment ends, and was more before.
    signed("late", "new", YEAR_BEFORE, day("05-25"), 1000, currency="EUR"),
    signed("late", "renewal", at("06-05"), None, 1000, currency="EUR"),
    signed("left", "new", YEAR_BEFORE, day("05-05"), 500),
    signed("undecided", "new", YEAR_BEFORE, day("05-31"), 700),
    # 91 and 90 days before the as-of day.
    signed("nobody signed", "new", YEAR_BEFORE, day("03-31"), 100),
    signed("may still sign", "new", YEAR_BEFORE, day("04-01"), 100),
    # Ahead: one that pays, one that begins only later, one that left and comes back.
    signed("pays", "new", YEAR_BEFORE, day("09-15"), 300),
    signed("begins later", "new", at("06-29"), day("09-20"), 300),
    signed("comes back", "new", at("06-29"), day("09-21"), 300),
    signed("without an end", "new", YEAR_BEFORE, None, 300),
)


@pytest.fixture(scope="module")
def renewals(rows, settings):
    paying = ("on time", "early", "late", "undecided", "nobody signed", "may still sign", "pays")
    gone = {"left": day("05-05"), "comes back": day("02-01")}
    found = transform(
        orders=rows(orders, *ORDERS),
        customers=rows(
            customers,
            *({"customer_id": name, "account_id": name, "mrr": Decimal(10)} for name in paying),
            *({"customer_id": n, "account_id": n, "mrr": Decimal(0), "churn_date": on} for n, on in gone.items()),
            {"customer_id": "begins later", "account_id": "begins later", "mrr": Decimal(0)},
        ),
        exchange_rates=rows(exchange_rates, *EXCHANGE_RATES),
        as_of=AS_OF,
        min_observations=4,
        renewals=settings.renewals,
        reporting_currency="USD",
    )
    return {tuple(row[name] for name in GROUP): row for row in audited(found, table)}


def test_a_commitment_is_renewed_lost_or_still_pending(renewals):
    may = renewals[day("05-01"), "all", "all"]
    assert (may.up_for_renewal, may.renewed, may.lost, may.pending) == (5, 3, 1, 1)
    # Signed 9 days and 49 days before the end, and 11 days after it.
    assert (may.renewed_on_time, may.renewed_early, may.renewed_late) == (1, 1, 1)


def test_what_is_undecided_stays_out_of_the_rate(renewals):
    may = renewals[day("05-01"), "all", "all"]
    # Wilson of 3 of 4: (3 + 1.92073) ÷ (4 + 3.84146) ± 1.959964 × √(0.75 × 0.25 × 4 + 0.96036) ÷ 7.84146.
    assert (may.renewal_rate, may.is_small) == (0.75, False)
    assert (may.renewal_rate_low, may.renewal_rate_high) == pytest.approx((0.30064, 0.95442), abs=1e-4)


def test_money_counts_what_the_account_had_ordered_up_to_the_end(renewals):
    may = renewals[day("05-01"), "all", "all"]
    # 1,000 + 200, 1,000 and 1,000 euros at 1.00; then 1,500, 800 and 1,000. Only the first grew.
    assert (may.renewed_arr, may.arr_after, may.upsold) == (Decimal(3200), Decimal(3300), 1)
    assert (may.lost_arr, may.pending_arr) == (Decimal(500), Decimal(700))
    assert may.arr_renewal_rate == pytest.approx(3200 / 3700, abs=1e-9)
    assert may.expansion_ratio == 1.03125


def test_the_interval_of_money_is_that_of_as_many_commitments_of_equal_size(renewals):
    # 3,700² ÷ (1,200² + 1,000² + 1,000² + 500²) = 3.710027 at 3,200 ÷ 3,700 = 0.864865. Wilson: (3.208672 + 1.920729) ÷
    # 7.551486 = 0.679257, ± 1.959964 × √(0.864865 × 0.135135 × 3.710027 + 0.960365) ÷ 7.551486 = 0.306438.
    may = renewals[day("05-01"), "all", "all"]
    assert (may.arr_renewal_rate_low, may.arr_renewal_rate_high) == pytest.approx((0.372819, 0.985695), abs=2e-6)


def test_nobody_who_may_still_sign_is_lost(renewals):
    assert renewals[day("03-01"), "all", "all"].lost == 1
    april = renewals[day("04-01"), "all", "all"]
    assert (april.lost, april.pending, april.renewal_rate) == (0, 1, None)


def test_the_months_ahead_are_a_calendar_without_rates(renewals):
    september = renewals[day("09-01"), "all", "all"]
    assert (september.up_for_renewal, september.pending, september.is_complete) == (3, 3, False)
    next_year = renewals[date(2027, 5, 1), "all", "all"]
    assert (next_year.up_for_renewal, next_year.pending, next_year.pending_arr) == (1, 1, Decimal(1500))


def test_a_commitment_is_of_the_segment_of_its_newest_order(renewals):
    # The expansion is of an SMB account by now.
    assert renewals[day("05-01"), "segment", "SMB"].up_for_renewal == 5
