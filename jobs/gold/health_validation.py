"""Whether the health score foretells churn: one row per metric and dimension value.

The score of each month end that has 90 days after it, frozen as it was then, against churn in those 90 days, pooled
over the month ends. Customers in notice or in dunning are left out: everybody knows of them. The baseline is the churn
rate, in the very same observations, of customers of the same plan and tenure band, which flatters it.

The 90 days of three month ends overlap, so that a churn is seen up to three times: intervals of rates count a third of
the observations, those of AUCs take customers as the units.
"""

from __future__ import annotations

from datetime import date

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lakehouse.metrics.lifecycle import churn_dates
from lakehouse.metrics.score_validation import GROUPS, WITHIN, discrimination, rates, with_outcome
from lakehouse.metrics.scores import tenure_band
from lakehouse.policies import Policy
from lakehouse.settings import UsageScore
from lakehouse.table import Check, Column, Table

MIN_MONTH_ENDS = 6

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
    settings=("as_of", "min_observations", "usage_score", "policy"),
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
        Column("value_low", "double", "Lower 95 % bound: of rates Wilson's, of AUCs on the logit scale"),
        Column("value_high", "double", "Upper 95 % bound"),
        Column(
            "status",
            "string",
            "Why value is null: no_churn, nobody_stayed; or its bounds alone: no_interval, for an AUC that rests on one"
            " customer who churned or stayed or is at an end of its scale",
            nullable=False,
            values=("ok", "no_churn", "nobody_stayed", "no_interval"),
        ),
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
        Check("value_or_reason", "(value IS NULL) = (status IN ('no_churn', 'nobody_stayed'))"),
        Check("interval_or_reason", "(value_low IS NOT NULL AND value_high IS NOT NULL) = (status = 'ok')"),
        Check("bounds_on_the_scale", "metric = 'lift' OR value_low IS NULL OR (value_low >= -1 AND value_high <= 1)"),
        Check("shares_not_below_zero", "metric = 'auc_difference' OR value_low IS NULL OR value_low >= 0"),
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
    policy: Policy,
) -> DataFrame:
    band = tenure_band(F.col("tenure_months"), usage_score.tenure_bands_months)
    churns = churn_dates(customer_months, subscriptions, policy)
    observed = with_outcome(customer_health.withColumn("tenure_band", band), churns, as_of)
    measured = discrimination(observed).unionByName(rates(observed))
    pooled = observed.agg(
        F.count_distinct("as_of_date").alias("month_ends"),
        F.min("as_of_date").alias("first_as_of_date"),
        F.max("as_of_date").alias("last_as_of_date"),
    )
    is_small = (F.col("month_ends") < MIN_MONTH_ENDS) | (F.col("observations") < min_observations)
    status = (
        F.when(F.col("value_low").isNotNull(), "ok")
        .when(F.col("value").isNotNull(), "no_interval")
        .when(F.col("churned") == 0, "no_churn")
        .otherwise("nobody_stayed")
    )
    return table.select(measured.crossJoin(pooled).withColumns({"is_small": is_small, "status": status}))


if __name__ == "__main__":
    from lakehouse.submit import submit

    submit(table)
