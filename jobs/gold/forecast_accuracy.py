"""How good the forecasts of past quarters were: one row per quarter, day, kind of business, segment and method.

Of quarters that are over on the as-of day. Over several rows errors are ratios of sums: Σ absolute_error_arr ÷
Σ actual_arr, and Σ error_arr ÷ Σ actual_arr for the bias; coverage is the share of rows that are within the interval.
"""

from __future__ import annotations

from datetime import date

from pyspark.sql import Column as SparkColumn
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lakehouse.forecasting.methods import QUANTILES
from lakehouse.metrics.breakdown import with_totals
from lakehouse.metrics.pipeline import of_opportunities, wins
from lakehouse.metrics.ratios import safe_ratio
from lakehouse.metrics.sales import quarter_end
from lakehouse.rules import Part, Reconciliation
from lakehouse.table import AMOUNT, MONEY, Check, Column, Table

GROUP = ("quarter", "forecast_date", "opportunity_type", "segment", "method")

table = Table(
    name="gold.forecast_accuracy",
    description=__doc__,
    grain="quarter × day × opportunity type × segment × method",
    key=GROUP,
    inputs={
        "pipeline_forecast": "gold.pipeline_forecast",
        "states": "silver.opportunity_states",
        "opportunities": "silver.opportunities",
    },
    settings=("as_of",),
    columns=(
        Column("quarter", "date", "First day of the calendar quarter that was forecast", nullable=False),
        Column("forecast_date", "date", "Day at whose close it was forecast", nullable=False),
        Column("week_of_quarter", "int", "Week in which the next day lies, from 1", nullable=False, minimum=1),
        Column("opportunity_type", "string", "What kind of business, or all", nullable=False),
        Column("segment", "string", "Segment of the account, or all", nullable=False),
        Column("method", "string", "Method of gold.pipeline_forecast", nullable=False),
        Column("is_baseline", "boolean", "A naive method that the others are to beat", nullable=False),
        Column("currency", "string", "Reporting currency, ISO 4217", nullable=False),
        Column("forecast_arr", MONEY, "ARR that was forecast", nullable=False, minimum=0),
        Column("actual_arr", MONEY, "ARR that the quarter won", nullable=False, minimum=0),
        Column("error_arr", MONEY, "forecast_arr - actual_arr", nullable=False),
        Column("absolute_error_arr", MONEY, "The same without its sign", nullable=False, minimum=0),
        Column("error_share", "double", "error_arr ÷ actual_arr; null where nothing was won"),
        Column("interval_width_arr", MONEY, "forecast_p90 - forecast_p10", minimum=0),
        Column("is_within_interval", "boolean", "The actual lies between them; 80 % are to"),
        Column(
            "quantile_loss",
            AMOUNT,
            "Twice the mean pinball loss of the 10, 50 and 90 % quantiles, which approximates the CRPS; less is better",
            minimum=0,
        ),
    ),
    checks=(
        Check("error_is_the_difference", "error_arr = forecast_arr - actual_arr AND absolute_error_arr = abs(error_arr)"),
        Check("judged_when_there_is_an_interval", "(interval_width_arr IS NULL) = (is_within_interval IS NULL)"),
    ),
    audits=(
        Reconciliation(
            "actual_is_what_the_waterfall_won",
            "max(actual_arr)",
            (Part("gold.pipeline_waterfall", "sum(won_arr)"),),
            by=("quarter",),
            where="opportunity_type = 'all' AND segment = 'all'",
            own_groups=True,
        ),
    ),
)  # fmt: skip


def transform(pipeline_forecast: DataFrame, states: DataFrame, opportunities: DataFrame, as_of: date) -> DataFrame:
    actual = (
        with_totals(of_opportunities(wins(states), opportunities), ["opportunity_type", "segment"])
        .groupBy(F.trunc("valid_from_date", "quarter").alias("quarter"), "opportunity_type", "segment")
        .agg(F.sum("arr_reporting").alias("actual_arr"))
    )
    is_over = quarter_end(F.col("quarter")) <= F.lit(as_of)
    judged = (
        pipeline_forecast.filter(is_over)
        .join(F.broadcast(actual), on=["quarter", "opportunity_type", "segment"], how="left")
        .fillna(0, subset=["actual_arr"])
    )
    error, actual_arr = F.col("forecast_arr") - F.col("actual_arr"), F.col("actual_arr")
    losses = [_pinball(F.col(f"forecast_p{int(100 * level)}"), level) for level in QUANTILES]
    return table.select(
        judged.withColumns(
            {
                "error_arr": error,
                "absolute_error_arr": F.abs(error),
                "error_share": safe_ratio(error, actual_arr),
                "interval_width_arr": F.col("forecast_p90") - F.col("forecast_p10"),
                "is_within_interval": actual_arr.between(F.col("forecast_p10"), F.col("forecast_p90")),
                "quantile_loss": 2 * sum(losses[1:], losses[0]) / len(losses),
            }
        )
    )


def _pinball(quantile: SparkColumn, level: float) -> SparkColumn:
    """(actual − quantile) × level where the actual is above the quantile, else (quantile − actual) × (1 − level)."""
    missed = F.col("actual_arr") - quantile
    weight = F.when(missed > 0, F.lit(level)).otherwise(F.lit(level - 1)).cast("decimal(3,2)")
    return missed * weight


if __name__ == "__main__":
    from lakehouse.submit import submit

    submit(table)
