"""How fast leads move: one row per month in which leads came and value of a dimension.

Each lead counts by itself, one of a person who comes again too, with the moments that it has; a step that it skipped has
none. Durations run from the lead's coming, the cycle from the opening of the opportunity to its win, in calendar time. A
month speaks of a step once its leads have had the time for it, since its fast ones would speak alone before.
"""

from __future__ import annotations

from datetime import date

from pyspark.sql import Column as SparkColumn
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lakehouse.funnel_settings import Funnel
from lakehouse.metrics.breakdown import by_dimension
from lakehouse.metrics.leads import MATURITY, maturity, may_speak
from lakehouse.rules import Part, Reconciliation
from lakehouse.table import Check, Column, Table

DIMENSIONS = {"all": (), "lead_source": ("lead_source",), "segment": ("segment",)}

HOUR_MICROSECONDS = 3_600_000_000
DAY_MICROSECONDS = 24 * HOUR_MICROSECONDS
# Each duration with the count of leads that have it, the moments between which it runs, its unit and the step.
DURATIONS = {
    "hours_to_first_touch": ("touched", "created_at", "first_touched_at", HOUR_MICROSECONDS, "first_touch"),
    "days_to_mql": ("qualified", "created_at", "mql_at", DAY_MICROSECONDS, "mql"),
    "days_to_sql": ("accepted", "created_at", "sql_at", DAY_MICROSECONDS, "sql"),
    "days_to_opportunity": ("opened", "created_at", "opportunity_at", DAY_MICROSECONDS, "opportunity"),
    "days_to_win": ("won", "created_at", "won_at", DAY_MICROSECONDS, "won"),
    "cycle_days": ("closed", "opportunity_at", "won_at", DAY_MICROSECONDS, "won"),
}
QUANTILES = {"median": 0.5, "p90": 0.9}

table = Table(
    name="gold.funnel_velocity",
    description=__doc__,
    grain="month × dimension × value",
    key=("month", "dimension", "dimension_value"),
    inputs={"leads": "silver.leads"},
    settings=("as_of", "min_observations", "funnel"),
    columns=(
        Column("month", "date", "First day of the month in which the leads came", nullable=False),
        Column("dimension", "string", "What the leads are split by", nullable=False, values=tuple(DIMENSIONS)),
        Column("dimension_value", "string", "Value of the dimension", nullable=False),
        Column("leads", "bigint", "Leads that came, those of people who came again too", nullable=False, minimum=1),
        *(
            column
            for name, (count, begin, end, _, _) in DURATIONS.items()
            for column in (
                Column(f"{count}_leads", "bigint", f"Leads with {end}, not before {begin}", nullable=False, minimum=0),
                Column(f"median_{name}", "double", f"Exact median from {begin} to {end}, interpolated", minimum=0),
                Column(f"p90_{name}", "double", "Exact 90th percentile, interpolated", minimum=0),
                Column(f"{name}_status", "string", "Whether the month is old enough and the leads are enough", False,
                       values=MATURITY),
            )
        ),
    ),
    checks=(
        *(Check(f"{count}_are_leads", f"{count}_leads <= leads") for count, *_ in DURATIONS.values()),
        *(
            Check(f"{name}_or_status",
                  f"IF({name}_status IN ('ok', 'small'), median_{name} <= p90_{name}, median_{name} IS NULL)")
            for name in DURATIONS
        ),
    ),
    audits=(
        Reconciliation(
            "every_lead_is_there_in_each_dimension",
            "sum(leads)",
            (Part("silver.leads", f"{len(DIMENSIONS)} * count(*)", by=("date_trunc('month', created_date)",)),),
            by=("month",),
        ),
        Reconciliation(
            "every_win_is_there",
            "sum(won_leads)",
            (Part("silver.leads", "count_if(won_at >= created_at)", by=("date_trunc('month', created_date)",)),),
            by=("month",),
            where="dimension = 'all'",
        ),
    ),
)  # fmt: skip


def transform(leads: DataFrame, as_of: date, min_observations: int, funnel: Funnel) -> DataFrame:
    timed = leads.withColumns({name: _duration(*of[1:4]) for name, of in DURATIONS.items()})
    groups = (
        by_dimension(timed.withColumn("month", F.trunc("created_date", "month")), DIMENSIONS)
        .groupBy("month", "dimension", "dimension_value")
        .agg(
            F.count("*").alias("leads"),
            *(F.count(name).alias(f"{count}_leads") for name, (count, *_) in DURATIONS.items()),
            *(F.percentile(name, F.array(*map(F.lit, QUANTILES.values()))).alias(name) for name in DURATIONS),
        )
    )
    days = funnel.maturity_days.model_dump()
    statuses = {
        f"{name}_status": maturity(F.col(f"{count}_leads"), F.last_day("month"), days[step], as_of, min_observations)
        for name, (count, *_, step) in DURATIONS.items()
    }
    quantiles = {
        f"{quantile}_{name}": F.when(may_speak(f"{name}_status"), F.get(name, F.lit(place)))
        for name in DURATIONS
        for place, quantile in enumerate(QUANTILES)
    }
    return table.select(groups.withColumns(statuses).withColumns(quantiles))


def _duration(begin: str, end: str, unit: int) -> SparkColumn:
    """The time between two moments, null without either and where they are out of order."""
    return F.when(F.col(end) >= F.col(begin), (F.unix_micros(end) - F.unix_micros(begin)) / F.lit(unit))


if __name__ == "__main__":
    from lakehouse.submit import submit

    submit(table)
