"""None of something is zero; that nothing of the kind was ever received is another thing."""

from __future__ import annotations

import pytest

from lakehouse.metrics.presence import only_where_received, zero_where_received


@pytest.fixture
def customers(spark):
    return spark.createDataFrame([("a", 2, None), ("b", None, 5)], "customer string, tickets int, mrr int")


def test_who_has_none_has_zero_where_others_have_some(spark, customers):
    found = zero_where_received(customers, spark.range(1), ["tickets"]).collect()
    assert [tuple(row) for row in found] == [("a", 2, None), ("b", 0, 5)]


def test_where_nothing_was_received_nothing_is_known(spark, customers):
    found = zero_where_received(customers, spark.range(0), ["tickets"]).collect()
    assert [tuple(row) for row in found] == [("a", None, None), ("b", None, 5)]


def test_rows_that_lead_to_what_was_never_received_are_none(spark, customers):
    assert only_where_received(customers, spark.range(0)).collect() == []
    assert only_where_received(customers, spark.range(3)).collect() == customers.collect()
