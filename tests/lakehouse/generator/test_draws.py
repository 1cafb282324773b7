"""Counts and values by inverse distribution functions."""

from __future__ import annotations

import numpy as np
import pytest

from lakehouse.generator import draws
from lakehouse.generator.draws import FIELD_MIDPOINTS


def test_poisson_counts_change_where_the_distribution_function_does() -> None:
    # Mean 1: F(0) = e⁻¹ = 0.3679, F(1) = 0.7358, F(2) = 0.9197.
    uniform = np.array([0.36, 0.37, 0.73, 0.74, 0.91, 0.92])
    assert draws.poisson(uniform, 1.0).tolist() == [0, 1, 1, 2, 2, 3]


def test_negative_binomial_with_dispersion_one_is_geometric() -> None:
    # Mean 1, dispersion 1: p(n) = ½ⁿ⁺¹, so F(0) = 0.5, F(1) = 0.75, F(2) = 0.875.
    uniform = np.array([0.49, 0.51, 0.74, 0.76, 0.87, 0.88])
    assert draws.negative_binomial(uniform, 1.0, 1.0).tolist() == [0, 1, 1, 2, 2, 3]


@pytest.mark.parametrize("mean", [0.3, 5.0, 29.0, 31.0, 2000.0])
def test_negative_binomial_has_the_mean_and_the_variance_of_its_parameters(mean: float) -> None:
    counts = draws.negative_binomial(FIELD_MIDPOINTS, mean, 2.0)
    assert counts.mean() == pytest.approx(mean, rel=0.01)
    assert counts.var() == pytest.approx(mean + mean**2 / 2, rel=0.03)


@pytest.mark.parametrize("mean", [0.3, 29.0, 31.0, 2000.0])
def test_poisson_has_the_variance_of_its_mean(mean: float) -> None:
    counts = draws.poisson(FIELD_MIDPOINTS, mean)
    assert counts.mean() == pytest.approx(mean, rel=0.01)
    assert counts.var() == pytest.approx(mean, rel=0.02)


def test_nothing_happens_at_mean_zero() -> None:
    almost_one = np.array([1 - 2**-53])
    assert draws.poisson(almost_one, 0.0).tolist() == [0]
    assert draws.negative_binomial(almost_one, 0.0, 2.0).tolist() == [0]


def test_a_count_depends_on_its_own_uniform_and_mean_only() -> None:
    uniform, mean = np.linspace(0.01, 0.99, 50), np.linspace(0, 60, 50)
    together = draws.negative_binomial(uniform, mean, 2.0)
    alone = [int(draws.negative_binomial(uniform[[i]], mean[[i]], 2.0)[0]) for i in range(50)]
    assert together.tolist() == alone


def test_normal_quantiles_are_those_of_the_tables() -> None:
    quantiles = draws.normal_quantile(np.array([0.025, 0.5, 0.841344746, 0.999]))
    assert quantiles == pytest.approx([-1.959964, 0.0, 1.0, 3.090232], abs=1e-5)


def test_a_log_normal_has_its_median_and_spread() -> None:
    # One standard deviation above the median of 3 with sigma 0.5: 3 × e^0.5 = 4.946.
    assert draws.log_normal(np.array([0.5, 0.841344746]), 3.0, 0.5) == pytest.approx([3.0, 4.946164], rel=1e-5)


def test_zipf_shares_fall_with_the_rank() -> None:
    # 1 + 1/2 + 1/3 = 11/6.
    assert draws.zipf_shares(3, 1.0) == pytest.approx([6 / 11, 3 / 11, 2 / 11])


def test_a_choice_falls_in_the_share_of_its_uniform() -> None:
    assert draws.choice(np.array([0.24, 0.26, 0.99]), [1.0, 0.0, 3.0]).tolist() == [0, 2, 2]


def test_fields_are_the_quarters_of_a_word() -> None:
    word = np.array([0x0004_0003_0002_0001], dtype=np.uint64)
    assert [int(draws.field(word, number)[0]) for number in range(4)] == [1, 2, 3, 4]
