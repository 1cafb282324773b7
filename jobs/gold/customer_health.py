"""How healthy each customer was and what changed it: one row per customer and complete month that it closed with MRR.

Each month is judged at its end by what was known then, with the same function as the score of gold.unit_economics, so
that both have the same score in the as-of month.
"""

from __future__ import annotations

from datetime import date

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lakehouse.customer_settings import Health
from lakehouse.metrics.health import BANDS, COMPONENTS, with_health, with_health_change
from lakehouse.metrics.lifecycle import tenure_months
from lakehouse.metrics.moments import MOMENT
from lakehouse.metrics.signals import with_health_inputs
from lakehouse.table import MONEY, Check, Column, Table
from lakehouse.vocabulary import BILLING_CADENCES, SEGMENTS

HELD = ("plan_id", "billing_cadence", "segment", "seats")
CONTRIBUTIONS = tuple(f"contribution_{component}" for component in COMPONENTS)

table = Table(
    name="gold.customer_health",
    description=__doc__,
    grain="customer × complete month that it closed with MRR",
    key=("customer_id", "month"),
    inputs={
        "customers": "silver.customers",
        "customer_months": "silver.customer_months",
        "customer_moments": "silver.customer_moments",
    },
    settings=("as_of", "health"),
    foreign_keys={"customer_id": "silver.customers"},
    columns=(
        Column("customer_id", "string", "Customer", nullable=False),
        Column("month", "date", "First day of the month", nullable=False),
        Column("as_of_date", "date", "Last day of the month, at whose end it is judged", nullable=False),
        Column("plan_id", "string", "Plan of the largest item"),
        Column("billing_cadence", "string", "Cadence of the largest item", values=BILLING_CADENCES),
        Column("segment", "string", "Segment by employees at the month's close", values=SEGMENTS),
        Column("tenure_months", "int", "Whole months from the first paid day through as_of_date", minimum=0),
        Column("mrr", MONEY, "MRR at the month's close, in the reporting currency", nullable=False, minimum=0),
        Column("is_in_notice", "boolean", "Has cancelled every plan, which still runs"),
        Column("is_in_dunning", "boolean", "Payment of a plan is past due"),
        Column("health_score", "double", "Mean of the components by weight, 0–100", minimum=0, maximum=100),
        Column("health_band", "string", "Band of the score", values=BANDS),
        *(
            Column(f"health_{name}", "double", f"Points of {name}, 0–100; null without data", minimum=0, maximum=100)
            for name in COMPONENTS
        ),
        *(
            Column(f"weight_{name}", "double", f"Weight of {name} as applied; 0 without data", minimum=0, maximum=1)
            for name in COMPONENTS
        ),
        Column("health_missing", "string", "Components without data, separated by commas", nullable=False),
        Column("usage_trend", "double", "Events of 30 days ÷ events of the 30 before", minimum=0),
        Column("active_user_share", "double", "Active users of 30 days ÷ seats", minimum=0),
        Column("sla_breach_rate", "double", "Share of the tickets of 90 days that missed a target by then"),
        Column("escalation_rate", "double", "Share of them that were escalated by then", minimum=0, maximum=1),
        Column("sentiment", "double", "Sentiment of tickets, recent ones first", minimum=0, maximum=1),
        Column("csat", "double", "Mean satisfaction, of tickets resolved by then, 1–5", minimum=1, maximum=5),
        Column("mrr_trend", "double", "MRR ÷ closing MRR of three months ago", minimum=0),
        Column("payment_failure_rate", "double", "Failed share of payment attempts in 90 days", minimum=0, maximum=1),
        Column("committed_days", "int", "Days until the renewal; 0 for a plan without a term to renew", minimum=0),
        Column("feature_breadth", "double", "Event categories used in 30 days ÷ 5", minimum=0, maximum=1),
        Column("days_since_last_event", "int", "Days since the last event, or since the first paid day", minimum=0),
        Column("nps_score", "double", "Mean score of 180 days, 0–10", minimum=0, maximum=10),
        Column("previous_health_score", "double", "Score of the month before", minimum=0, maximum=100),
        Column("health_change", "double", "health_score − previous_health_score"),
        *(
            Column(f"contribution_{name}", "double", f"Points of health_change that came from {name}")
            for name in COMPONENTS
        ),
        Column("main_driver", "string", "Component that did most for the change; null without one", values=COMPONENTS),
    ),
    checks=(
        Check("judged_at_the_month_end", "as_of_date = last_day(month)"),
        Check("band_with_score", "(health_score IS NULL) = (health_band IS NULL)"),
        Check(
            "weights_sum_to_one",
            f"health_score IS NULL OR abs({' + '.join(f'weight_{name}' for name in COMPONENTS)} - 1) < 1e-6",
        ),
        Check(
            "score_is_its_components_by_weight",
            "health_score IS NULL OR abs("
            f"{' + '.join(f'coalesce(health_{name} * weight_{name}, 0)' for name in COMPONENTS)} - health_score) < 1e-6",
        ),
        Check(
            "contributions_sum_to_the_change",
            "health_change IS NULL OR "
            f"abs({' + '.join(f'coalesce({name}, 0)' for name in CONTRIBUTIONS)} - health_change) < 1e-6",
        ),
        Check("driver_with_change", "(main_driver IS NULL) = (coalesce(health_change, 0) = 0)"),
    ),
)


def transform(
    *,
    customers: DataFrame,
    customer_months: DataFrame,
    customer_moments: DataFrame,
    as_of: date,
    health: Health,
) -> DataFrame:
    month_ends = (
        customer_months.filter(F.col("is_active") & (F.last_day("month") <= F.lit(as_of)))
        .select("customer_id", "month", *HELD, F.col("closing_mrr").alias("mrr"))
        .withColumn("as_of_date", F.last_day("month"))
        .join(customers.select("customer_id", "first_paid_date"), how="left", on="customer_id")
        .withColumn("tenure_months", tenure_months(F.col("first_paid_date"), F.date_add("as_of_date", 1)))
    )
    signals = with_health_inputs(month_ends.join(customer_moments, how="left", on=MOMENT))
    return table.select(with_health_change(with_health(signals, health)))


if __name__ == "__main__":
    from lakehouse.submit import submit

    submit(table)
