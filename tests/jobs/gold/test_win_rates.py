"""gold.win_rates: shares with their interval and cycles, by hand."""

from __future__ import annotations

from decimal import Decimal

import pytest

from jobs.gold.win_rates import GROUP, table, transform
from jobs.silver.opportunities import table as opportunities
from tests.billing import AS_OF, audited, day


def closed(opportunity_id, stage, closed_on, arr, cycle_days, **others):
    usual = {
        "opportunity_id": opportunity_id,
        "opportunity_type": "new_business",
        "segment": "SMB",
        "deal_size": "under 5000",
        "arr_reporting": Decimal(arr),
        "closed_date": day(closed_on),
        "cycle_days": cycle_days,
        "is_open": False,
        "is_won": stage == "won",
        "is_lost": stage == "lost",
    }
    return usual | others


@pytest.fixture(scope="module")
def rates(rows):
    found = transform(
        rows(
            opportunities,
            closed("1", "won", "04-01", 100, 10.0),
            closed("2", "won", "05-15", 100, 20.0),
            closed("3", "won", "06-30", 300, 40.0),
            closed("4", "lost", "06-30", 500, 7.0, segment=None),
            closed("5", "lost", "03-31", 500, 9.0, opportunity_type="renewal"),
            {"opportunity_id": "open", "is_open": True, "is_won": False, "is_lost": False},
        ),
        as_of=AS_OF,
        min_observations=4,
        reporting_currency="USD",
    )
    return {tuple(row[name] for name in GROUP): row for row in audited(found, table)}


def test_the_win_rate_is_of_what_was_closed_in_the_quarter(rates):
    row = rates[day("04-01"), "new_business", "all", "all"]
    assert (row.won, row.lost, row.win_rate, row.is_small, row.is_complete) == (3, 1, 0.75, False, True)
    # Wilson: (3 + 1.92073) ÷ (4 + 3.84146) ± 1.959964 × √(0.75 × 0.25 × 4 + 0.96036) ÷ 7.84146.
    assert (row.win_rate_low, row.win_rate_high) == pytest.approx((0.30064, 0.95442), abs=1e-4)
    # 500 of 1,000.
    assert (row.won_arr, row.lost_arr, row.arr_win_rate) == (500, 500, 0.5)


def test_cycles_are_those_of_the_wins_and_of_the_losses_apart(rates):
    row = rates[day("04-01"), "all", "all", "all"]
    # Of 10, 20 and 40 days nine tenths lie at 20 + 0.8 × 20.
    assert (row.median_won_cycle_days, row.p90_won_cycle_days, row.median_lost_cycle_days) == (20.0, 36.0, 7.0)


def test_who_won_nothing_has_a_rate_of_zero_and_no_cycle(rates):
    unknown = rates[day("04-01"), "new_business", "segment", "unknown"]
    assert (unknown.win_rate, unknown.win_rate_low, unknown.median_won_cycle_days) == (0.0, 0.0, None)
    before = rates[day("01-01"), "all", "segment", "SMB"]
    assert (before.won, before.lost, before.is_small) == (0, 1, True)
    assert (day("01-01"), "new_business", "all", "all") not in rates
