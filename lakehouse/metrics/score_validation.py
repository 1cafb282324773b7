"""A score of customers at month ends, held against whether they churned in the days that follow."""

from __future__ import annotations

from datetime import date

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.window import Window

from lakehouse.metrics.breakdown import ALL, by_dimension, dimension_value
from lakehouse.metrics.discrimination import SCORE, auc, by_customer, difference
from lakehouse.metrics.health import COMPONENTS
from lakehouse.metrics.ratios import safe_ratio, wilson_interval

HORIZON_DAYS = 90
OVERLAPPING_MONTH_ENDS = 3

BASELINE = "plan_and_tenure"
SCORES = ("health_score", *(f"health_{component}" for component in COMPONENTS), BASELINE)
# The groups whose churn is shown, and those within which the score is tried alone.
GROUPS = {ALL: (), "health_decile": ("health_decile",), "health_band": ("health_band",)}
WITHIN = {"billing_cadence": ("billing_cadence",), "segment": ("segment",)}


def with_outcome(months: DataFrame, churns: DataFrame, as_of: date) -> DataFrame:
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


def discrimination(observed: DataFrame) -> DataFrame:
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
        .unionByName(auc(leads, lowest=-1).withColumn("metric", F.lit("auc_difference")))
    )
    counts = {"observations": F.col("lost") + F.col("stayed"), "churned": F.col("lost")}
    return areas.withColumns(counts).drop("lost", "stayed")


def rates(observed: DataFrame) -> DataFrame:
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


def _with_interval(successes: Column, trials: Column) -> list[Column]:
    """The share and its bounds, for which only one of the overlapping month ends counts."""
    seen_once = (F.lit(1 / OVERLAPPING_MONTH_ENDS) * count for count in (successes, trials))
    return [safe_ratio(successes, trials), *wilson_interval(*seen_once)]
