"""Policies as configured, and the way from one to another."""

from __future__ import annotations

import pytest

from lakehouse.config import load
from lakehouse.policies import Policy, completed, steps
from lakehouse.project import PROJECT


@pytest.fixture(scope="module")
def policies():
    return load(PROJECT / "conf").metrics.policies


def test_board_is_the_policy_of_the_definitions(policies):
    assert policies["board"].model_dump() == {
        "counts_trials": False,
        "counts_free_plans": False,
        "counts_paused": False,
        "counts_past_due": True,
        "counts_finite_discounts": True,
        "weeks_per_year": 52,
        "churn_dated": "period_end",
        "late_renewal_days": 0,
        "converted_at": "month_end",
        "shows_new_and_churn_in_month": True,
        "reactivation_in_nrr": False,
    }


@pytest.mark.parametrize(
    ("profile", "own"),
    [
        ("stripe", {"churn_dated": "cancellation", "counts_finite_discounts": False}),
        ("chartmogul", {"reactivation_in_nrr": True}),
        ("profitwell", {"shows_new_and_churn_in_month": False, "converted_at": "movement"}),
        ("recurly", {}),
    ],
)
def test_a_vendors_profile_differs_from_board_only_in_what_its_rules_state(policies, profile, own):
    assert policies[profile].model_dump() == policies["board"].model_dump() | own


def test_statuses_count_as_the_switches_say(policies):
    board = policies["board"]
    assert set(board.statuses) == {"active", "canceled", "past_due"}
    others = {"counts_trials": True, "counts_paused": True, "counts_past_due": False}
    assert set(board.model_copy(update=others).statuses) == {"active", "canceled", "trialing", "paused"}


def test_the_way_turns_one_switch_after_another_in_the_order_of_the_fields(policies):
    way = steps(policies["stripe"], policies["profitwell"])
    assert list(way) == [
        "counts_finite_discounts",
        "churn_dated",
        "converted_at",
        "shows_new_and_churn_in_month",
    ]
    assert way["counts_finite_discounts"].counts_finite_discounts
    assert way["counts_finite_discounts"].churn_dated == "cancellation"
    assert list(way.values())[-1] == policies["profitwell"]
    assert steps(policies["recurly"], policies["board"]) == {}


def test_a_switch_that_a_profile_does_not_name_is_boards(policies):
    board = policies["board"].model_dump()
    profiles = completed({"board": board | {"late_renewal_days": 30}, "own": {"counts_paused": True}})
    assert Policy.model_validate(profiles["own"]).late_renewal_days == 30
