"""The classes by which customers are compared, and what each customer was at a month's close."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from lakehouse.settings import Segments

DIMENSIONS = ("account_id", "company_size", "segment", "industry", "region", "acquisition_channel")


def segment(employee_count: Column, segments: Segments) -> Column:
    """Return SMB, Mid-Market or Enterprise by the number of employees; null where it is unknown."""
    return (
        F.when(employee_count >= segments.enterprise_from, "Enterprise")
        .when(employee_count >= segments.mid_market_from, "Mid-Market")
        .when(employee_count.isNotNull(), "SMB")
    )


def with_dimensions(ledger: DataFrame, customers: DataFrame, segments: Segments) -> DataFrame:
    """Return the ledger, one row per customer and month, with the customer's dimensions of the month's close.

    ``customers`` are the versions of :func:`lakehouse.cleaning.kept_by_day`; the dimensions of an unknown customer are
    null.
    """
    versions = customers.withColumn("segment", segment(F.col("employee_count"), segments)).select(
        F.col("customer_id").alias("_customer_id"), *DIMENSIONS, "_valid_from", "_valid_to"
    )
    month_end = F.last_day("month")
    is_version_of_the_close = (
        (F.col("customer_id") == F.col("_customer_id"))
        & F.coalesce(F.col("_valid_from") <= month_end, F.lit(True))
        & F.coalesce(F.col("_valid_to") > month_end, F.lit(True))
    )
    return ledger.join(versions, on=is_version_of_the_close, how="left")
