"""Breakdowns: every row once in each dimension, under a name."""

from __future__ import annotations

from lakehouse.metrics.breakdown import by_dimension


def test_a_row_is_once_in_each_dimension_and_a_missing_value_is_unknown(spark):
    customers = spark.createDataFrame([("a", "Starter", None)], "id string, plan string, region string")
    dimensions = {"plan_x_region": ("plan", "region"), "region": ("region",), "all": ()}
    found = [
        (row.id, row.dimension_rank, row.dimension, row.dimension_value)
        for row in by_dimension(customers, dimensions).collect()
    ]
    assert found == [
        ("a", 0, "plan_x_region", "Starter | unknown"),
        ("a", 1, "region", "unknown"),
        ("a", 2, "all", "all"),
    ]
