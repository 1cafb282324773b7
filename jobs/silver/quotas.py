"""What each AE is to sell in a quarter, in the reporting currency: one row per AE and quarter.

At the rate of the quarter's first day, which is known when the quarter begins, else the currency's first one.
"""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.bronze.exchange_rates import table as received_rates
from jobs.bronze.quotas import table as received
from lakehouse.cleaning import kept
from lakehouse.metrics.currency import convertible, to_reporting, with_first_rate_at_least, with_rate_known
from lakehouse.rules import Received, Volume
from lakehouse.table import MONEY, Check, Column, Table

table = Table(
    name="silver.quotas",
    description=__doc__,
    grain="AE × quarter",
    key=("rep_id", "quarter"),
    inputs={"quotas": "bronze.quotas", "exchange_rates": "bronze.exchange_rates"},
    settings=("reporting_currency",),
    foreign_keys={"rep_id": "silver.sales_reps"},
    may_be_orphans=("rep_id",),
    columns=(
        Column("rep_id", "string", "AE", nullable=False),
        Column("quarter", "date", "First day of the calendar quarter", nullable=False),
        Column("quota_arr", MONEY, "New ARR that the AE is to win, in the reporting currency", False, minimum=0),
        Column("currency", "string", "Reporting currency, ISO 4217", nullable=False),
    ),
    checks=(
        Check("quarter_begins_on_its_first_day", "quarter = trunc(quarter, 'quarter')", severity="warn", action="mark"),
    ),
    audits=(
        Received("received_is_accounted_for", "bronze.quotas"),
        Volume("usual_volume", least=0.9, most=2.0),
    ),
)


def transform(quotas: DataFrame, exchange_rates: DataFrame, reporting_currency: str) -> DataFrame:
    rates = kept(exchange_rates, received_rates)
    sound = kept(with_rate_known(quotas, rates, reporting_currency), convertible(received))
    rated = to_reporting(
        with_first_rate_at_least(sound, rates, day="quarter", rated_on="_rated_on"),
        rates,
        day="_rated_on",
        amounts={"quota_arr": "_quota_arr"},
        reporting_currency=reporting_currency,
    )
    return table.select(rated.withColumns({"quota_arr": F.col("_quota_arr"), "currency": F.lit(reporting_currency)}))


if __name__ == "__main__":
    from lakehouse.submit import submit

    submit(table)
