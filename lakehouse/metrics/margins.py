"""Gross margin, ARPA and logos from the months of gold.customer_margins."""

from __future__ import annotations

from datetime import date

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.window import Window

from lakehouse.metrics.ratios import safe_ratio
from lakehouse.settings import UnitEconomics
from lakehouse.types import MONEY

LOGO_MONTHS = 12


def margin_history(margins: DataFrame, as_of: date, parameters: UnitEconomics) -> DataFrame:
    """Return one row per customer: arpa, own_margin, margin_months, logo_months and logos_lost.

    ``arpa`` is the mean closing MRR of its last ``arpa_months`` months with any; ``own_margin`` Σ gross profit ÷
    Σ revenue of its last ``gross_margin_months`` months served at a known cost, ``margin_months`` of them;
    ``logo_months`` the months of the last twelve that it opened with MRR, ``logos_lost`` those that it closed without.
    """
    is_active = F.col("closing_mrr") > 0
    is_known = F.col("is_served") & F.col("gross_profit").isNotNull()
    of_arpa = is_active & (_months_back(is_active) <= parameters.arpa_months)
    of_margin = is_known & (_months_back(is_known) <= parameters.gross_margin_months)
    was_logo = (F.col("opening_mrr") > 0) & _is_recent(as_of, LOGO_MONTHS)
    return (
        margins.withColumns({"of_arpa": of_arpa, "of_margin": of_margin, "was_logo": was_logo})
        .groupBy("customer_id")
        .agg(
            F.avg(F.when(F.col("of_arpa"), F.col("closing_mrr"))).cast(MONEY).alias("arpa"),
            _margin(F.col("of_margin")).alias("own_margin"),
            F.count_if("of_margin").alias("margin_months"),
            F.count_if("was_logo").alias("logo_months"),
            F.count_if(F.col("was_logo") & (F.col("closing_mrr") == 0)).alias("logos_lost"),
        )
    )


def company_margin(margins: DataFrame, as_of: date, months: int) -> DataFrame:
    """Return one row: company_margin, Σ gross profit ÷ Σ revenue of everybody over the last ``months`` of known costs."""
    is_counted = _is_recent(as_of, months) & F.col("gross_profit").isNotNull()
    return margins.agg(_margin(is_counted).alias("company_margin"))


def _margin(is_counted: Column) -> Column:
    return safe_ratio(F.sum(F.when(is_counted, F.col("gross_profit"))), F.sum(F.when(is_counted, F.col("revenue"))))


def _months_back(is_counted: Column) -> Column:
    """1 for a customer's last month that counts, 2 for the one before."""
    return F.row_number().over(Window.partitionBy("customer_id", is_counted).orderBy(F.desc("month")))


def _is_recent(as_of: date, months: int) -> Column:
    return F.col("month") > F.add_months(F.trunc(F.lit(as_of), "month"), -months)
