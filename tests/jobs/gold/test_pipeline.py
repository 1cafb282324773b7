"""The pipeline by day, the waterfall of a quarter and the coverage of its quota, worked out by hand."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from pyspark.sql import functions as F

from jobs.bronze.exchange_rates import table as received_rates
from jobs.bronze.opportunity_stage_history import table as received_history
from jobs.gold import pipeline_coverage, pipeline_daily, pipeline_waterfall
from jobs.silver import opportunities, opportunity_states, quotas, sales_reps
from tests.billing import audited, day
from tests.crm import change

Q1, Q2 = day("01-01"), day("04-01")
AS_OF = day("06-30")

HISTORY = (
    # Created in Q1 for Q2: in no pipeline of Q1, opens Q2 with 1,000; raised, pushed out, pulled in at 1,100, won.
    change("travels", "03-30 09", "prospecting", "1000", expected_close_date=day("05-15")),
    change("travels", "04-10 09", "discovery", "1300", expected_close_date=day("05-15")),
    change("travels", "05-10 09", "discovery", "1300", expected_close_date=day("07-20")),
    change("travels", "06-01 09", "proposal", "1100", expected_close_date=day("06-25")),
    change("travels", "06-20 09", "closed_won", "1100", expected_close_date=day("06-20")),
    # Expected in July and won in June after its amount changed with the date: pulled in and won at 700.
    change("early", "04-02 09", "proposal", "900", expected_close_date=day("07-10")),
    change("early", "06-10 09", "closed_won", "700", expected_close_date=day("06-10")),
    # Won on the day on which it was opened.
    change("at once", "05-04 09", "discovery", "50", expected_close_date=day("06-30")),
    change("at once", "05-04 12", "closed_won", "50", expected_close_date=day("05-04")),
    # Lost in Q1, opened again in Q2, goes to another rep, and is left open, lowered, at 350.
    change("returns", "02-02 09", "discovery", "400", expected_close_date=day("03-20")),
    change("returns", "03-15 09", "closed_lost", "400", expected_close_date=day("03-15")),
    change("returns", "05-20 09", "discovery", "400", expected_close_date=day("06-28")),
    change("returns", "06-02 09", "discovery", "350", expected_close_date=day("06-28"), rep_id="R2"),
    # Overdue: expected in Q1, still open at the end of Q2.
    change("overdue", "01-05 09", "prospecting", "10", expected_close_date=day("02-01"), rep_probability=0.2),
)
TYPES = {"early": "expansion"}


@pytest.fixture(scope="module")
def states(rows):
    return opportunity_states.transform(
        history=rows(received_history, *HISTORY),
        exchange_rates=rows(received_rates),
        as_of=AS_OF,
        reporting_currency="USD",
    ).cache()


@pytest.fixture(scope="module")
def known(rows):
    names = sorted({record["opportunity_id"] for record in HISTORY})
    return rows(
        opportunities.table,
        *(
            {"opportunity_id": name, "opportunity_type": TYPES.get(name, "new_business"), "segment": "SMB"}
            for name in names
        ),
    )


@pytest.fixture(scope="module")
def daily(states, known, settings):
    return pipeline_daily.transform(
        states=states, opportunities=known, as_of=AS_OF, reporting_currency="USD", pipeline=settings.pipeline
    ).cache()


@pytest.fixture(scope="module")
def by_day(daily):
    found = audited(daily, pipeline_daily.table)
    return {(row.date, row.stage, row.rep_id, row.expected_close_month, row.age_band): row for row in found}


def test_a_day_shows_what_was_known_at_its_close(by_day):
    # "travels" and the overdue deal are the only prospects; on 9 April 1,000 for May, from the 10th on in discovery.
    assert by_day[day("04-09"), "prospecting", "R1", "2026-05", "under 30"].open_arr == Decimal("1000.00")
    assert (day("04-10"), "prospecting", "R1", "2026-05", "under 30") not in by_day
    assert by_day[day("04-10"), "discovery", "R1", "2026-05", "under 30"].open_arr == Decimal("1300.00")
    assert by_day[day("05-10"), "discovery", "R1", "2026-07", "30 to 60"].open_arr == Decimal("1300.00")


def test_what_opens_and_closes_on_one_day_is_in_no_pipeline(by_day):
    assert not [key for key in by_day if key[0] == day("05-04") and key[3] == "2026-06"]


def test_the_weight_is_what_the_rep_gave_then(by_day):
    # 10 x 0.2.
    assert by_day[AS_OF, "prospecting", "R1", "2026-02", "90 to 180"].weighted_arr == Decimal("2.00")


@pytest.fixture(scope="module")
def waterfall(states, known):
    found = pipeline_waterfall.transform(states=states, opportunities=known, as_of=AS_OF, reporting_currency="USD")
    return {(row.quarter, row.opportunity_type, row.rep_id): row for row in audited(found, pipeline_waterfall.table)}


def steps(row):
    names = ("opening", "created", "reopened", "pulled_in", "increased", "decreased", "transferred", "pushed_out", "won",
             "lost", "closing")  # fmt: skip
    return [int(row[f"{name}_arr"]) for name in names]


def test_each_step_of_a_quarter_is_booked_once(waterfall):
    # Q1: "returns" 400 and "overdue" 10 come; 400 are lost; "travels" is for Q2 and counts as new pipeline only.
    assert steps(waterfall[Q1, "new_business", "R1"]) == [0, 410, 0, 0, 0, 0, 0, 0, 0, 400, 10]
    # Q2 of R1: opens with travels 1,000 and overdue 10; at once 50 is created and won; returns comes back with 400 and
    # goes to R2; travels +300, pushed out with 1,300, pulled in with 1,100 and won with 1,100.
    assert steps(waterfall[Q2, "new_business", "R1"]) == [1010, 50, 400, 1100, 300, 0, -400, 1300, 1150, 0, 10]
    assert steps(waterfall[Q2, "new_business", "R2"]) == [0, 0, 0, 0, 0, 50, 400, 0, 0, 0, 350]


def test_what_was_expected_later_and_is_won_now_was_pulled_in(waterfall):
    assert steps(waterfall[Q2, "expansion", "R1"]) == [0, 0, 0, 700, 0, 0, 0, 0, 700, 0, 0]


def test_slippage_is_told_in_pushes_days_and_the_share_that_left(waterfall):
    row = waterfall[Q2, "new_business", "R1"]
    # From 15 May to 20 July: 66 days. Of 1,010 + 50 + 400 + 1,100 = 2,560 there were, 1,300 left.
    assert (row.pushes, row.pushed_days, row.slipped_out_share) == (1, 66, pytest.approx(1300 / 2560))
    assert (row.new_opportunities, row.won_opportunities, row.lost_opportunities) == (1, 2, 0)
    assert waterfall[Q1, "new_business", "R1"].new_pipeline_arr == Decimal("1410.00")


@pytest.fixture(scope="module")
def coverage(rows, daily, states, known, settings):
    found = pipeline_coverage.transform(
        pipeline_daily=daily,
        states=states,
        opportunities=known,
        quotas=rows(
            quotas.table,
            {"rep_id": "R1", "quarter": Q2, "quota_arr": Decimal("1100.00"), "currency": "USD"},
            {"rep_id": "R3", "quarter": Q2, "quota_arr": Decimal("100.00"), "currency": "USD"},
        ),
        sales_reps=rows(sales_reps.table, {"rep_id": "R1", "region": "Europe"}, {"rep_id": "R3", "region": "Europe"}),
        as_of=AS_OF,
        reporting_currency="USD",
        pipeline=settings.pipeline,
    )
    return {
        (row.week_of_quarter, row.dimension, row.dimension_value): row
        for row in audited(found, pipeline_coverage.table)
    }


def test_coverage_is_the_open_pipeline_over_what_is_missing(coverage):
    # On the eve of the quarter 1,010 are open against 1,200.
    first = coverage[1, "all", "all"]
    assert (first.date, first.open_arr, first.remaining_quota_arr) == (
        day("03-31"),
        Decimal("1010.00"),
        Decimal("1200.00"),
    )
    assert (first.coverage_ratio, first.is_covered) == (pytest.approx(1010 / 1200), False)
    # On 12 May, the eve of week 7, 50 are won and travels is pushed out: 10 against 1,050 of R1.
    assert coverage[7, "rep", "R1"].coverage_ratio == pytest.approx(10 / 1050, abs=1e-9)
    assert coverage[7, "region", "Europe"].remaining_quota_arr == Decimal("1150.00")


def test_where_the_quota_is_met_there_is_no_ratio_but_cover(coverage):
    # On 23 June, the eve of week 13, R1 has won 1,150 of 1,100; expansions count for no quota.
    met = coverage[13, "rep", "R1"]
    assert (met.won_arr, met.remaining_quota_arr) == (Decimal("1150.00"), Decimal("0.00"))
    assert (met.coverage_status, met.coverage_ratio, met.is_covered) == ("quota_met", None, True)
    assert coverage[13, "rep", "R2"].coverage_status == "no_quota"


def test_a_day_is_the_same_without_all_that_came_later(rows, settings):
    """Ten cuts and the whole in one job: the cut stands before the rep, by whom the rows are grouped."""
    cuts = [date.fromordinal(day("03-20").toordinal() + 9 * step) for step in range(10)]
    records = [
        change | {"rep_id": f"{cut} {change['rep_id']}", "opportunity_id": f"{cut} {change['opportunity_id']}",
                  "history_id": f"{cut} {change['history_id']}"}
        for cut in (*cuts, AS_OF)
        for change in HISTORY
        if change["changed_at"].date() <= cut
    ]  # fmt: skip
    names = {record["opportunity_id"] for record in records}
    of_cuts = rows(
        opportunities.table,
        *({"opportunity_id": name, "opportunity_type": "new_business", "segment": "SMB"} for name in sorted(names)),
    )
    states = opportunity_states.transform(
        history=rows(received_history, *records),
        exchange_rates=rows(received_rates),
        as_of=AS_OF,
        reporting_currency="USD",
    )
    found = pipeline_daily.transform(
        states=states, opportunities=of_cuts, as_of=AS_OF, reporting_currency="USD", pipeline=settings.pipeline
    )
    cut, rep = F.substring("rep_id", 1, 10), F.substring("rep_id", 12, 99)
    rows_of = {}
    for row in found.filter(F.col("date") <= cut).select("*", cut.alias("cut"), rep.alias("rep")).collect():
        told = (row.date, row.stage, row.rep, row.expected_close_month, row.age_band, row.open_arr, row.weighted_arr)
        rows_of.setdefault(row.cut, set()).add(told)
    whole = rows_of[str(AS_OF)]
    for one in cuts:
        assert rows_of[str(one)] == {told for told in whole if told[0] <= one}
        assert rows_of[str(one)]
