"""The area under the curve of a score, and an interval that knows how many customers it rests on."""

from __future__ import annotations

import math

import pytest
from pyspark.sql import functions as F

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
                *observations("nobody stayed", LOST, {}),
                *observations("one lost", {"a": 1.0}, STAYED),
                *observations("errs never", {"a": 1.0, "b": 1.5}, STAYED),
                *observations("errs always", {"a": 5.0, "b": 6.0}, STAYED),
            ],
            SCHEMA,
        )
    )
    leads = difference(customers, "once", "knows nothing").unionByName(
        difference(customers, "errs never", "errs always")
    )
    found = (
        auc(customers)
        .withColumn("is_lead", F.lit(False))
        .unionByName(auc(leads, lowest=-1).withColumn("is_lead", F.lit(True)))
    )
    return {("lead over " if row.is_lead else "") + row.dimension_value: row for row in found.collect()}


def bounds(row):
    return row.value_low, row.value_high


def logistic(x):
    return 1 / (1 + math.exp(-x))


def test_the_area_is_the_share_of_pairs_in_which_the_lost_one_scores_lower(areas):
    # 1 is below 2, 3 and 4; 3 is below 4 and equal to 3: (3 + 1.5) of 2 × 3 pairs.
    assert areas["once"].value == 0.75
    assert (areas["once"].lost, areas["once"].stayed) == (2, 3)
    assert areas["knows nothing"].value == 0.5


def test_with_one_observation_of_each_the_interval_is_delongs_on_the_logit_scale(areas):
    # Shares of stayers above: 1, 0.5; of lost below: 0.5, 0.75, 1. Variances 0.125 ÷ 2 + 0.0625 ÷ 3 = 0.083333.
    half_width = 1.959964 * 0.0833333**0.5 / (0.75 * 0.25)
    logit = math.log(0.75 / 0.25)
    assert bounds(areas["once"]) == pytest.approx(
        (logistic(logit - half_width), logistic(logit + half_width)), abs=1e-6
    )
    # The plain interval, 0.75 ± 0.566, would end above 1.
    assert areas["once"].value_high < 1


def test_seeing_everybody_twice_makes_nothing_surer(areas):
    once, twice = areas["once"], areas["twice"]
    assert (twice.lost, twice.stayed, twice.value) == (4, 6, once.value)
    assert twice.value_low == pytest.approx(once.value_low)


def test_the_lead_over_a_score_of_the_same_observations_has_its_own_interval(areas):
    lead = areas["lead over knows nothing"]
    assert lead.value == 0.25
    # The other score is the same for everybody, so the variance is this score's, 0.083333; on Fisher's scale:
    half_width = 1.959964 * 0.0833333**0.5 / (1 - 0.25**2)
    centre = math.atanh(0.25)
    assert bounds(lead) == pytest.approx((math.tanh(centre - half_width), math.tanh(centre + half_width)), abs=1e-6)


def test_there_is_an_area_only_if_somebody_was_lost_and_somebody_stayed(areas):
    assert [areas[name].value for name in ("nobody lost", "nobody stayed")] == [None, None]
    assert [bounds(areas[name]) for name in ("nobody lost", "nobody stayed")] == [(None, None)] * 2
    assert (areas["nobody stayed"].lost, areas["nobody stayed"].stayed) == (2, 0)


def test_nothing_is_known_of_the_error_of_one_customer_or_of_a_score_that_never_varied(areas):
    names = ("one lost", "errs never", "errs always", "lead over errs always")
    assert [areas[name].value for name in names] == [1, 1, 0, 1]
    assert [bounds(areas[name]) for name in names] == [(None, None)] * 4
