"""Groups, ids and labels without Python objects."""

from __future__ import annotations

import numpy as np

from lakehouse.generator import arrays, state


def test_members_number_each_group_from_zero() -> None:
    group, place = arrays.members(np.array([2, 0, 3]))
    assert group.tolist() == [0, 0, 2, 2, 2]
    assert place.tolist() == [0, 1, 0, 1, 2]


def test_hex_ids_have_sixteen_digits() -> None:
    assert arrays.hex_ids(np.array([0, 255, 1 << 60])).to_pylist() == ["0" * 16, f"{255:016x}", "1" + "0" * 15]


def test_numbered_ids_are_padded_to_their_width() -> None:
    ids = arrays.numbered_ids("U", (np.array([7, 123]), 3), "-", (np.array([0, 45]), 2))
    assert ids.to_pylist() == ["U007-00", "U123-45"]


def test_customer_ids_are_those_of_the_state() -> None:
    ordinals = np.array([0, 42, 9_999_999])
    assert arrays.customer_ids(ordinals).to_pylist() == state.customer_ids(ordinals)
