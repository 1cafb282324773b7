"""Health scores that a person set, beside the computed ones: one row per customer and month at whose end one held.

An override holds at a month's end from its first day on and until it expires, whatever day it is today; the computed
score of gold.customer_health stays as it is.
"""

from __future__ import annotations

import json

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lakehouse.customer_settings import Health, HealthOverride
from lakehouse.metrics.health import BANDS, health_band
from lakehouse.table import Check, Column, Table

OVERRIDES = "array<struct<customer_id: string, score: double, owner: string, reason: string, starts_on: date, expires_on: date>>"

table = Table(
    name="gold.health_overrides",
    description=__doc__,
    grain="customer × month at whose end an override held",
    key=("customer_id", "month"),
    inputs={"customer_health": "gold.customer_health"},
    settings=("health", "health_overrides"),
    foreign_keys={"customer_id": "silver.customers"},
    columns=(
        Column("customer_id", "string", "Customer", nullable=False),
        Column("month", "date", "First day of the month", nullable=False),
        Column("as_of_date", "date", "Last day of the month", nullable=False),
        Column("health_score", "double", "Computed score of the month, 0–100", minimum=0, maximum=100),
        Column("health_band", "string", "Band of the computed score", values=BANDS),
        Column("override_score", "double", "Score that holds in its place", nullable=False, minimum=0, maximum=100),
        Column("override_band", "string", "Band of that score", nullable=False, values=BANDS),
        Column("owner", "string", "Who answers for the override", nullable=False),
        Column("reason", "string", "Why it was set", nullable=False),
        Column("starts_on", "date", "First day on which it holds", nullable=False),
        Column("expires_on", "date", "First day on which it does not hold any more", nullable=False),
    ),
    checks=(Check("held_at_the_month_end", "starts_on <= as_of_date AND as_of_date < expires_on"),),
)


def transform(customer_health: DataFrame, health: Health, health_overrides: list[HealthOverride]) -> DataFrame:
    said = json.dumps([override.model_dump(mode="json") for override in health_overrides])
    holding = F.filter(
        F.from_json(F.lit(said), OVERRIDES),
        lambda override: (
            (override.customer_id == F.col("customer_id"))
            & (override.starts_on <= F.col("as_of_date"))
            & (F.col("as_of_date") < override.expires_on)
        ),
    )
    computed = ("customer_id", "month", "as_of_date", "health_score", "health_band")
    overridden = customer_health.select(*computed, F.explode(holding).alias("set")).withColumns(
        {
            "override_score": F.col("set.score"),
            "override_band": health_band(F.col("set.score"), health.bands),
            **{name: F.col(f"set.{name}") for name in ("owner", "reason", "starts_on", "expires_on")},
        }
    )
    return table.select(overridden)


if __name__ == "__main__":
    from lakehouse.submit import submit

    submit(table)
