"""Forecasts of the pipeline: each part by hand, and nothing from the days to come."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from lakehouse.delta import dataset
from lakehouse.forecasting.forecast import forecasts
from lakehouse.forecasting.history import COLUMNS, NEVER, History
from lakehouse.forecasting.simulation import Chances, Shock, estimated_shock, simulated
from lakehouse.forecasting.transitions import Weeks, wins_to_come, within
from lakehouse.forecasting.weights import DealWeeks, rep_weights, stage_weights

EPOCH = date(1970, 1, 1)
MONDAY = 4  # 5 January 1970
SCHEMA = pa.schema(
    [
        *((name, pa.string()) for name in ("opportunity_type", "opportunity_id")),
        ("change_number", pa.int32()),
        *((name, pa.string()) for name in ("segment", "stage")),
        ("arr_reporting", pa.decimal128(18, 2)),
        ("rep_id", pa.string()),
        ("rep_probability", pa.float64()),
        *((name, pa.date32()) for name in COLUMNS[-4:]),
    ]
)


def deal(name, *changes, arr="100", rep="R", segment="SMB", probability=0.5, kind="new_business"):
    """Return the rows of an opportunity whose stages begin on the days of ``changes``: (day, stage)."""
    days = [EPOCH + timedelta(days=day) for day, _ in changes]
    return [
        dict(zip(COLUMNS, (kind, name, number, segment, stage, Decimal(arr), rep, probability, days[0] + timedelta(30),
                           began, until, days[0]), strict=True))
        for number, ((_, stage), began, until) in enumerate(zip(changes, days, [*days[1:], None], strict=True), start=1)
    ]  # fmt: skip


def table(*deals):
    return pa.Table.from_pylist([row for rows in deals for row in rows], schema=SCHEMA)


def history(*deals):
    return History.of(table(*deals))


def test_the_order_of_rows_does_not_matter():
    rows = table(deal("a", (1, "discovery"), (9, "closed_won")), deal("b", (2, "proposal")))
    backwards = rows.take(pa.array(range(rows.num_rows))[::-1])
    for one, other in zip(vars(History.of(rows)).values(), vars(History.of(backwards)).values(), strict=True):
        assert (one == other).all()


def test_what_is_open_at_the_close_of_a_day_is_what_holds_past_it():
    deals = history(
        deal("a", (1, "discovery"), (9, "closed_won")), deal("at once", (5, "proposal"), (5, "closed_lost"))
    )
    assert [len(deals.open_at(day)) for day in (0, 1, 5, 8, 9)] == [0, 1, 1, 1, 0]
    assert deals.won_between(9, 9).arr_by_segment().tolist() == [100.0, 0.0, 0.0, 0.0]
    assert deals.until.max() == NEVER


def test_a_week_moves_a_deal_from_sunday_to_sunday_and_chances_follow():
    # Sundays are 10, 17, 24 … Two deals come in the first week into discovery. In the second one is won, one stays; in
    # the third that one is lost. So of three deal-weeks in discovery a third each is won, lost and stays.
    weeks = Weeks.of(
        history(
            deal("won", (MONDAY, "discovery"), (14, "closed_won")),
            deal("lost", (MONDAY + 1, "discovery"), (20, "closed_lost")),
        ),
        last=24,
    )
    assert weeks.last_day.tolist() == [10, 17, 24]
    chance = weeks.win_probabilities(24, 2.5)[0, :, 1]
    # One week: 1/3; two: 1/3 + 1/3 x 1/3; half a week more is half way to the third, 13/27.
    assert chance[:3] == pytest.approx([0, 1 / 3, 4 / 9])
    assert within(weeks.win_probabilities(24, 2.5), 2.5)[0, 1] == pytest.approx((4 / 9 + 13 / 27) / 2)
    # On the 17th only the second week is known: one of two deal-weeks was won.
    assert weeks.win_probabilities(17, 1)[0, 1, 1] == pytest.approx(1 / 2)
    # Two arrivals in three weeks, in discovery at the end of theirs: in 2 weeks to come 2/3 each, of which those of the
    # first week have one more to be won in.
    arrivals = weeks.expected_arrivals(24)
    assert arrivals[0, 1] == pytest.approx(2 / 3)
    assert wins_to_come(weeks.win_probabilities(24, 2), arrivals, 2)[0] == pytest.approx(2 / 3 * 1 / 3)


def test_weights_are_shares_of_deal_weeks_drawn_towards_all():
    # A deal of 70 days in discovery that was won, one of 30 that was lost: 10 of 100/7 weeks. With the 50 weeks that all
    # deals count for at each of three steps the rate is what it is: 0.7.
    deals = history(
        deal("won", (0, "discovery"), (70, "closed_won"), probability=0.5),
        deal("lost", (0, "discovery"), (30, "closed_lost"), probability=0.5),
        deal("later", (0, "discovery"), (900, "closed_won")),
        deal("open", (60, "discovery"), probability=0.4),
    )
    now = deals.open_at(100).among(deals.open_at(100).day == 60)
    earlier = DealWeeks.of(deals).closed_by(100)
    assert stage_weights(now, earlier, 100, [2000]) == pytest.approx([0.7])
    # The rep said 0.5 where 0.7 came out: 1.4 x 0.4.
    assert rep_weights(now, earlier) == pytest.approx([0.56])


def test_a_deal_that_was_lost_and_came_back_counts_towards_both_ends():
    deals = DealWeeks.of(
        history(
            deal("back", (0, "proposal"), (7, "closed_lost"), (14, "discovery"), (28, "closed_won"), (40, "closed_won"))
        )
    )
    assert deals.weeks.tolist() == [1.0, 2.0]
    assert (deals.is_won.tolist(), deals.closed.tolist()) == ([0.0, 1.0], [7, 28])


def chances(won, chance=0.5, count=100):
    deals = history(*(deal(f"{place:03}", (0, "discovery")) for place in range(count)))
    return Chances(deals, np.full(count, chance), np.zeros(4), np.array([won, 0, 0, 0]))


def test_the_shock_is_the_error_beyond_what_chance_explains(settings):
    parameters = settings.pipeline.forecast.model_copy(update={"shock_sigma": 0.0, "shock_quarters": 1})
    # Four quarters of 100 even chances: 50 ± 10 wins. Error² is 100 and the variance 25, slope² 625. The assumed 0
    # weighs as one quarter: σ² = 4 x 75 ÷ (5 x 625) = 0.096. Right on the whole, so no level.
    shock = estimated_shock([chances(won) for won in (40, 60, 40, 60)], parameters)
    assert (shock.level, shock.quarter) == (pytest.approx(0.0), pytest.approx(0.096**0.5))
    # Errors that chance explains leave no shock; twice the wins move the level: ln (230 ÷ 130) with the prior's 30.
    assert estimated_shock([chances(won) for won in (50, 51)], parameters).quarter == 0.0
    assert estimated_shock([chances(100), chances(100)], parameters).level == pytest.approx(np.log(230 / 130))


def test_the_simulation_wins_as_often_as_it_should_and_a_shock_widens_it():
    now = chances(0)
    pools = [np.array([1000.0])] * 4
    random = np.random.default_rng(1)
    alone = simulated(now, Shock(0.0, 0.0, 0.0), pools, random, 4000)[:, 0]
    # 100 deals of 100 at even chances: 5,000 ± 500.
    assert alone.mean() == pytest.approx(5000, abs=40)
    assert alone.std() == pytest.approx(500, rel=0.05)
    # A shock of 0.4 in log-odds adds 0.4 x 25 wins: √(500² + 1,000²) = 1,118.
    assert simulated(now, Shock(0.0, 0.4, 0.0), pools, random, 4000)[:, 0].std() == pytest.approx(1118, rel=0.06)


def test_deals_to_come_are_drawn_from_what_was_won_before():
    coming = Chances(
        history(deal("none", (0, "closed_lost"))).open_at(0), np.zeros(0), np.array([3.0, 0, 0, 0]), np.zeros(4)
    )
    found = simulated(coming, Shock(0.0, 0.0, 0.0), [np.array([10.0, 30.0])] * 4, np.random.default_rng(1), 4000)
    # Three wins of 20 on the mean; nobody comes in the other segments.
    assert found[:, 0].mean() == pytest.approx(60, rel=0.03)
    assert not found[:, 1:].any()


@pytest.fixture(scope="module")
def states(small_lake):
    """All changes of a company, with the kind and segment of their opportunities."""
    manifest = small_lake.published()
    connection = duckdb.connect()
    for name in ("silver.opportunity_states", "silver.opportunities"):
        connection.register(name.partition(".")[2], dataset(small_lake, name, manifest.versions[name]).to_table())
    known = "SELECT opportunity_id, opportunity_type, segment FROM opportunities"
    found = connection.sql(f"FROM opportunity_states JOIN ({known}) USING (opportunity_id)").select(*COLUMNS)
    return found.to_arrow_table(), manifest.as_of


def known_on(states, day):
    """The changes up to the close of ``day``, as they would have been without any later one."""
    rows = states.filter(pc.less_equal(states["valid_from_date"], day))
    until = pc.if_else(pc.greater(rows["valid_to_date"], day), pa.scalar(None, pa.date32()), rows["valid_to_date"])
    return rows.set_column(rows.schema.get_field_index("valid_to_date"), "valid_to_date", until)


def test_a_forecast_is_the_same_without_all_that_came_later(states, settings):
    rows, as_of = states
    pipeline = settings.pipeline
    parameters = pipeline.forecast.model_copy(update={"history_quarters": 2, "draws": 100})
    pipeline = pipeline.model_copy(update={"forecast": parameters})
    told = {}
    for row in forecasts(rows, as_of, pipeline):
        told.setdefault(row["forecast_date"], []).append(row)
    days = sorted(told)[:-1][-10:]
    assert len(days) == 10
    for day in days:
        then = [row for row in forecasts(known_on(rows, day), day, pipeline) if row["forecast_date"] == day]
        assert then == told[day]


def test_a_forecast_that_looks_ahead_is_found_out(states, settings, monkeypatch):
    rows, as_of = states
    parameters = settings.pipeline.forecast.model_copy(update={"history_quarters": 2, "draws": 100})
    pipeline = settings.pipeline.model_copy(update={"forecast": parameters})
    monkeypatch.setattr(DealWeeks, "closed_by", lambda self, _: self)
    told = [row for row in forecasts(rows, as_of, pipeline) if row["method"] == "stage_weighted"]
    day = min(row["forecast_date"] for row in told)
    then = [row for row in forecasts(known_on(rows, day), day, pipeline) if row["method"] == "stage_weighted"]
    assert then != [row for row in told if row["forecast_date"] == day]
