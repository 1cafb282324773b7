"""Users who come, stay and leave."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest

from lakehouse.generator.roster import signup_second
from lakehouse.generator.users import ProductState, month_users
from tests.product import CUSTOMERS, PARAMETERS, SEED, USERS, lived, rosters, state_of

ONE = np.array([3])


@pytest.mark.parametrize("blocks", [2, 4])
def test_users_do_not_depend_on_who_is_generated_together(blocks: int) -> None:
    assert lived(blocks)["users"].equals(lived(1)["users"])
    assert lived(1)["users"].num_rows > 10 * CUSTOMERS


def test_seats_are_filled_over_the_months_and_never_more_than_there_are() -> None:
    counts = [int(roster.count[0]) for _, roster in rosters(4, ONE, seats=100)]
    assert counts[0] < counts[1] <= counts[2] <= 100
    # Three quarters of the free seats each month, give or take one and the few who leave.
    assert counts[0] == pytest.approx(75, abs=1)
    assert counts[1] > 90


def test_the_founder_is_there_from_the_sign_up_and_stays_when_seats_go() -> None:
    [(users, first)] = rosters(1, ONE, seats=30, first_day=4)
    founder = users.to_pylist()[0]
    second = int(signup_second(SEED, first.started_on, ONE)[0])
    assert founder["created_at"].replace(tzinfo=None) == datetime(2025, 10, 4) + timedelta(seconds=second)
    assert founder["role"] == "admin"

    _, _, state = month_users(PARAMETERS, SEED, state_of(0, ONE, seats=30), ProductState.empty(), schema=USERS)
    left, shrunk, state = month_users(PARAMETERS, SEED, state_of(1, ONE, seats=1), state, schema=USERS)
    assert state.number.tolist() == [0]
    assert shrunk.leaving.tolist() == [left.num_rows]


def test_a_version_of_who_left_keeps_the_creation_and_tells_the_end() -> None:
    before, _, state = month_users(PARAMETERS, SEED, state_of(0, ONE, seats=30), ProductState.empty(), schema=USERS)
    left, _, _ = month_users(PARAMETERS, SEED, state_of(1, ONE, seats=10), state, schema=USERS)
    created_at = dict(zip(before["user_id"].to_pylist(), before["created_at"].to_pylist(), strict=True))
    assert left.num_rows > 0
    for version in left.to_pylist():
        assert version["created_at"] == created_at[version["user_id"]]
        assert version["deactivated_at"] == version["updated_at"]
        assert (version["updated_at"].year, version["updated_at"].month) == (2025, 11)


def test_users_are_still_there_when_their_customer_returns() -> None:
    _, roster, state = month_users(PARAMETERS, SEED, state_of(0, ONE), ProductState.empty(), schema=USERS)
    _, _, away = month_users(PARAMETERS, SEED, state_of(1, np.array([5])), state, schema=USERS)
    versions, back, _ = month_users(PARAMETERS, SEED, state_of(2, ONE), away, schema=USERS)
    assert set(roster.number.tolist()) <= set(back.number.tolist())
    new = set(back.number.tolist()) - set(roster.number.tolist())
    assert versions.filter(pa.compute.is_null(versions["deactivated_at"])).num_rows == len(new)


def test_a_month_without_customers_leaves_the_state_as_it_was() -> None:
    _, _, state = month_users(PARAMETERS, SEED, state_of(0, ONE), ProductState.empty(), schema=USERS)
    versions, roster, after = month_users(PARAMETERS, SEED, state_of(1, ONE[:0]), state, schema=USERS)
    assert (versions.num_rows, len(roster.number)) == (0, 0)
    assert after.number.tolist() == state.number.tolist()


def test_idle_users_are_about_as_many_as_configured() -> None:
    [(_, roster)] = rosters(1, np.arange(200), seats=50)
    share = float((roster.activity < 100).mean())
    assert share == pytest.approx(PARAMETERS.usage.users.idle_share, abs=0.02)


def test_present_users_are_those_who_joined_before_the_day_and_have_not_left() -> None:
    [(_, roster)] = rosters(1, ONE, seats=30)
    roster = replace(roster, leaving=np.array([2]), leaving_day=np.array([10]))
    low, high = roster.present()
    assert (low[0, 8], low[0, 9]) == (0, 2)
    joined_early = int((roster.joined_day < 15).sum())
    assert high[0, 14] == joined_early
