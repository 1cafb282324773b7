"""Cohorts of customers by the month of their first MRR, followed from age to age."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.window import Window

from lakehouse.metrics.breakdown import ALL, by_dimension

# A customer stays what it was at the close of its first month, so that no cohort changes its size.
COHORT_DIMENSIONS: dict[str, Sequence[str]] = {
    ALL: (),
    "segment": ("segment",),
    "plan": ("plan_name",),
    "billing_cadence": ("billing_cadence",),
    "acquisition_channel": ("acquisition_channel",),
}

COHORT = ("dimension", "dimension_value", "cohort_month")


def cohort_cells(ledger: DataFrame, of_cohort: Mapping[str, Column], at_age: Mapping[str, Column]) -> DataFrame:
    """Return the sums of each cohort at each age: one row per dimension, value, cohort_month and age_months.

    ``ledger`` is silver.customer_months with plan_name. ``of_cohort`` is summed over the customers' first months and is
    the same at every age; ``at_age`` over their months of that age, 0 where none has one. Ages run to that of the
    oldest cohort, for every cohort, also where it has not come so far.
    """
    traits = [name for columns in COHORT_DIMENSIONS.values() for name in columns]
    is_first = F.col("age_months") == 0
    first = F.max(F.when(is_first, F.struct(*traits, "closing_mrr"))).over(Window.partitionBy("customer_id"))
    # By the calendar, since of the oldest cohort nobody may be left.
    oldest_age = F.months_between(F.max("month"), F.min("cohort_month")).cast("int")
    oldest = ledger.agg(oldest_age.alias("oldest_age"))
    # The first month stands at every age for the customer's place in its cohort.
    ages = F.when(is_first, F.sequence(F.lit(0), F.col("oldest_age"))).otherwise(F.array("age_months"))
    lives = (
        ledger.withColumn("_first", first)
        .withColumn("starting_mrr", F.col("_first.closing_mrr"))
        .withColumns({name: F.col(f"_first.{name}") for name in traits})
        .crossJoin(F.broadcast(oldest))
    )
    placed = lives.select("*", F.explode(ages).alias("_age"))
    is_own_age = F.col("_age") == F.col("age_months")
    return (
        by_dimension(placed, COHORT_DIMENSIONS)
        .groupBy(*COHORT, F.col("_age").alias("age_months"))
        .agg(
            *(F.sum(F.when(is_first, value)).alias(name) for name, value in of_cohort.items()),
            *(F.sum(F.when(is_own_age, value).otherwise(0)).alias(name) for name, value in at_age.items()),
        )
    )


def is_complete(as_of: date) -> Column:
    """Return whether a cell's month, ``age_months`` after ``cohort_month``, is over on the as-of day."""
    return F.last_day(F.add_months("cohort_month", F.col("age_months"))) <= F.lit(as_of)


def compared(cells: DataFrame, retention: str) -> DataFrame:
    """Return the cells with what stands out among them; all of it is null where ``retention`` is.

    ``loss_since_previous_age`` is what of ``retention`` (a share) went in a month, negative where it grew, and
    ``steepest_loss_age_months`` the age at which a cohort lost most, the earliest of equals. ``rank_at_age`` counts
    from 1, the best of the ``cohorts_at_age`` that have come to an age; equal cohorts share a rank.
    """
    cohort = Window.partitionBy(*COHORT)
    loss = F.lag(retention).over(cohort.orderBy("age_months")) - F.col(retention)
    losses = F.struct("loss_since_previous_age", (-F.col("age_months")).alias("age"))
    steepest = F.max(F.when(F.col("loss_since_previous_age") > 0, losses)).over(cohort)
    equals = Window.partitionBy("dimension", "dimension_value", "age_months")
    is_known = F.col(retention).isNotNull()
    return cells.withColumn("loss_since_previous_age", loss).withColumns(
        {
            "steepest_loss_age_months": F.when(is_known, -steepest.getField("age")),
            "rank_at_age": F.when(is_known, F.rank().over(equals.orderBy(F.desc_nulls_last(retention)))),
            "cohorts_at_age": F.when(is_known, F.count(retention).over(equals)),
        }
    )
