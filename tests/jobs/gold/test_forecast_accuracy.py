"""gold.pipeline_forecast and gold.forecast_accuracy: what a quarter brought against what was said."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from jobs.gold.forecast_accuracy import table, transform
from jobs.gold.pipeline_forecast import table as pipeline_forecast
from jobs.silver.opportunities import table as opportunities
from jobs.silver.opportunity_states import table as opportunity_states
from tests.billing import audited, day
from tests.crm import at

APRIL, JULY = day("04-01"), day("07-01")


def forecast(method, arr, quantiles=(None, None, None), quarter=APRIL, segment="SMB"):
    usual = {
        "quarter": quarter,
        "forecast_date": date.fromordinal(quarter.toordinal() - 1),
        "week_of_quarter": 1,
        "opportunity_type": "new_business",
        "segment": segment,
        "method": method,
        "is_baseline": False,
        "currency": "USD",
        "forecast_arr": Decimal(arr),
    }
    return usual | {
        f"forecast_{name}": value and Decimal(value)
        for name, value in zip(("p10", "p50", "p90"), quantiles, strict=True)
    }


def won(opportunity_id, moment, arr):
    return {
        "history_id": f"{opportunity_id} {moment}",
        "opportunity_id": opportunity_id,
        "stage": "closed_won",
        "previous_stage": "proposal",
        "arr_reporting": Decimal(arr),
        "valid_from_date": at(moment).date(),
        "rep_id": "R1",
    }


@pytest.fixture(scope="module")
def accuracy(rows):
    found = transform(
        pipeline_forecast=rows(
            pipeline_forecast,
            forecast("monte_carlo", "90", ("80", "100", "140")),
            forecast("rep_weighted", "150", ("130", "140", "160")),
            forecast("last_year", "40"),
            forecast("monte_carlo", "7", ("0", "0", "10"), segment="Enterprise"),
            forecast("monte_carlo", "5", ("0", "0", "10"), quarter=JULY),
        ),
        states=rows(
            opportunity_states,
            won("a", "04-01 00", "100"),
            won("b", "06-30 23", "20"),
            won("before", "03-31 23", "1000"),
            won("another segment's", "05-01 00", "500"),
            # What changes once it is won does not win it again.
            won("a", "05-01 00", "100") | {"previous_stage": "closed_won"},
        ),
        opportunities=rows(
            opportunities,
            *(
                {"opportunity_id": name, "opportunity_type": "new_business", "segment": "SMB"}
                for name in ("a", "b", "before")
            ),
            {"opportunity_id": "another segment's", "opportunity_type": "new_business", "segment": "Mid-Market"},
        ),
        as_of=date(2026, 6, 30),
    )
    return {(row.method, row.segment): row for row in audited(found, table)}


def test_only_quarters_that_are_over_are_judged(accuracy):
    assert sorted(accuracy) == [
        ("last_year", "SMB"), ("monte_carlo", "Enterprise"), ("monte_carlo", "SMB"), ("rep_weighted", "SMB")
    ]  # fmt: skip


def test_the_error_is_against_what_the_quarter_won(accuracy):
    row = accuracy["monte_carlo", "SMB"]
    assert (row.actual_arr, row.error_arr, row.absolute_error_arr) == (120, -30, 30)
    assert row.error_share == -0.25
    nothing = accuracy["monte_carlo", "Enterprise"]
    assert (nothing.actual_arr, nothing.error_arr, nothing.error_share) == (0, 7, None)


def test_an_interval_holds_the_actual_or_not_and_none_holds_nothing(accuracy):
    assert (accuracy["monte_carlo", "SMB"].is_within_interval, accuracy["rep_weighted", "SMB"].is_within_interval) == (
        True,
        False,
    )
    assert (accuracy["last_year", "SMB"].is_within_interval, accuracy["last_year", "SMB"].quantile_loss) == (None, None)


def test_the_loss_weighs_a_miss_by_the_side_on_which_it_is(accuracy):
    # 120 against 80, 100, 140: 0.1 x 40 + 0.5 x 20 + 0.1 x 20 = 16; times 2 ÷ 3.
    assert accuracy["monte_carlo", "SMB"].quantile_loss == pytest.approx(Decimal("10.666667"))
    # Against 130, 140, 160 it lies below all: 0.9 x 10 + 0.5 x 20 + 0.1 x 40 = 23.
    assert accuracy["rep_weighted", "SMB"].quantile_loss == pytest.approx(Decimal("15.333333"))
