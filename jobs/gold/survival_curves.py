"""How long customers stay, by segment and billing cadence: one row per curve and age in months.

Age 0 is the close of the first month with MRR. A curve follows the observed shares of churn while enough customers are
at risk; beyond, churn stays at the mean of its last twelve such ages (a year, so that one renewal season is in it).
"""

from __future__ import annotations

from datetime import date

from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql.window import Window

from lakehouse.metrics.breakdown import by_dimension
from lakehouse.metrics.ratios import safe_ratio, wilson_interval
from lakehouse.metrics.survival import CURVES, months_lived, remaining_months, survival, survival_interval
from lakehouse.rules import Constant, Part, Reconciliation, Sequence
from lakehouse.settings import UnitEconomics
from lakehouse.table import Check, Column, Table

TAIL_MONTHS = 12

table = Table(
    name="gold.survival_curves",
    description=__doc__,
    grain="curve (dimension × value) × age in months",
    key=("dimension", "dimension_value", "age_months"),
    inputs={"customers": "silver.customers"},
    settings=("as_of", "min_observations", "unit_economics"),
    columns=(
        Column("dimension", "string", "What the curve is for", nullable=False, values=tuple(CURVES)),
        Column("dimension_value", "string", "Value, pairs joined by ' | '", nullable=False),
        Column("age_months", "int", "Months since the first month with MRR", nullable=False, minimum=0),
        Column("at_risk", "bigint", "Customers who could churn at this age", nullable=False, minimum=0),
        Column("churned", "bigint", "Those of them who did", nullable=False, minimum=0),
        Column("is_extrapolated", "boolean", "Too few at risk: churn of the last observed ages", nullable=False),
        Column(
            "hazard", "double", "Share of those at risk who churn at this age", nullable=False, minimum=0, maximum=1
        ),
        Column("survival", "double", "Share of customers who survive this age", minimum=0, maximum=1),
        Column("survival_low", "double", "Lower 95 % bound; null without churn", minimum=0, maximum=1),
        Column("survival_high", "double", "Upper 95 % bound; null without churn", minimum=0, maximum=1),
        Column("remaining_months", "double", "Expected months ahead of a survivor, discounted", minimum=0),
        Column("remaining_months_low", "double", "The same on the lower bound", minimum=0),
        Column("remaining_months_high", "double", "The same on the upper bound", minimum=0),
        Column("curve_churned", "bigint", "Churned customers behind the whole curve", nullable=False, minimum=0),
        Column("monthly_churn_rate", "double", "Churned ÷ customer-months at risk, all ages", minimum=0, maximum=1),
        Column("monthly_churn_rate_high", "double", "Upper 95 % bound (Wilson)", minimum=0, maximum=1),
    ),
    checks=(
        Check("no_more_churned_than_at_risk", "churned <= at_risk"),
        Check("bounds_around_survival", "survival_low IS NULL OR survival BETWEEN survival_low AND survival_high"),
    ),
    audits=(
        Sequence(
            "survival_never_rises",
            "previous IS NULL OR survival IS NULL OR survival <= previous.survival",
            order=("age_months",),
            within=("dimension", "dimension_value"),
        ),
        Sequence(
            "ages_follow_each_other",
            "age_months = coalesce(previous.age_months + 1, 0)",
            order=("age_months",),
            within=("dimension", "dimension_value"),
        ),
        Constant(
            "one_curve_has_one_number_of_churned",
            "max(curve_churned)",
            by=("age_months",),
            within=("dimension", "dimension_value"),
        ),
        Reconciliation(
            "churned_are_those_of_the_curve",
            "sum(churned) - max(curve_churned)",
            (),
            by=("dimension", "dimension_value"),
        ),
        Reconciliation(
            "all_churned_are_on_the_curve",
            "max(curve_churned)",
            (Part("silver.customers", "count_if(is_churned)"),),
            where="dimension = 'all'",
        ),
    ),
)


def transform(customers: DataFrame, as_of: date, min_observations: int, unit_economics: UnitEconomics) -> DataFrame:
    curve = Window.partitionBy("dimension", "dimension_value")
    by_age = curve.orderBy("age_months")
    ahead = by_age.rangeBetween(1, unit_economics.horizon_months)
    observed = _at_risk_by_age(customers, as_of, unit_economics.horizon_months).withColumn(
        "is_extrapolated", F.col("at_risk") < min_observations
    )
    last_age = F.max(F.when(~F.col("is_extrapolated"), F.col("age_months"))).over(curve)
    # Without a single age that has enough customers, the tail is the mean of all ages.
    is_tail = F.coalesce(
        F.col("age_months").between(F.col("last_age") - TAIL_MONTHS + 1, F.col("last_age")), F.lit(True)
    )
    tail_hazard = safe_ratio(
        F.sum(F.when(is_tail, F.col("churned"))).over(curve), F.sum(F.when(is_tail, F.col("at_risk"))).over(curve)
    )
    hazard = F.when(F.col("is_extrapolated"), tail_hazard).otherwise(safe_ratio(F.col("churned"), F.col("at_risk")))
    curve_churned, months_at_risk = F.sum("churned").over(curve), F.sum("at_risk").over(curve)
    curves = (
        observed.withColumn("last_age", last_age)
        .withColumns({"hazard": hazard, "curve_churned": curve_churned, "months_at_risk": months_at_risk})
        .withColumn("survival", survival(F.col("hazard"), by_age))
    )
    low, high = survival_interval(F.col("survival"), F.col("curve_churned"))
    bounded = curves.withColumns({"survival_low": low, "survival_high": high}).withColumns(
        {
            f"remaining_months{bound}": remaining_months(
                F.col(f"survival{bound}"), F.col("age_months"), ahead, unit_economics.discount_rate_per_year
            )
            for bound in ("", "_low", "_high")
        }
    )
    churn = F.col("curve_churned"), F.col("months_at_risk")
    reached = F.col("age_months") <= F.col("oldest_age")
    return table.select(
        bounded.filter(reached).withColumns(
            {"monthly_churn_rate": safe_ratio(*churn), "monthly_churn_rate_high": wilson_interval(*churn)[1]}
        )
    )


def _at_risk_by_age(customers: DataFrame, as_of: date, horizon_months: int) -> DataFrame:
    """One row per curve and age up to the horizon beyond the oldest customer's: at_risk, churned, oldest_age."""
    age_months = months_lived(F.col("cohort_month"), F.col("churn_date"), as_of)
    lives = customers.filter(F.col("cohort_month").isNotNull()).withColumn("age_months", age_months)
    left = (
        by_dimension(lives, CURVES)
        .groupBy("dimension", "dimension_value", "age_months")
        .agg(F.count("*").alias("left"), F.count("churn_date").alias("churned"))
    )
    ages = F.explode(F.sequence(F.lit(0), F.col("oldest_age") + horizon_months)).alias("age_months")
    grid = (
        left.select("dimension", "dimension_value")
        .distinct()
        .crossJoin(lives.agg(F.max("age_months").alias("oldest_age")))
        .select("*", ages)
    )
    oldest_first = Window.partitionBy("dimension", "dimension_value").orderBy(F.desc("age_months"))
    return grid.join(left, how="left", on=["dimension", "dimension_value", "age_months"]).withColumns(
        {
            "at_risk": F.coalesce(F.sum("left").over(oldest_first), F.lit(0)),
            "churned": F.coalesce("churned", F.lit(0)),
        }
    )


if __name__ == "__main__":
    from lakehouse.submit import submit

    submit(table)
