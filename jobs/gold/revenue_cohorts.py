"""What a cohort's customers pay as they age: one row per dimension, value, cohort month and age in months.

Cohorts, ages and unknown cells are those of gold.retention_cohorts. `mrr` and `revenue_retention` are in the reporting
currency at each month's own rates; `nrr_to_date` and `grr_to_date` are at constant currency, at the rates of the close
of the cohort month, so that no change of rates is in them. Where a cohort closed its first month without MRR, shares of
it are null.
"""

from __future__ import annotations

from datetime import date

from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql.window import Window

from lakehouse.metrics.cohorts import COHORT, COHORT_DIMENSIONS, cohort_cells, compared, is_complete
from lakehouse.metrics.ratios import safe_ratio
from lakehouse.table import MONEY, Check, Column, Table

AT_AGE = ("mrr", "retained_mrr", "kept_mrr", "revenue", "cumulative_revenue")

table = Table(
    name="gold.revenue_cohorts",
    description=__doc__,
    grain="dimension × value × cohort month × age in months",
    key=("dimension", "dimension_value", "cohort_month", "age_months"),
    inputs={"customer_months": "silver.customer_months", "plans": "silver.dim_plan"},
    settings=("as_of", "min_observations", "reporting_currency"),
    columns=(
        Column("dimension", "string", "What customers are grouped by", nullable=False, values=tuple(COHORT_DIMENSIONS)),
        Column("dimension_value", "string", "Value at the close of the cohort month", nullable=False),
        Column("cohort_month", "date", "Month of the customers' first MRR", nullable=False),
        Column("age_months", "int", "Months since cohort_month", nullable=False, minimum=0),
        Column("currency", "string", "Reporting currency of all amounts", nullable=False),
        Column("is_complete", "boolean", "The month of this age is over on the as-of day", nullable=False),
        Column("customers", "bigint", "Customers of the cohort, the same at every age", nullable=False, minimum=1),
        Column("is_small", "boolean", "Fewer of them than min_observations", nullable=False),
        Column("starting_mrr", MONEY, "MRR at the close of the cohort month", nullable=False, minimum=0),
        Column("mrr", MONEY, "MRR at the close of this age, at its rates", minimum=0),
        Column("retained_mrr", MONEY, "The same at the rates of the close of the cohort month", minimum=0),
        Column("kept_mrr", MONEY, "Of each customer no more than it started with, at the same rates", minimum=0),
        Column("revenue_retention", "double", "mrr ÷ starting_mrr", minimum=0),
        Column("nrr_to_date", "double", "retained_mrr ÷ starting_mrr", minimum=0),
        Column("grr_to_date", "double", "kept_mrr ÷ starting_mrr", minimum=0, maximum=1),
        Column("revenue", MONEY, "Revenue of the month of this age", minimum=0),
        Column("cumulative_revenue", MONEY, "Revenue up to this age", minimum=0),
        Column("cumulative_revenue_per_customer", MONEY, "cumulative_revenue ÷ customers", minimum=0),
        Column("loss_since_previous_age", "double", "nrr_to_date a month before less that of now"),
        Column("steepest_loss_age_months", "int", "Age of the cohort's greatest loss; null without a loss", minimum=1),
        Column("rank_at_age", "int", "Rank of nrr_to_date among cohorts of this age, 1 is the best", minimum=1),
        Column("cohorts_at_age", "bigint", "Cohorts of the value that have reached this age", minimum=1),
    ),
    checks=(
        Check("complete_cells_and_only_they_are_known", "is_complete = (mrr IS NOT NULL)"),
        Check("a_cohort_starts_with_what_it_starts_with", "age_months > 0 OR NOT is_complete OR mrr = starting_mrr"),
        Check("no_rate_has_changed_yet", "age_months > 0 OR NOT is_complete OR retained_mrr = starting_mrr"),
        Check("kept_is_part_of_both", "NOT is_complete OR kept_mrr <= least(starting_mrr, retained_mrr)"),
        Check("revenue_is_part_of_what_came_so_far", "NOT is_complete OR revenue <= cumulative_revenue"),
        Check("rank_is_among_the_cohorts", "rank_at_age IS NULL OR rank_at_age <= cohorts_at_age"),
    ),
)


def transform(
    *, customer_months: DataFrame, plans: DataFrame, as_of: date, min_observations: int, reporting_currency: str
) -> DataFrame:
    ledger = customer_months.join(F.broadcast(plans.select("plan_id", "plan_name")), on="plan_id", how="left")
    retained = F.col("closing_mrr_at_cohort_rates")
    cells = cohort_cells(
        ledger,
        of_cohort={"customers": F.lit(1), "starting_mrr": F.col("closing_mrr")},
        at_age={
            "mrr": F.col("closing_mrr"),
            "retained_mrr": retained,
            "kept_mrr": F.least(retained, "starting_mrr"),
            "revenue": F.col("revenue"),
        },
    )
    so_far = Window.partitionBy(*COHORT).orderBy("age_months")
    summed = cells.withColumns({"is_complete": is_complete(as_of), "cumulative_revenue": F.sum("revenue").over(so_far)})
    known = summed.withColumns({name: F.when(F.col("is_complete"), F.col(name)) for name in AT_AGE})
    starting_mrr = F.col("starting_mrr")
    shares = known.withColumns(
        {
            "currency": F.lit(reporting_currency),
            "is_small": F.col("customers") < min_observations,
            "revenue_retention": safe_ratio(F.col("mrr"), starting_mrr),
            "nrr_to_date": safe_ratio(F.col("retained_mrr"), starting_mrr),
            "grr_to_date": safe_ratio(F.col("kept_mrr"), starting_mrr),
            "cumulative_revenue_per_customer": F.try_divide("cumulative_revenue", "customers"),
        }
    )
    return table.select(compared(shares, "nrr_to_date"))


if __name__ == "__main__":
    from lakehouse.submit import submit

    submit(table)
