"""Draws that are spread evenly over a group, so that a small company shows its parameters and not its luck.

Each value keeps the distribution that an independent draw would have; only the group's totals vary less.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lakehouse.generator.streams import Floats, Ints, uniform

# Steps of sequences modulo 1 that fill the unit cube of these attributes evenly at any length: inverse powers of the
# root of x⁶ = x + 1, by which the golden ratio generalises to five dimensions.
_ATTRIBUTES = ("seats", "plan", "fit", "cadence", "employees", "country", "channel")
_ROOT = 1.1347241384015194
_STEPS = {attribute: _ROOT ** -(number + 1) for number, attribute in enumerate(_ATTRIBUTES)}
_GOLDEN = (np.sqrt(5) - 1) / 2


def spread(key: np.uint64, attribute: str, group: Ints, rank: Ints) -> Floats:
    """Return one uniform for each member of a group, by its rank in the group: a shifted Weyl sequence."""
    shift = uniform(key, group, _ATTRIBUTES.index(attribute))
    return np.asarray((shift + (rank + 1) * _STEPS[attribute]) % 1.0)


class Systematic:
    """Sampling by cell with given probabilities, evenly spread over time and over the members.

    What is left of a cell's sum is carried to the next call, so that over the months the number chosen stays within
    one of what the probabilities add up to. Members are lined up by ``order``, each as long as it is probable, and the
    chosen are found at places that move on by the golden ratio: they are spread over the line too.
    """

    def __init__(self, key: np.uint64, cells: int) -> None:
        self._carried = uniform(key, np.arange(cells), 0)
        self._place = uniform(key, np.arange(cells), 1)

    def choose(self, probability: Floats, cell: Ints, order: Ints | Floats) -> NDArray[np.bool_]:
        """Return which members are chosen; ``cell`` numbers each member's cell."""
        line = np.lexsort((order, cell))
        chosen = np.zeros(len(cell), dtype=np.bool_)
        cells, starts = np.unique(cell[line], return_index=True)
        for number, members in zip(cells, np.split(line, starts[1:]), strict=False):
            ends = np.cumsum(probability[members])
            due = self._carried[number] + ends[-1]
            count = int(due)
            places = (self._place[number] + np.arange(count)) / max(count, 1) * ends[-1]
            chosen[members[np.minimum(np.searchsorted(ends, places), len(ends) - 1)]] = True
            self._carried[number] = due - count
            self._place[number] = (self._place[number] + _GOLDEN * (count > 0)) % 1.0
        return chosen
