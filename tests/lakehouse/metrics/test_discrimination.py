"""The area under the curve of a score, and an interval that knows how many customers it rests on."""

from __future__ import annotations

import pytest

from lakehouse.metrics.discrimination import auc, by_customer, difference

SCHEMA = "dimension string, dimension_value string, score double, customer_id string, is_lost boolean"
LOST, STAYED = {"a": 1.0, "b": 3.0}, {"c": 2.0, "d": 3.0, "e": 4.0}


def observations(name, lost, stayed):
    return [
        ("score", name, score, customer_id, is_lost)
        for scores, is_lost in ((lost, True), (stayed, False))
        for customer_id, score in scores.items()
    ]


@pytest.fixture(scope="module")
def areas(spark):
    """Every case is a score of its own."""
    same = dict.fromkeys("abcde", 1.0)
    once = observations("once", LOST, STAYED)
    customers = by_customer(
        spark.createDataFrame(
            [
                *once,
                *observations(
                    "knows nothing", {name: same[name] for name in LOST}, {name: same[name] for name in STAYED}
                ),
                *observations("twice", LOST, STAYED),
                *observations("twice", LOST, STAYED),
                *observations("nobody lost", {}, STAYED),
                *observations("one lost", {"a": 1.0}, STAYED),
            ],
            SCHEMA,
        )
    )
    found = auc(customers).unionByName(auc(difference(customers, "once", "knows nothing")))
    return {
        "lead" if row.dimension_value == "knows nothing" and row.value != 0.5 else row.dimension_value: row
        for row in found.collect()
    }


def test_the_area_is_the_share_of_pairs_in_which_the_lost_one_scores_lower(areas):
    # 1 is below 2, 3 and 4; 3 is below 4 and equal to 3: (3 + 1.5) of 2 × 3 pairs.
    assert areas["once"].value == 0.75
    assert (areas["once"].lost, areas["once"].stayed) == (2, 3)
    assert areas["knows nothing"].value == 0.5


def test_with_one_observation_of_each_the_interval_is_delongs(areas):
    # Shares of stayers above: 1, 0.5; of lost below: 0.5, 0.75, 1. Variances 0.125 ÷ 2 + 0.0625 ÷ 3 = 0.083333.
    half_width = 1.959964 * 0.0833333**0.5
    assert areas["once"].value_low == pytest.approx(0.75 - half_width, abs=1e-6)
    assert areas["once"].value_high == pytest.approx(0.75 + half_width, abs=1e-6)


def test_seeing_everybody_twice_makes_nothing_surer(areas):
    once, twice = areas["once"], areas["twice"]
    assert (twice.lost, twice.stayed, twice.value) == (4, 6, once.value)
    assert twice.value_low == pytest.approx(once.value_low)


def test_the_lead_over_a_score_of_the_same_observations_has_its_own_interval(areas):
    lead, once = areas["lead"], areas["once"]
    assert lead.value == 0.25
    # The other score is the same for everybody, so all of the uncertainty is this score's.
    assert lead.value_high - lead.value == pytest.approx(once.value_high - once.value)


def test_without_anybody_lost_there_is_no_area_and_with_one_no_interval(areas):
    assert (areas["nobody lost"].value, areas["nobody lost"].value_low) == (None, None)
    assert (areas["one lost"].value, areas["one lost"].value_low) == (1.0, None)
