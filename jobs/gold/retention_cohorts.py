"""How many customers of a cohort are still there: one row per dimension, value, cohort month and age in months.

A cohort is the customers whose first MRR was in one month, by their values at its close; who leaves and comes back stays
in it. Age 0 is the close of that month: who came and went before it is in the cohort and never active. Every cohort has
a row for each age that the oldest one has reached; the cells that it has not reached itself are null.
"""

from __future__ import annotations

from datetime import date

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lakehouse.metrics.cohorts import COHORT_DIMENSIONS, cohort_cells, compared, is_complete
from lakehouse.metrics.ratios import safe_ratio, wilson_interval
from lakehouse.table import Check, Column, Table

table = Table(
    name="gold.retention_cohorts",
    description=__doc__,
    grain="dimension × value × cohort month × age in months",
    key=("dimension", "dimension_value", "cohort_month", "age_months"),
    inputs={"customer_months": "silver.customer_months", "plans": "silver.dim_plan"},
    settings=("as_of", "min_observations"),
    columns=(
        Column("dimension", "string", "What customers are grouped by", nullable=False, values=tuple(COHORT_DIMENSIONS)),
        Column("dimension_value", "string", "Value at the close of the cohort month", nullable=False),
        Column("cohort_month", "date", "Month of the customers' first MRR", nullable=False),
        Column("age_months", "int", "Months since cohort_month", nullable=False, minimum=0),
        Column("is_complete", "boolean", "The month of this age is over on the as-of day", nullable=False),
        Column("customers", "bigint", "Customers of the cohort, the same at every age", nullable=False, minimum=1),
        Column("is_small", "boolean", "Fewer of them than min_observations", nullable=False),
        Column("active_customers", "bigint", "Those of them with MRR at the close of this age", minimum=0),
        Column("logo_retention", "double", "active_customers ÷ customers", minimum=0, maximum=1),
        Column("logo_retention_low", "double", "Lower 95 % bound (Wilson)", minimum=0, maximum=1),
        Column("logo_retention_high", "double", "Upper 95 % bound (Wilson)", minimum=0, maximum=1),
        Column("loss_since_previous_age", "double", "logo_retention a month before less that of now", minimum=-1),
        Column("steepest_loss_age_months", "int", "Age of the cohort's greatest loss; null without a loss", minimum=1),
        Column("rank_at_age", "int", "Rank of logo_retention among cohorts of this age, 1 is the best", minimum=1),
        Column("cohorts_at_age", "bigint", "Cohorts of the value that have reached this age", minimum=1),
    ),
    checks=(
        Check("no_more_active_than_customers", "active_customers IS NULL OR active_customers <= customers"),
        Check("complete_cells_and_only_they_are_known", "is_complete = (logo_retention IS NOT NULL)"),
        Check(
            "retention_within_its_bounds",
            "NOT is_complete OR logo_retention BETWEEN logo_retention_low AND logo_retention_high",
        ),
        Check("rank_is_among_the_cohorts", "rank_at_age IS NULL OR rank_at_age <= cohorts_at_age"),
    ),
)


def transform(customer_months: DataFrame, plans: DataFrame, as_of: date, min_observations: int) -> DataFrame:
    ledger = customer_months.join(F.broadcast(plans.select("plan_id", "plan_name")), on="plan_id", how="left")
    cells = cohort_cells(
        ledger, of_cohort={"customers": F.lit(1)}, at_age={"active_customers": F.col("is_active").cast("int")}
    ).withColumn("is_complete", is_complete(as_of))
    known = cells.withColumn("active_customers", F.when(F.col("is_complete"), F.col("active_customers")))
    low, high = (
        F.when(F.col("is_complete"), end) for end in wilson_interval(F.col("active_customers"), F.col("customers"))
    )
    retention = known.withColumns(
        {
            "is_small": F.col("customers") < min_observations,
            "logo_retention": safe_ratio(F.col("active_customers"), F.col("customers")),
            "logo_retention_low": low,
            "logo_retention_high": high,
        }
    )
    return table.select(compared(retention, "logo_retention"))


if __name__ == "__main__":
    from lakehouse.submit import submit

    submit(table)
