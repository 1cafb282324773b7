"""Bands of an amount."""

from __future__ import annotations

from decimal import Decimal

from pyspark.sql import functions as F

from lakehouse.metrics.bands import band, band_names


def test_an_edge_belongs_to_the_band_above_it(spark):
    values = [(Decimal(29),), (Decimal(30),), (Decimal(89),), (Decimal(90),), (None,)]
    found = spark.createDataFrame(values, "value decimal(18,2)").select(band(F.col("value"), [30, 90])).collect()
    assert [name for (name,) in found] == ["under 30", "30 to 90", "30 to 90", "90 and more", None]
    assert band_names([30]) == ("under 30", "30 and more")
