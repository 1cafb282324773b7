"""Amounts in the reporting currency: the rate of the day, else the last one before it.

Rates are few (currencies × days), so they travel to the rows: one broadcast row per currency holds the rates of all
its days in an array, and a row looks its day up by position.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.window import Window

from lakehouse.table import AMOUNT, Check, Table


def to_reporting(
    frame: DataFrame, rates: DataFrame, *, day: str, amounts: Mapping[str, str], reporting_currency: str
) -> DataFrame:
    """Return ``frame`` with each amount also in the reporting currency, at the rate of the day in column ``day``.

    ``amounts`` maps a column in ``currency`` to the name of the new column, a decimal(18,6) rounded half up.
    ``rates`` is the clean bronze.exchange_rates. An amount without any rate on or before the day is null.
    """
    rated = with_rates(frame, rates, rates_on={day: "_rate"}, reporting_currency=reporting_currency)
    converted = {new: (F.col(old).cast(AMOUNT) * F.col("_rate")).cast(AMOUNT) for old, new in amounts.items()}
    return rated.withColumns(converted).drop("_rate")


def with_rates(
    frame: DataFrame, rates: DataFrame, *, rates_on: Mapping[str, str], reporting_currency: str
) -> DataFrame:
    """Return ``frame`` with rates, in units of the reporting currency for one of ``currency``.

    ``rates_on`` maps a column with a day to the name of the new column with that day's rate. It is 1 for the reporting
    currency, and null before the currency's first rate.
    """
    is_reporting = F.col("currency") == reporting_currency
    last_position = F.size("_daily_rates") - 1

    def rate_on(day: str) -> Column:
        position = F.date_diff(day, "_first_date")
        latest = F.when(position > last_position, last_position).otherwise(position)
        return F.when(is_reporting, 1).otherwise(F.get("_daily_rates", latest)).cast(AMOUNT)

    return (
        frame.join(F.broadcast(_daily_rates(rates)), on="currency", how="left")
        .withColumns({rate: rate_on(day) for day, rate in rates_on.items()})
        .drop("_first_date", "_daily_rates")
    )


def with_first_rate_at_least(frame: DataFrame, rates: DataFrame, *, day: str, rated_on: str) -> DataFrame:
    """Add ``rated_on``: the ``day``, or the currency's first day with a rate where that is later.

    For amounts that must be comparable over time though some are older than all rates.
    """
    first = rates.groupBy("currency").agg(F.min("rate_date").alias("_first_rate_date"))
    return (
        frame.join(F.broadcast(first), on="currency", how="left")
        .withColumn(rated_on, F.greatest(day, "_first_rate_date"))
        .drop("_first_rate_date")
    )


def convertible(table: Table) -> Table:
    """Return the declaration with one more rule: a row's currency has a rate, as :func:`with_rate_known` finds it."""
    return replace(table, rejects=(*table.rejects, Check("currency_without_rate", "_is_rate_known")))


def with_rate_known(frame: DataFrame, rates: DataFrame, reporting_currency: str) -> DataFrame:
    """Return ``frame`` with ``_is_rate_known``: its ``currency`` is the reporting one or has a rate on some day."""
    known = rates.select("currency").distinct().withColumn("_has_rates", F.lit(True))
    is_known = (F.col("currency") == reporting_currency) | F.coalesce("_has_rates", F.lit(False))
    return (
        frame.join(F.broadcast(known), on="currency", how="left")
        .withColumn("_is_rate_known", is_known)
        .drop("_has_rates")
    )


def _daily_rates(rates: DataFrame) -> DataFrame:
    """One row per currency: its first day and the rates of every day from then to its last, gaps filled forward."""
    next_date = F.lead("rate_date").over(Window.partitionBy("currency").orderBy("rate_date"))
    last_day = F.coalesce(F.date_sub(next_date, 1), "rate_date")
    daily = rates.withColumn("_last_day", last_day).select(
        "currency", "rate", F.explode(F.sequence("rate_date", "_last_day")).alias("_day")
    )
    in_order = F.array_sort(F.collect_list(F.struct("_day", "rate")))
    return daily.groupBy("currency").agg(
        F.min("_day").alias("_first_date"), in_order.getField("rate").alias("_daily_rates")
    )
