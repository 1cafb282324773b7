"""Whether the health score foretells churn: one row per metric and dimension value.

The score of each month end that has 90 days after it, frozen as it was then, against churn in those 90 days, pooled
over the month ends. Customers in notice or in dunning are left out: everybody knows of them. The baseline is the churn
rate, in the very same observations, of customers of the same plan and tenure band, which flatters it.

The 90 days of three month ends overlap, so that a churn is seen up to three times: intervals of rates count a third of
the observations, those of AUCs take customers as the units.
"""

from __future__ import annotations

from datetime import date

from pyspark.sql import Column as SparkColumn
from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql.window import Window

from lakehouse.metrics.breakdown import ALL, by_dimension, dimension_value
from lakehouse.metrics.discrimination import SCORE, auc, by_customer, difference
from lakehouse.metrics.health import COMPONENTS
from lakehouse.metrics.lifecycle import churn_dates
from lakehouse.metrics.ratios import safe_ratio, wilson_interval
from lakehouse.metrics.scores import tenure_band
from lakehouse.settings import UsageScore
from lakehouse.table import Check, Column, Table

HORIZON_DAYS = 90
OVERLAPPING_MONTH_ENDS = 3
MIN_MONTH_ENDS = 6

BASELINE = "plan_and_tenure"
SCORES = ("health_score", *(f"health_{component}" for component in COMPONENTS), BASELINE)
# The groups whose churn is shown, and those within which the score is tried alone.
GROUPS = {ALL: (), "health_decile": ("health_decile",), "health_band": ("health_band",)}
WITHIN = {"billing_cadence": ("billing_cadence",), "segment": ("segment",)}

table = Table(
    name="gold.health_validation",
    description=__doc__,
    grain="metric × dimension × value",
    key=("metric", "dimension", "dimension_value"),
    inputs={
        "customer_health": "gold.customer_health",
        "customer_months": "silver.customer_months",
        "subscriptions": "silver.subscriptions",
    },
    settings=("as_of", "min_observations", "usage_score"),
    columns=(
        Column(
            "metric",
            "string",
            "auc of the score named; auc_difference from the baseline; churn_rate in 90 days; lift: that ÷ everybody's;"
            " share_of_churned: of all who churned, those in the group",
            nullable=False,
            values=("auc", "auc_difference", "churn_rate", "lift", "share_of_churned"),
        ),
        Column(
            "dimension",
            "string",
            "score: everybody, by the score named; else by health_score: health_decile from 1, the lowest, and so on",
            nullable=False,
            values=("score", *GROUPS, *WITHIN),
        ),
        Column("dimension_value", "string", "Score or group", nullable=False),
        Column("value", "double", "Value of the metric; null without churn or without anybody who stayed"),
        Column("value_low", "double", "Lower 95 % bound"),
        Column("value_high", "double", "Upper 95 % bound"),
        Column("observations", "bigint", "Customers × month ends behind it", nullable=False, minimum=0),
        Column("churned", "bigint", "Those of them that churned in 90 days", nullable=False, minimum=0),
        Column("month_ends", "bigint", "Month ends that are pooled", nullable=False, minimum=1),
        Column("first_as_of_date", "date", "First of them", nullable=False),
        Column("last_as_of_date", "date", "Last of them", nullable=False),
        Column("is_small", "boolean", "Fewer month ends than 6, or observations than the configured", nullable=False),
    ),
    checks=(
        Check("no_more_churned_than_observed", "churned <= observations"),
        Check("value_within_its_bounds", "value_low IS NULL OR value BETWEEN value_low AND value_high"),
    ),
)


def transform(
    *,
    customer_health: DataFrame,
    customer_months: DataFrame,
    subscriptions: DataFrame,
    as_of: date,
    min_observations: int,
    usage_score: UsageScore,
) -> DataFrame:
    band = tenure_band(F.col("tenure_months"), usage_score.tenure_bands_months)
    observed = _with_outcome(
        customer_health.withColumn("tenure_band", band), churn_dates(customer_months, subscriptions), as_of
    )
    measured = _discrimination(observed).unionByName(_rates(observed))
    pooled = observed.agg(
        F.count_distinct("as_of_date").alias("month_ends"),
        F.min("as_of_date").alias("first_as_of_date"),
        F.max("as_of_date").alias("last_as_of_date"),
    )
    is_small = (F.col("month_ends") < MIN_MONTH_ENDS) | (F.col("observations") < min_observations)
    return table.select(measured.crossJoin(pooled).withColumn("is_small", is_small))


