"""Commitments by the month in which they end, and what became of them: one row per renewal month, dimension and value.

Of an account all that was ordered up to the same day, expansions too, is up for renewal together. It is renewed by an
order of type renewal. It is lost when the account has ceased to pay since it signed, or when nothing was signed so many
days after the end (`grace_days`); until then it is pending. Rates are of months that are over and of what was decided in
them; months ahead are the calendar of the renewals to come. ARR before and after is at the rate of the day on which the
commitment ends, ahead of it of the as-of day, and of the product line that was ordered first: add-ons of another one run
on beside a renewal. A rate of money has the interval of as many commitments of equal size as it is worth:
(Σ ARR)² ÷ Σ ARR².
"""

from __future__ import annotations

from datetime import date

from pyspark.sql import Column as SparkColumn
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.bronze.exchange_rates import table as received_rates
from lakehouse.cleaning import kept
from lakehouse.metrics.breakdown import by_dimension
from lakehouse.metrics.ratios import safe_ratio, wilson_interval
from lakehouse.metrics.renewals import STATUSES, TIMINGS, outcomes
from lakehouse.rules import Constant, Part, Reconciliation
from lakehouse.settings import Renewals
from lakehouse.table import MONEY, Check, Column, Table

DIMENSIONS = {"all": (), "segment": ("segment",)}
GROUP = ("renewal_month", "dimension", "dimension_value")

table = Table(
    name="gold.renewals",
    description=__doc__,
    grain="renewal month × dimension × value",
    key=GROUP,
    inputs={
        "orders": "silver.billing_orders",
        "customers": "silver.customers",
        "exchange_rates": "bronze.exchange_rates",
    },
    settings=("as_of", "min_observations", "renewals", "reporting_currency"),
    columns=(
        Column("renewal_month", "date", "First day of the month in which the commitments end", nullable=False),
        Column("dimension", "string", "What commitments are grouped by", nullable=False, values=tuple(DIMENSIONS)),
        Column("dimension_value", "string", "Value of the commitment's newest order", nullable=False),
        Column("currency", "string", "Reporting currency, ISO 4217", nullable=False),
        Column("is_complete", "boolean", "The month is over on the as-of day", nullable=False),
        Column("up_for_renewal", "bigint", "Commitments that end, one per account and day", nullable=False, minimum=1),
        *(Column(name, "bigint", f"Of them {name}", nullable=False, minimum=0) for name in STATUSES),
        Column("renewed_early", "bigint", "Signed more than early_days before the end", nullable=False, minimum=0),
        Column("renewed_on_time", "bigint", "Signed later, by the day of the end", nullable=False, minimum=0),
        Column("renewed_late", "bigint", "Signed after the end", nullable=False, minimum=0),
        Column("upsold", "bigint", "Renewed with more ARR than before", nullable=False, minimum=0),
        Column("is_small", "boolean", "Fewer renewed or lost than min_observations", nullable=False),
        Column("renewal_rate", "double", "renewed ÷ (renewed + lost); null before the month is over", minimum=0,
               maximum=1),
        Column("renewal_rate_low", "double", "Lower end of its 95 % interval", minimum=0, maximum=1),
        Column("renewal_rate_high", "double", "Upper end of its 95 % interval", minimum=0, maximum=1),
        *(
            Column(f"{name}_arr", MONEY, f"ARR of the {name} commitments, as ordered before", False, minimum=0)
            for name in STATUSES
        ),
        Column("arr_after", MONEY, "ARR of the orders that renewed", nullable=False, minimum=0),
        Column("arr_renewal_rate", "double", "renewed_arr ÷ (renewed_arr + lost_arr); null before the month is over",
               minimum=0, maximum=1),
        Column("arr_renewal_rate_low", "double", "Lower end of its 95 % interval", minimum=0, maximum=1),
        Column("arr_renewal_rate_high", "double", "Upper end of its 95 % interval", minimum=0, maximum=1),
        Column("expansion_ratio", "double", "arr_after ÷ renewed_arr; null before the month is over", minimum=0),
    ),
    checks=(
        Check("each_is_renewed_lost_or_pending", "up_for_renewal = renewed + lost + pending"),
        Check("each_renewal_is_early_on_time_or_late", "renewed = renewed_early + renewed_on_time + renewed_late"),
        Check("no_more_upsold_than_renewed", "upsold <= renewed"),
        Check("what_comes_has_no_rate", "is_complete OR renewal_rate IS NULL"),
        Check("money_only_of_who_renewed", "renewed > 0 OR arr_after = 0"),
    ),
    audits=(
        Reconciliation(
            "every_commitment_ends_once",
            "sum(up_for_renewal)",
            (Part("silver.billing_orders", "count(DISTINCT (account_id, renewal_date))",
                  by=("date_trunc('month', renewal_date)",), where="renewal_date IS NOT NULL"),),
            by=("renewal_month",),
            where="dimension = 'all'",
        ),
        Constant("commitments_add_up_in_each_dimension", "sum(up_for_renewal)", by=("dimension",),
                 within=("renewal_month",)),
    ),
)  # fmt: skip


