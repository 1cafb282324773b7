"""Tickets and their versions."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

from lakehouse.generator.support import month_tickets
from lakehouse.generator.users import ProductState, month_users
from tests.product import PARAMETERS, SEED, TICKETS, USERS, lived, state_of

MANY = np.arange(1500)
TARGETS = yaml.safe_load((Path(__file__).resolve().parents[3] / "conf/sla.yml").read_text())["targets"]


def tickets_of(months: int, **values: object) -> pd.DataFrame:
    """Return all versions that many ordinary customers leave in the months."""
    state, versions = ProductState.empty(), []
    for number in range(months):
        _, roster, state = month_users(PARAMETERS, SEED, state_of(number, MANY, **values), state, schema=USERS)
        known, state = month_tickets(PARAMETERS, SEED, roster, state, schema=TICKETS)
        versions.append(known.to_pandas().assign(batch=number))
    return pd.concat(versions)


@pytest.fixture(scope="module")
def versions() -> pd.DataFrame:
    """Three months of 1,500 customers whose satisfaction is spread like that of a company."""
    return tickets_of(3, satisfaction=np.tile(np.linspace(-2, 2, 30), 50))


@pytest.fixture(scope="module")
def closed(versions: pd.DataFrame) -> pd.DataFrame:
    return versions[versions["status"] == "closed"]


@pytest.mark.parametrize("blocks", [2, 4])
def test_tickets_do_not_depend_on_who_is_generated_together(blocks: int) -> None:
    assert lived(blocks)["tickets"].equals(lived(1)["tickets"])
    assert lived(1)["tickets"].num_rows > 100


def test_a_version_is_handed_over_in_the_month_from_which_it_holds(versions: pd.DataFrame) -> None:
    assert (versions["updated_at"].dt.month == (9 + versions["batch"]) % 12 + 1).all()
    # Some tickets of October are resolved in November: the later version comes with the later batch.
    late = versions[
        (versions["status"] == "resolved") & (versions["opened_at"].dt.month != versions["updated_at"].dt.month)
    ]
    assert len(late) > 0


def test_versions_of_a_ticket_follow_its_life(versions: pd.DataFrame) -> None:
    assert not versions.duplicated(["ticket_id", "updated_at"]).any()
    is_open = versions["status"] == "open"
    assert versions.loc[is_open, ["first_responded_at", "resolved_at"]].isna().all().all()
    solved = versions[versions["status"].isin(["resolved", "closed"])]
    assert (solved["opened_at"] <= solved["first_responded_at"]).all()
    assert (solved["first_responded_at"] <= solved["resolved_at"]).all()
    assert (solved["resolved_at"] <= solved["updated_at"]).all()
    assert versions.loc[versions["status"] != "closed", "csat"].isna().all()


def test_ten_to_twenty_per_cent_breach_their_targets(closed: pd.DataFrame) -> None:
    def hours(moment: str) -> pd.Series:
        return (closed[moment] - closed["opened_at"]).dt.total_seconds() / 3600

    first_response = closed["priority"].map(lambda priority: TARGETS[priority]["first_response_hours"])
    resolution = closed["priority"].map(lambda priority: TARGETS[priority]["resolution_hours"])
    is_breached = (hours("first_responded_at") > first_response) | (hours("resolved_at") > resolution)
    assert 0.10 < is_breached.mean() < 0.20


def test_satisfaction_answers_are_few_and_good(closed: pd.DataFrame) -> None:
    assert closed["csat"].notna().mean() == pytest.approx(0.18, abs=0.03)
    assert 4.2 < closed["csat"].mean() < 4.7


def test_what_a_content_customer_writes_sounds_better(closed: pd.DataFrame) -> None:
    vader = SentimentIntensityAnalyzer()
    tone = {message: vader.polarity_scores(message)["compound"] for message in set(closed["message"])}
    satisfaction = closed["customer_id"].str[1:].astype(int) % 30
    assert closed["message"].map(tone).corr(satisfaction) > 0.4
    assert closed["sentiment_score"].corr(satisfaction) > 0.4
    assert closed["sentiment_score"].notna().mean() == pytest.approx(0.6, abs=0.04)


def test_incidents_multiply_tickets() -> None:
    quiet, loud = (tickets_of(1, incident=incident)["ticket_id"].nunique() for incident in (1.0, 2.0))
    assert loud / quiet == pytest.approx(2.0, abs=0.25)


def test_tickets_are_opened_during_access_by_a_user_of_the_customer() -> None:
    versions = tickets_of(1, first_day=10, last_day=12)
    assert set(versions["opened_at"].dt.day) == {10, 11, 12}
    assert (versions["user_id"].str[1:8] == versions["customer_id"].str[1:]).all()
