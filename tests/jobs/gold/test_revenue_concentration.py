"""gold.revenue_concentration: shares, Gini and Herfindahl index by hand."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from jobs.gold.revenue_concentration import table, transform
from jobs.silver.accounts import table as accounts
from jobs.silver.customer_months import table as customer_months
from tests.billing import audited

MARCH, APRIL, MAY = date(2026, 3, 1), date(2026, 4, 1), date(2026, 5, 1)


def closing(customer_id, mrr, month=MARCH, **dimensions):
    return {
        "customer_id": customer_id,
        "month": month,
        "closing_mrr": Decimal(mrr),
        "is_active": Decimal(mrr) > 0,
    } | dimensions


@pytest.fixture(scope="module")
def concentration(rows):
    """March: 60, 20, 10, 10 and one who churned; April: twenty-one equals; May: one customer."""
    found = transform(
        customer_months=rows(
            customer_months,
            closing("a", "60.00", region="Europe", segment="SMB", company_size="Small", account_id="A1"),
            closing("b", "20.00", region="Europe", account_id="A2"),
            closing("d", "10.00", account_id="A1"),
            closing("c", "10.00"),
            closing("gone", "0.00", region="Europe"),
            *(closing(f"{number:02}", "33.33", APRIL) for number in range(21, 0, -1)),
            closing("a", "0.01", MAY),
        ),
        accounts=rows(accounts, {"account_id": "A1", "owner_rep_id": "R1"}, {"account_id": "A2"}),
        min_observations=4,
        reporting_currency="USD",
    )
    return {(row.month, row.dimension, row.dimension_value): row for row in audited(found, table)}


def test_the_largest_customers_come_first_and_a_part_of_one_counts_as_one(concentration):
    march = concentration[MARCH, "all", "all"]
    assert (march.customers, march.mrr, march.is_small, march.largest_customer_id) == (4, 100, False, "a")
    assert march.top_1_customer_share == 0.6
    # 1, 5, 10 and 20 % of four customers are each less than one customer.
    assert (march.top_1_percent_share, march.top_20_percent_share) == (0.6, 0.6)
    assert march.top_10_customers_share == 1.0


def test_gini_and_herfindahl_index_follow_from_the_shares(concentration):
    march = concentration[MARCH, "all", "all"]
    # Ranks 1 to 4: (5 − 2 × (1 × 60 + 2 × 20 + 3 × 10 + 4 × 10) ÷ 100) ÷ 4 = (5 − 3.4) ÷ 4.
    assert march.gini == pytest.approx(0.4)
    # 0.36 + 0.04 + 0.01 + 0.01.
    assert march.hhi == pytest.approx(0.42)


def test_equal_customers_show_no_concentration_and_the_first_id_stands_for_them(concentration):
    april = concentration[APRIL, "all", "all"]
    assert april.largest_customer_id == "01"
    assert (april.gini, april.hhi) == (0, pytest.approx(1 / 21))
    # 1 % of 21 is one customer, 5 % two, 10 % three, 20 % five.
    shares = [getattr(april, f"top_{percent}_percent_share") for percent in (1, 5, 10, 20)]
    assert shares == pytest.approx([1 / 21, 2 / 21, 3 / 21, 5 / 21])
    assert april.top_10_customers_share == pytest.approx(10 / 21)


def test_a_single_customer_is_everything(concentration):
    may = concentration[MAY, "all", "all"]
    assert (may.top_1_customer_share, may.top_1_percent_share, may.gini, may.hhi) == (1, 1, 0, 1)


def test_groups_are_measured_in_themselves_and_share_the_total(concentration):
    europe, unknown = concentration[MARCH, "region", "Europe"], concentration[MARCH, "region", "unknown"]
    assert (europe.customers, europe.mrr, europe.share_of_mrr, europe.top_1_customer_share) == (2, 80, 0.8, 0.75)
    assert (unknown.largest_customer_id, unknown.share_of_mrr, unknown.is_small) == ("c", 0.2, True)
    assert concentration[MARCH, "segment", "SMB"].hhi == 1


def test_a_rep_has_the_customers_of_the_accounts_that_the_rep_owns(concentration):
    # A1 is R1's: 60 and 10; A2 is nobody's, and one customer has no account.
    own, unknown = concentration[MARCH, "rep", "R1"], concentration[MARCH, "rep", "unknown"]
    assert (own.customers, own.mrr, own.share_of_mrr) == (2, 70, 0.7)
    assert (unknown.customers, unknown.mrr) == (2, 30)
