"""Random numbers as a function of (seed, stream, counters): no state, so neither order nor parallelism can show.

Counters are whatever tells one draw from the next: an entity's ordinal, a month, a step.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Words = NDArray[np.uint64]

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_FIRST = np.uint64(0xBF58476D1CE4E5B9)
_SECOND = np.uint64(0x94D049BB133111EB)


def stream(seed: int, name: str) -> np.uint64:
    """Return the key of the stream ``name``; streams of different names are independent."""
    return np.uint64(int.from_bytes(blake2b(f"{seed}/{name}".encode(), digest_size=8).digest(), "little"))


def words(key: np.uint64, *counters: Ints | int) -> Words:
    """Return 64 random bits for each combination of the counters, which broadcast against each other."""
    with np.errstate(over="ignore"):
        value = np.asarray(key, dtype=np.uint64)
        for counter in counters:
            value = _mix(value + np.asarray(counter).astype(np.uint64) * _GOLDEN)
        return _mix(value + _GOLDEN)


def uniform(key: np.uint64, *counters: Ints | int) -> Floats:
    """Return uniforms in the open interval (0, 1)."""
    return ((words(key, *counters) >> np.uint64(11)).astype(np.float64) + 0.5) * 2.0**-53


def normal(key: np.uint64, *counters: Ints | int) -> Floats:
    """Return standard normals, by Box and Muller's transform of two uniforms."""
    radius = np.sqrt(-2.0 * np.log(uniform(key, *counters, 0)))
    return np.asarray(radius * np.cos(2.0 * np.pi * uniform(key, *counters, 1)))


def _mix(value: Words) -> Words:
    # The finaliser of splitmix64.
    value = (value ^ (value >> np.uint64(30))) * _FIRST
    value = (value ^ (value >> np.uint64(27))) * _SECOND
    return np.asarray(value ^ (value >> np.uint64(31)))


@dataclass(frozen=True)
class Source:
    """The streams of one seed, by name."""

    seed: int

    def uniform(self, name: str, *counters: Ints | int) -> Floats:
        """Return uniforms of the stream ``name``."""
        return uniform(stream(self.seed, name), *counters)

    def normal(self, name: str, *counters: Ints | int) -> Floats:
        """Return standard normals of the stream ``name``."""
        return normal(stream(self.seed, name), *counters)
