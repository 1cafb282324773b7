"""Visitors of the web site."""

from __future__ import annotations

from datetime import date

import pandas as pd
import pytest

from lakehouse.generator.traffic import month_traffic
from lakehouse.vocabulary import CHANNELS
from tests.product import PARAMETERS, SEED, TRAFFIC


def traffic(month: date, expected_arrivals: float) -> pd.DataFrame:
    return month_traffic(PARAMETERS, SEED, month, expected_arrivals, schema=TRAFFIC).to_pandas()


def test_each_day_and_channel_has_one_row() -> None:
    rows = traffic(date(2026, 2, 1), 50)
    assert len(rows) == 28 * len(CHANNELS)
    assert not rows.duplicated(["traffic_date", "channel"]).any()


def test_visitors_grow_with_the_arrivals() -> None:
    # 1,500 + 900 × 54 = 50,100 a month.
    assert traffic(date(2026, 6, 1), 54)["unique_visitors"].sum() == pytest.approx(50_100, rel=0.03)
    assert traffic(date(2026, 6, 1), 0)["unique_visitors"].sum() == pytest.approx(1_500, rel=0.1)


def test_there_are_as_many_sessions_as_visitors_and_some_more() -> None:
    rows = traffic(date(2026, 6, 1), 54)
    assert (rows["sessions"] >= rows["unique_visitors"]).all()
    assert rows["sessions"].sum() / rows["unique_visitors"].sum() == pytest.approx(1.28, abs=0.02)


def test_weekends_are_quieter_and_search_brings_most() -> None:
    rows = traffic(date(2026, 6, 1), 54)
    is_weekend = pd.to_datetime(rows["traffic_date"]).dt.dayofweek >= 5
    daily = rows.groupby(is_weekend)["unique_visitors"].mean()
    assert daily[True] / daily[False] == pytest.approx(0.475 / 1.05, abs=0.05)
    assert rows.groupby("channel")["unique_visitors"].sum().idxmax() == "organic_search"
