"""What a quarter will win, as forecast on days before its end: one row per quarter, day, kind of business, segment and method.

Each forecast uses only what was known at the close of its day, so that a past one is what would have been said then;
weeks of a quarter are forecast on their eve. `all` kinds and segments are sums, of which only the simulation tells
how uncertain they are.
"""

from __future__ import annotations

from datetime import date

import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql import types as T

from lakehouse.forecasting.forecast import forecasts
from lakehouse.forecasting.history import COLUMNS, FORECAST_SEGMENTS
from lakehouse.forecasting.methods import BASELINES, METHODS
from lakehouse.metrics.breakdown import ALL
from lakehouse.pipeline_settings import Pipeline
from lakehouse.table import MONEY, Check, Column, Table
from lakehouse.vocabulary import OPPORTUNITY_TYPES

GROUP = ("quarter", "forecast_date", "opportunity_type", "segment", "method")

table = Table(
    name="gold.pipeline_forecast",
    description=__doc__,
    grain="quarter × day × opportunity type × segment × method",
    key=GROUP,
    inputs={"states": "silver.opportunity_states", "opportunities": "silver.opportunities"},
    settings=("as_of", "reporting_currency", "pipeline"),
    columns=(
        Column("quarter", "date", "First day of the calendar quarter that is forecast", nullable=False),
        Column("forecast_date", "date", "Day at whose close it is forecast", nullable=False),
        Column("week_of_quarter", "int", "Week in which the next day lies, from 1", False, minimum=1, maximum=14),
        Column("opportunity_type", "string", "What kind of business", False, values=(*OPPORTUNITY_TYPES, ALL)),
        Column("segment", "string", "Segment of the account", nullable=False, values=(*FORECAST_SEGMENTS, ALL)),
        Column(
            "method",
            "string",
            "monte_carlo; stage_weighted: shares won of earlier deals by stage, segment and age; rep_weighted: the reps'"
            " probabilities × what came of theirs before; the baselines coverage_ratio: share of the open pipeline that"
            " past quarters won; last_year: the same quarter of the year before",
            nullable=False,
            values=METHODS,
        ),
        Column("is_baseline", "boolean", "A naive method that the others are to beat", nullable=False),
        Column("currency", "string", "Reporting currency, ISO 4217", nullable=False),
        Column("won_to_date_arr", MONEY, "Won in the quarter up to the day", nullable=False, minimum=0),
        Column("open_opportunities", "bigint", "Open and expected to close in the quarter", False, minimum=0),
        Column("open_arr", MONEY, "Their ARR", nullable=False, minimum=0),
        Column("forecast_arr", MONEY, "ARR that the quarter is expected to win: the mean", nullable=False, minimum=0),
        Column("forecast_p10", MONEY, "10 % lie below: draws, for other methods past errors; null with too few", minimum=0),
        Column("forecast_p50", MONEY, "The median", minimum=0),
        Column("forecast_p90", MONEY, "10 % lie above", minimum=0),
    ),
    checks=(
        Check("quantiles_ascend", "forecast_p10 IS NULL OR (forecast_p10 <= forecast_p50 AND forecast_p50 <= forecast_p90)"),
        Check("no_less_than_won", "method = 'last_year' OR forecast_arr >= won_to_date_arr"),
        Check("the_simulation_has_an_interval", "method <> 'monte_carlo' OR forecast_p10 IS NOT NULL"),
        Check("forecast_before_the_end", "forecast_date < last_day(add_months(quarter, 2))"),
    ),
)  # fmt: skip

_COMPUTED = [column for column in table.columns if column.name not in ("currency", "is_baseline")]
_ARROW = pa.schema([table.arrow_schema.field(column.name) for column in _COMPUTED])


def transform(
    states: DataFrame, opportunities: DataFrame, as_of: date, reporting_currency: str, pipeline: Pipeline
) -> DataFrame:
    known = opportunities.select("opportunity_id", "opportunity_type", "segment")
    history = states.join(F.broadcast(known), on="opportunity_id", how="inner").select(
        *COLUMNS, F.lit(True).alias("_all")
    )

    def forecast(rows: pa.Table) -> pa.Table:
        return pa.Table.from_pylist(forecasts(rows, as_of, pipeline), schema=_ARROW)

    schema = T.StructType([table.schema[column.name] for column in _COMPUTED])
    # One task: what must be known of all quarters before fits one machine; a deal has a handful of changes.
    found = history.groupBy("_all").applyInArrow(forecast, schema)
    return table.select(
        found.withColumns({"currency": F.lit(reporting_currency), "is_baseline": F.col("method").isin(list(BASELINES))})
    )


if __name__ == "__main__":
    from lakehouse.submit import submit

    submit(table)
