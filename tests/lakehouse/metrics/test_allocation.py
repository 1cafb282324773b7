"""Sharing money: whole cents, exactly the total."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from lakehouse.metrics.allocation import shared_by_weight

SCHEMA = "group int, name string, total decimal(18,2), weight bigint"


def shares(spark, records):
    shared = shared_by_weight(
        spark.createDataFrame(records, SCHEMA),
        total="total",
        weight="weight",
        within=["group"],
        order=["name"],
        share="share",
    )
    return {(row.group, row.name): row.share for row in shared.collect()}


def test_odd_cents_go_to_the_largest_remainders_and_then_by_name(spark):
    thirds = [(1, name, Decimal("100.00"), 1) for name in "abc"]
    # 0.05 by 1 : 2 : 7 is 0.5, 1, 3.5 cents: one cent left, remainders 0.5 and 0.5, the first name takes it.
    tie = [(2, "a", Decimal("0.05"), 1), (2, "b", Decimal("0.05"), 2), (2, "c", Decimal("0.05"), 7)]
    # 1.00 by 1 : 5 is 16.67 and 83.33 cents: the larger remainder takes the odd cent.
    largest = [(3, "a", Decimal("1.00"), 5), (3, "b", Decimal("1.00"), 1)]
    nobody = [(4, "a", Decimal("1.00"), 0)]
    assert shares(spark, thirds + tie + largest + nobody) == {
        (1, "a"): Decimal("33.34"),
        (1, "b"): Decimal("33.33"),
        (1, "c"): Decimal("33.33"),
        (2, "a"): Decimal("0.01"),
        (2, "b"): Decimal("0.01"),
        (2, "c"): Decimal("0.03"),
        (3, "a"): Decimal("0.83"),
        (3, "b"): Decimal("0.17"),
        (4, "a"): None,
    }


GROUPS = st.lists(
    st.tuples(
        st.integers(0, 10**11),
        st.lists(st.integers(0, 10**9), min_size=1, max_size=6).filter(any),
    ),
    min_size=30,
    max_size=30,
)


@hypothesis_settings(max_examples=3, deadline=None, database=None)
@given(groups=GROUPS)
def test_shares_add_up_and_differ_from_the_exact_part_by_less_than_a_cent(spark, groups):
    records = [
        (number, str(place), Decimal(cents) / 100, weight)
        for number, (cents, weights) in enumerate(groups)
        for place, weight in enumerate(weights)
    ]
    shared = shares(spark, records)
    for number, (cents, weights) in enumerate(groups):
        parts = [shared[number, str(place)] for place in range(len(weights))]
        assert sum(parts) == Decimal(cents) / 100
        for part, weight in zip(parts, weights, strict=True):
            assert abs(part * 100 * sum(weights) - cents * weight) < sum(weights)
