"""Answers to the recommendation question."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest

from lakehouse.generator.surveys import month_surveys
from tests.product import ANSWERS, PARAMETERS, SEED, lived, rosters

MANY = np.arange(6000)
SATISFACTION = np.tile(np.linspace(-1.7, 1.7, 30), 200)  # standard deviation 1


@pytest.fixture(scope="module")
def answers() -> pd.DataFrame:
    """The answers of one month, in which a third of the customers are asked."""
    [_, (_, roster)] = rosters(2, MANY, satisfaction=SATISFACTION)
    return month_surveys(PARAMETERS, SEED, roster, schema=ANSWERS).to_pandas()


@pytest.mark.parametrize("blocks", [2, 4])
def test_answers_do_not_depend_on_who_is_generated_together(blocks: int) -> None:
    assert lived(blocks)["answers"].equals(lived(1)["answers"])
    assert lived(1)["answers"].num_rows > 10


def test_promoters_outnumber_detractors_by_thirty_to_forty_two_points(answers: pd.DataFrame) -> None:
    score = 100 * ((answers["score"] >= 9).mean() - (answers["score"] <= 6).mean())
    assert 30 < score < 42


def test_scores_follow_satisfaction_loosely(answers: pd.DataFrame) -> None:
    satisfaction = SATISFACTION[answers["customer_id"].str[1:].astype(int)]
    assert np.corrcoef(answers["score"], satisfaction)[0, 1] == pytest.approx(0.3, abs=0.06)


def test_every_account_is_asked_in_one_month_of_three() -> None:
    asked: list[set[str]] = []
    for _, roster in rosters(4, np.arange(600))[1:]:
        asked.append(set(month_surveys(PARAMETERS, SEED, roster, schema=ANSWERS)["customer_id"].to_pylist()))
    assert all(asked)
    assert len(asked[0] | asked[1] | asked[2]) == sum(len(customers) for customers in asked)


def test_nobody_answers_in_the_first_month_or_after_access() -> None:
    [(_, first), (_, second)] = rosters(2, MANY)
    assert month_surveys(PARAMETERS, SEED, first, schema=ANSWERS).num_rows == 0
    short = replace(second, month=replace(second.month, last_day=np.full(len(MANY), 3)))
    moments = month_surveys(PARAMETERS, SEED, short, schema=ANSWERS)["responded_at"].to_pylist()
    assert moments
    assert max(moments) < datetime(2025, 11, 4, tzinfo=UTC)


def test_some_answers_carry_a_comment(answers: pd.DataFrame) -> None:
    assert answers["comment"].notna().mean() == pytest.approx(PARAMETERS.surveys.comment_share, abs=0.05)
