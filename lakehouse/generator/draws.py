"""Draws from distributions by their inverse distribution function: each value follows from one uniform of a stream."""

from __future__ import annotations

from collections.abc import Sequence
from math import erfc, sqrt

import numpy as np
from numpy.typing import NDArray

from lakehouse.generator.streams import Floats, Ints, Words

# From this mean on a count is drawn from the gamma distribution with the same mean and variance.
_LARGE_MEAN = 30.0
_SMALLEST_PROBABILITY = 1e-17

_SCORES = np.linspace(-8.5, 8.5, 8501)
_PROBABILITIES = np.array([0.5 * erfc(-score / sqrt(2)) for score in _SCORES])

# A 64-bit word holds four fields of 16 bits; a table holds a distribution's quantile for each value of a field.
FIELD_VALUES = 1 << 16
FIELD_MIDPOINTS = (np.arange(FIELD_VALUES) + 0.5) / FIELD_VALUES


def normal_quantile(uniform: Floats) -> Floats:
    """Return the standard normal quantile of each uniform, exact to about 1e-6."""
    return np.interp(uniform, _PROBABILITIES, _SCORES)


def log_normal(uniform: Floats, median: Floats | float, sigma: float) -> Floats:
    """Return a log-normal value for each uniform; ``sigma`` is the standard deviation of the logarithm."""
    return np.asarray(median * np.exp(sigma * normal_quantile(uniform)))


def poisson(uniform: Floats, mean: Floats | float) -> Ints:
    """Return a Poisson count for each uniform; the means broadcast against them."""
    uniform, mean = np.broadcast_arrays(uniform, np.asarray(mean, dtype=np.float64))
    small = np.minimum(mean, _LARGE_MEAN)
    counts = _panjer(uniform, np.exp(-small), np.zeros_like(small), small)
    return np.where(mean < _LARGE_MEAN, counts, _gamma_count(uniform, mean, mean))


def negative_binomial(uniform: Floats, mean: Floats | float, dispersion: float) -> Ints:
    """Return a negative-binomial count for each uniform, of variance mean + mean² ÷ dispersion."""
    uniform, mean = np.broadcast_arrays(uniform, np.asarray(mean, dtype=np.float64))
    small = np.minimum(mean, _LARGE_MEAN)
    failure = small / (dispersion + small)
    counts = _panjer(uniform, (1 - failure) ** dispersion, failure, failure * (dispersion - 1))
    shape = 1 / (1 / np.maximum(mean, _LARGE_MEAN) + 1 / dispersion)
    return np.where(mean < _LARGE_MEAN, counts, _gamma_count(uniform, mean, shape))


def zipf_shares(count: int, exponent: float) -> Floats:
    """Return the shares of ``count`` ranks under Zipf's law; they sum to 1."""
    weights = np.arange(1, count + 1) ** -exponent
    return np.asarray(weights / weights.sum())


def choice(uniform: Floats, shares: Sequence[float] | Floats) -> Ints:
    """Return for each uniform the index of one of the ``shares``, which need not sum to 1."""
    ends = np.cumsum(np.asarray(shares, dtype=np.float64))
    return np.asarray(np.minimum(np.searchsorted(ends, uniform * ends[-1], side="right"), len(ends) - 1))


def field(words: Words, number: int) -> NDArray[np.uint16]:
    """Return the field ``number`` (0 to 3) of each word: an integer from 0 to 65,535, for a table of quantiles."""
    return np.asarray(words >> np.uint64(16 * number)).astype(np.uint16)


def _panjer(uniform: Floats, first: Floats, constant: Floats, inverse: Floats) -> Ints:
    """Invert the distribution with p(0) = first and p(n) = p(n − 1) × (constant + inverse ÷ n)."""
    shape = uniform.shape
    uniform, probability, constant, inverse = (
        array.reshape(-1) for array in np.broadcast_arrays(uniform, first, constant, inverse)
    )
    counts: NDArray[np.int64] = np.zeros(uniform.size, dtype=np.int64)
    pending = np.flatnonzero(uniform > probability)
    excess, probability = (uniform - probability)[pending], probability[pending]
    constant, inverse = constant[pending], inverse[pending]
    number = 0
    while pending.size:
        number += 1
        counts[pending] = number
        probability = probability * (constant + inverse / number)
        excess = excess - probability
        going_on = (excess > 0) & (probability > _SMALLEST_PROBABILITY)
        pending, excess, probability = pending[going_on], excess[going_on], probability[going_on]
        constant, inverse = constant[going_on], inverse[going_on]
    return counts.reshape(shape)


def _gamma_count(uniform: Floats, mean: Floats, shape: Floats) -> Ints:
    # Wilson and Hilferty's approximation of the gamma quantile, whose cube root is nearly normal.
    shape = np.maximum(shape, 1e-9)
    root = 1 - 1 / (9 * shape) + normal_quantile(uniform) / (3 * np.sqrt(shape))
    return np.asarray(np.rint(mean * np.maximum(root, 0) ** 3).astype(np.int64))