def _with_outcome(months: DataFrame, churns: DataFrame, as_of: date) -> DataFrame:
    """The scored months whose 90 days are over and that nobody knew better of; adds is_lost and the baseline score."""
    is_open_end = F.coalesce(~F.col("is_in_notice"), F.lit(True)) & F.coalesce(~F.col("is_in_dunning"), F.lit(True))
    is_over = F.date_add("as_of_date", HORIZON_DAYS) <= F.lit(as_of)
    days_until = F.transform("churn_dates", lambda day: F.date_diff(day, F.col("as_of_date")))
    is_lost = F.exists(days_until, lambda days: days.between(1, HORIZON_DAYS))
    cell = Window.partitionBy("plan_id", "tenure_band")
    return (
        months.filter(F.col("health_score").isNotNull() & is_open_end & is_over)
        .join(
            churns.groupBy("customer_id").agg(F.collect_set("churn_date").alias("churn_dates")),
            how="left",
            on="customer_id",
        )
        .withColumn("is_lost", F.coalesce(is_lost, F.lit(False)))
        .withColumn(BASELINE, -safe_ratio(F.sum(F.col("is_lost").cast("int")).over(cell), F.count("*").over(cell)))
    )


def _discrimination(observed: DataFrame) -> DataFrame:
    """AUC of every score and of the health score within groups, and its lead over the baseline: rows of the table."""
    tried = [
        *((F.lit("score"), F.lit(name), F.col(name)) for name in SCORES),
        *((F.lit(name), dimension_value([name]), F.col("health_score")) for name in WITHIN),
    ]
    rows = [
        F.struct(*(value.alias(name) for value, name in zip(values, (*SCORE, "score"), strict=True)))
        for values in tried
    ]
    scored = observed.select("customer_id", "is_lost", F.inline(F.array(*rows))).filter(F.col("score").isNotNull())
    customers = by_customer(scored)
    leads = difference(customers.filter(F.col("dimension") == "score"), "health_score", BASELINE)
    areas = (
        auc(customers)
        .withColumn("metric", F.lit("auc"))
        .unionByName(auc(leads).withColumn("metric", F.lit("auc_difference")))
    )
    counts = {"observations": F.col("lost") + F.col("stayed"), "churned": F.col("lost")}
    return areas.withColumns(counts).drop("lost", "stayed")


def _rates(observed: DataFrame) -> DataFrame:
    """Churn rate, lift and share of churned of each group: rows of the table."""
    worst_first = Window.orderBy("health_score", "customer_id", "month")
    counted = (
        by_dimension(observed.withColumn("health_decile", F.ntile(10).over(worst_first)), GROUPS)
        .groupBy("dimension", "dimension_value")
        .agg(F.count("*").alias("observations"), F.count_if("is_lost").alias("churned"))
    )
    churned, observations = F.col("churned"), F.col("observations")
    everybody = Window.partitionBy("dimension")
    all_churned, all_observations = F.sum("churned").over(everybody), F.sum("observations").over(everybody)
    rate = _with_interval(churned, observations)
    measures = {
        "churn_rate": rate,
        "lift": [safe_ratio(one, safe_ratio(all_churned, all_observations)) for one in rate],
        "share_of_churned": _with_interval(churned, all_churned),
    }
    names = ("value", "value_low", "value_high")
    rows = [
        F.struct(F.lit(metric).alias("metric"), *(one.alias(name) for one, name in zip(values, names, strict=True)))
        for metric, values in measures.items()
    ]
    return counted.withColumn("_rows", F.array(*rows)).select(*SCORE, "observations", "churned", F.inline("_rows"))


def _with_interval(successes: SparkColumn, trials: SparkColumn) -> list[SparkColumn]:
    """The share and its bounds, for which only one of the overlapping month ends counts."""
    seen_once = (F.lit(1 / OVERLAPPING_MONTH_ENDS) * count for count in (successes, trials))
    return [safe_ratio(successes, trials), *wilson_interval(*seen_once)]


if __name__ == "__main__":
    from lakehouse.submit import submit

    submit(table)
