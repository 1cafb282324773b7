"""Counter hashes, and draws that are spread over a group."""

from __future__ import annotations

import numpy as np

from lakehouse.generator.strata import Systematic, spread
from lakehouse.generator.streams import normal, stream, uniform

KEY = stream(1, "test")


def test_a_value_does_not_depend_on_what_else_is_drawn_or_in_which_order() -> None:
    entity = np.arange(1000)
    together = uniform(KEY, entity, 7)
    assert np.array_equal(uniform(KEY, entity[::-1], 7), together[::-1])
    assert uniform(KEY, np.array([123]), 7)[0] == together[123]


def test_another_seed_stream_entity_or_step_gives_another_value() -> None:
    entity = np.arange(100)
    draws = [
        uniform(KEY, entity, 0),
        uniform(KEY, entity, 1),
        uniform(stream(2, "test"), entity, 0),
        uniform(stream(1, "other"), entity, 0),
    ]
    assert len(np.unique(np.concatenate(draws))) == 400


def test_uniforms_fill_the_unit_interval_and_normals_have_mean_0_and_deviation_1() -> None:
    entity = np.arange(100_000)
    drawn = uniform(KEY, entity)
    # The standard error of a tenth's share is √(.1 × .9 ÷ 100,000) = .00095: five of them.
    assert np.abs(np.histogram(drawn, bins=10, range=(0, 1))[0] / 100_000 - 0.1).max() < 0.005
    assert drawn.min() > 0
    assert drawn.max() < 1
    scores = normal(KEY, entity)
    assert abs(scores.mean()) < 0.016
    assert abs(scores.std() - 1) < 0.012


def test_a_spread_attribute_hits_every_share_even_in_a_small_group() -> None:
    rank = np.arange(40)
    drawn = spread(KEY, "seats", np.zeros(40, dtype=np.int64), rank)
    assert np.histogram(drawn, bins=4, range=(0, 1))[0].tolist() == [10, 10, 10, 10] or (
        np.abs(np.histogram(drawn, bins=4, range=(0, 1))[0] - 10).max() <= 2
    )
    # A member's value stays when others join the group.
    assert spread(KEY, "seats", np.zeros(1, dtype=np.int64), rank[7:8])[0] == drawn[7]


def test_systematic_sampling_chooses_as_many_as_the_probabilities_add_up_to() -> None:
    sampling, cell = Systematic(KEY, 2), np.repeat([0, 1], 50)
    probability = np.where(cell == 0, 0.013, 0.21)
    chosen = np.zeros(2)
    for _ in range(24):
        picked = sampling.choose(probability, cell, np.arange(100))
        chosen += np.bincount(cell[picked], minlength=2)
    # 24 months × 50 members × .013 = 15.6 and × .21 = 252.
    assert 15 <= chosen[0] <= 16
    assert 251 <= chosen[1] <= 253


def test_systematic_sampling_prefers_the_probable() -> None:
    sampling, count = Systematic(KEY, 1), np.zeros(10)
    probability = np.where(np.arange(10) == 3, 0.5, 0.05)
    for _ in range(400):
        count += sampling.choose(probability, np.zeros(10, dtype=np.int64), np.arange(10))
    # 400 × .5 = 200 for the one, 400 × .05 = 20 for each of the others.
    assert 180 <= count[3] <= 220
    assert np.delete(count, 3).max() <= 40
    assert np.delete(count, 3).min() >= 5