def transform(
    *,
    orders: DataFrame,
    customers: DataFrame,
    exchange_rates: DataFrame,
    as_of: date,
    min_observations: int,
    renewals: Renewals,
    reporting_currency: str,
) -> DataFrame:
    decided = outcomes(
        orders,
        customers,
        kept(exchange_rates, received_rates),
        as_of=as_of,
        renewals=renewals,
        reporting_currency=reporting_currency,
    ).withColumn("renewal_month", F.trunc("renewal_date", "month"))
    return table.select(_rated(_counted(decided), as_of, min_observations, reporting_currency))


def _counted(decided: DataFrame) -> DataFrame:
    def arr_of(status: str) -> SparkColumn:
        return F.coalesce(F.sum(F.when(F.col("status") == status, F.col("arr_before"))), F.lit(0))

    return by_dimension(decided, DIMENSIONS).groupBy(*GROUP).agg(
        F.count("*").alias("up_for_renewal"),
        *(F.count_if(F.col("status") == name).alias(name) for name in STATUSES),
        *(F.count_if(F.col("timing") == name).alias(f"renewed_{name}") for name in TIMINGS),
        F.count_if(F.col("arr_after") > F.col("arr_before")).alias("upsold"),
        *(arr_of(name).alias(f"{name}_arr") for name in STATUSES),
        F.coalesce(F.sum("arr_after"), F.lit(0)).alias("arr_after"),
        F.sum(F.when(F.col("status") != "pending", F.col("arr_before") * F.col("arr_before"))).alias("_squares"),
    )  # fmt: skip


def _rated(counted: DataFrame, as_of: date, min_observations: int, reporting_currency: str) -> DataFrame:
    renewed, decided = F.col("renewed"), F.col("renewed") + F.col("lost")
    low, high = wilson_interval(renewed, decided)
    decided_arr = F.col("renewed_arr") + F.col("lost_arr")
    kept_share = safe_ratio(F.col("renewed_arr"), decided_arr)
    equal_ones = safe_ratio(decided_arr.cast("double") * decided_arr.cast("double"), F.col("_squares"))
    arr_low, arr_high = wilson_interval(kept_share * equal_ones, equal_ones)
    rates = {
        "renewal_rate": safe_ratio(renewed, decided),
        "renewal_rate_low": low,
        "renewal_rate_high": high,
        "arr_renewal_rate": kept_share,
        "arr_renewal_rate_low": arr_low,
        "arr_renewal_rate_high": arr_high,
        "expansion_ratio": safe_ratio(F.col("arr_after"), F.col("renewed_arr")),
    }
    is_complete = F.last_day("renewal_month") <= F.lit(as_of)
    return counted.withColumns(
        {
            "currency": F.lit(reporting_currency),
            "is_complete": is_complete,
            "is_small": decided < min_observations,
            **{name: F.when(is_complete, rate) for name, rate in rates.items()},
        }
    )


if __name__ == "__main__":
    from lakehouse.submit import submit

    submit(table)
