"""Monthly spending in the reporting currency."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lakehouse.cleaning import kept
from lakehouse.metrics.currency import convertible, to_reporting, with_rate_known
from lakehouse.table import Table


def spending(received: DataFrame, declared: Table, rates: DataFrame, reporting_currency: str) -> DataFrame:
    """Return the sound rows of a received table with ``month``, ``amount`` and ``currency``, and add ``spend``.

    ``spend`` is the amount in the reporting currency at the rate of the month's last day, decimal(18,6); a row before
    its currency's first rate is an error, since leaving it out would understate a cost. ``rates`` are the clean ones.
    """
    sound = kept(with_rate_known(received, rates, reporting_currency), convertible(declared))
    converted = to_reporting(
        sound.withColumns({"month": F.trunc("month", "month"), "_month_end": F.last_day("month")}),
        rates,
        day="_month_end",
        amounts={"amount": "spend"},
        reporting_currency=reporting_currency,
    )
    no_rate = F.raise_error(F.concat(F.lit("no exchange rate of "), "currency", F.lit(" on or before "), "_month_end"))
    return converted.withColumn("spend", F.coalesce("spend", no_rate)).drop("_month_end")
