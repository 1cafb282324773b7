"""Moments at which customers are looked at, and the windows that end with them.

A moment is the end of ``as_of_date`` for ``customer_id``. A window of n days ends with that day, and what became known
later does not count, so that a moment of the past is judged as it would have been then.
"""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

MOMENT = ["customer_id", "as_of_date"]

_MICROSECONDS_PER_DAY = 86_400_000_000


def days_between(begin: Column, end: Column) -> Column:
    """Return the days from one moment to another as a double; null where either is missing.

    Example: from Monday 9:00 to Tuesday 21:00 are 1.5.
    """
    return (F.unix_micros(end) - F.unix_micros(begin)) / F.lit(_MICROSECONDS_PER_DAY)


def in_window(frame: DataFrame, moments: DataFrame, *, day: str, days: int) -> DataFrame:
    """Return the rows whose ``day`` lies in the window of ``days`` that ends with a moment of their customer.

    One row per row and moment, with ``as_of_date`` and ``age_days`` (0 on the day itself).
    """
    # By the months that a window touches, so that a day meets few moments instead of all of its customer's.
    first_month = F.trunc(F.date_sub("as_of_date", days - 1), "month")
    months = F.sequence(first_month, F.trunc("as_of_date", "month"), F.expr("INTERVAL 1 MONTH"))
    touched = moments.select(*MOMENT, F.explode(months).alias("_month"))
    return (
        frame.withColumn("_month", F.trunc(day, "month"))
        .join(touched, how="inner", on=["customer_id", "_month"])
        .withColumn("age_days", F.date_diff("as_of_date", day))
        .filter(F.col("age_days").between(0, days - 1))
    )
