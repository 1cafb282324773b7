"""Events of use: counts, times, features and onboarding."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from lakehouse.generator.roster import signup_second
from lakehouse.generator.usage import day_factors
from lakehouse.vocabulary import EVENT_TYPE_CATEGORIES
from tests.product import PARAMETERS, SEED, events_of, lived, rosters

MANY = np.arange(300)


@pytest.fixture(scope="module")
def november() -> pd.DataFrame:
    """The events of 300 customers in their second month."""
    [_, (_, roster)] = rosters(2, MANY)
    return events_of(roster).to_pandas()


@pytest.fixture(scope="module")
def october() -> pd.DataFrame:
    """The events of 300 customers in their first month, with the time since they signed up."""
    [(_, roster)] = rosters(1, MANY)
    events = events_of(roster).to_pandas()
    start = pd.Timestamp("2025-10-01", tz="UTC") + pd.to_timedelta(signup_second(SEED, roster.started_on, MANY), "s")
    return events.assign(since_start=events["occurred_at"] - start[events["customer_id"].str[1:].astype(int)])


@pytest.mark.parametrize("blocks", [2, 4])
def test_events_do_not_depend_on_who_is_generated_together(blocks: int) -> None:
    assert lived(blocks)["events"].equals(lived(1)["events"])
    assert lived(1)["events"].num_rows > 10_000


def test_events_do_not_depend_on_the_size_of_the_batches() -> None:
    assert lived(1, batch_rows=500)["events"].equals(lived(1)["events"])


def test_event_ids_are_unique() -> None:
    events = lived(1)["events"]
    assert pc.count_distinct(events["event_id"]).as_py() == events.num_rows


def test_users_act_only_while_they_are_there() -> None:
    tables = lived(1)
    users = tables["users"].group_by("user_id").aggregate([("created_at", "min"), ("deactivated_at", "max")])
    joined = tables["events"].join(users, "user_id")
    assert joined["created_at_min"].null_count == 0
    assert pc.all(pc.less_equal(joined["created_at_min"], joined["occurred_at"])).as_py()
    is_gone = pc.fill_null(pc.less(joined["deactivated_at_max"], joined["occurred_at"]), fill_value=False)
    assert not pc.any(is_gone).as_py()


def test_a_customer_with_one_day_of_access_has_events_on_that_day_only() -> None:
    [(_, roster)] = rosters(1, np.arange(50), first_day=15, last_day=15)
    assert set(events_of(roster)["event_date"].to_pylist()) == {date(2025, 10, 15)}


def test_there_are_no_events_without_customers() -> None:
    [(_, roster)] = rosters(1, np.arange(0))
    assert events_of(roster).num_rows == 0


def test_a_session_opens_with_its_only_login_and_ends_on_its_day(november: pd.DataFrame) -> None:
    sessions = november.sort_values("event_id").groupby("session_id")
    assert (sessions["event_type"].first() == "login").all()
    assert (november["event_type"] == "login").sum() == len(sessions)
    assert (sessions["event_date"].first() == sessions["event_date"].last()).all()
    assert sessions["occurred_at"].apply(lambda times: times.is_monotonic_increasing).all()
    assert (november["occurred_at"].dt.date == november["event_date"]).all()


def test_sessions_take_about_twelve_minutes(november: pd.DataFrame) -> None:
    times = november.groupby("session_id")["occurred_at"]
    minutes = (times.max() - times.min()).dt.total_seconds() / 60
    assert 10 < minutes.mean() < 14


def test_weekends_have_fifteen_to_thirty_per_cent_of_a_weekday(november: pd.DataFrame) -> None:
    daily = november.groupby("event_date").size()
    is_weekend = pd.to_datetime(daily.index).dayofweek >= 5
    assert 0.15 < daily[is_weekend].mean() / daily[~is_weekend].mean() < 0.30


def test_features_stand_under_their_types_and_categories(november: pd.DataFrame) -> None:
    types = {feature.name: feature.event_type for feature in PARAMETERS.usage.features}
    with_feature = november.dropna(subset="feature")
    assert (with_feature["feature"].map(types) == with_feature["event_type"]).all()
    categories = november["event_type"].map(EVENT_TYPE_CATEGORIES)
    assert (categories.fillna("") == november["event_category"].fillna("")).all()
    assert set(november.loc[november["feature"].isna(), "event_type"]) == {"login"}


def test_the_shares_of_the_features_fall_by_zipfs_law(november: pd.DataFrame) -> None:
    shares = november["feature"].value_counts(normalize=True)
    assert shares.index[0] == PARAMETERS.usage.features[0].name
    # Under Zipf's law with 1.1 the second has 2^-1.1 = 0.47 of the first; roles shift it somewhat.
    assert 0.4 < shares.iloc[1] / shares.iloc[0] < 0.6


def test_a_plan_without_a_feature_does_not_use_it() -> None:
    [_, (_, roster)] = rosters(2, MANY[:50], plan_rank=1)
    types = set(events_of(roster)["event_type"].to_pylist())
    assert not types & {"api_call", "advanced_analytics_run"}
    assert "dashboard_viewed" in types


def test_engagement_multiplies_the_events() -> None:
    counts = []
    for engagement in (1.0, 0.5):
        [_, (_, roster)] = rosters(2, MANY, engagement=engagement)
        counts.append(events_of(roster).num_rows)
    assert counts[1] / counts[0] == pytest.approx(0.5, abs=0.04)


def test_errors_grow_with_incidents() -> None:
    shares = []
    for incident in (1.0, 3.0):
        [_, (_, roster)] = rosters(2, MANY, incident=incident)
        outcome = events_of(roster)["outcome"]
        shares.append(pc.mean(pc.equal(outcome, "error").cast(pa.int8())).as_py())
    assert shares == pytest.approx([0.012, 0.036], rel=0.15)


def test_new_customers_set_up_in_order_and_most_of_them_completely(october: pd.DataFrame) -> None:
    names = [step.name for step in PARAMETERS.usage.onboarding.steps]
    steps = october[october["event_type"] == "onboarding_step"].sort_values("occurred_at")
    taken = steps.groupby("customer_id")["feature"].agg(list)
    assert all(list_of_steps == [name for name in names if name in list_of_steps] for list_of_steps in taken)
    assert 0.7 < (taken.str.len() == len(names)).sum() / len(MANY) < 0.9


def test_most_new_customers_have_a_dashboard_within_two_days(october: pd.DataFrame) -> None:
    built = october[october["event_type"] == "dashboard_created"].groupby("customer_id")["since_start"].min()
    assert built.min() > pd.Timedelta(0)
    assert 0.85 < (built < pd.Timedelta(hours=48)).sum() / len(MANY) < 0.96


def test_holidays_and_the_last_days_of_the_year_are_quiet() -> None:
    factors = day_factors(PARAMETERS.usage.rhythm, date(2025, 12, 1))
    # Thursday 25 December is a holiday; Wednesday 17 is a normal day, 1.14, and Wednesday 24 has 0.45 of it.
    assert factors[[24, 16, 23]] == pytest.approx([0.3, 1.14, 0.513])
