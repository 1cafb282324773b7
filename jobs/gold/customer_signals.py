"""What each customer does and says, as of now, and the scores made of it: one row per customer who ever had MRR.

A window of n days ends with the as-of day. A customer without an event counts as not using the product, unless there
are no events of anybody; then its use is unknown. Use and health are scored while a customer pays.
"""

from __future__ import annotations

from datetime import date

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lakehouse.customer_settings import Health
from lakehouse.metrics.health import BANDS, COMPONENTS, with_health
from lakehouse.metrics.scores import tenure_band, usage_scores
from lakehouse.metrics.signals import with_health_inputs
from lakehouse.rules import Part, Reconciliation
from lakehouse.settings import UsageScore
from lakehouse.table import MONEY, Check, Column, Table

HEALTH_POINTS = ("health_score", *(f"health_{component}" for component in COMPONENTS))
HEALTH_COLUMNS = (*HEALTH_POINTS, "health_band", "health_missing")

table = Table(
    name="gold.customer_signals",
    description=__doc__,
    grain="customer who ever had MRR",
    key=("customer_id",),
    inputs={"customers": "silver.customers", "customer_moments": "silver.customer_moments"},
    settings=("as_of", "usage_score", "health"),
    foreign_keys={"customer_id": "silver.customers"},
    columns=(
        Column("customer_id", "string", "Customer", nullable=False),
        Column("is_churned", "boolean", "Had MRR and has none", nullable=False),
        Column("tenure_band", "int", "Band of tenure among whose customers use is compared, 0 is the youngest"),
        Column("last_used_date", "date", "Day of the last event"),
        Column("days_since_last_event", "int", "Days since then, or since the first paid day", minimum=0),
        Column("last_login_date", "date", "Day of the last login"),
        Column("days_since_last_login", "int", "Days since then, or since the first paid day", minimum=0),
        Column("events_30d", "bigint", "Events in 30 days", minimum=0),
        Column("events_prior_30d", "bigint", "Events in the 30 days before those", minimum=0),
        Column("usage_trend", "double", "events_30d ÷ events_prior_30d", minimum=0),
        Column("active_days_30d", "bigint", "Days of 30 with an event other than a login", minimum=0, maximum=30),
        Column("active_users_30d", "bigint", "Users with such an event in 30 days", minimum=0),
        Column("active_user_share", "double", "active_users_30d ÷ seats", minimum=0),
        Column("categories_30d", "int", "Event categories used in 30 days", minimum=0, maximum=5),
        Column("feature_breadth", "double", "categories_30d ÷ 5", minimum=0, maximum=1),
        Column("tickets_90d", "bigint", "Tickets opened in 90 days; null without any source", minimum=0),
        Column("sla_breaches_90d", "bigint", "Those of them that missed a target", minimum=0),
        Column("escalations_90d", "bigint", "Those of them that were escalated", minimum=0),
        Column("sla_breach_rate", "double", "Share of them that missed a target, where there is one"),
        Column("escalation_rate", "double", "Share of them that were escalated", minimum=0, maximum=1),
        Column("csat", "double", "Mean satisfaction of them, 1–5", minimum=1, maximum=5),
        Column("mrr_before", MONEY, "Closing MRR of three months ago", minimum=0),
        Column("contraction_mrr_3m", MONEY, "MRR given up by smaller terms in three months", minimum=0),
        Column("mrr_trend", "double", "MRR ÷ closing MRR of three months ago", minimum=0),
        Column("payment_failure_rate", "double", "Failed share of payment attempts in 90 days", minimum=0, maximum=1),
        Column("failed_payments_90d", "bigint", "Failed payment attempts in 90 days", minimum=0),
        Column("is_last_payment_failed", "boolean", "Whether the last of them failed; null without any"),
        Column("renewal_date", "date", "Next end of a term of more than one month; null without a commitment"),
        Column("days_to_renewal", "int", "Days until then", minimum=1),
        Column("committed_days", "int", "The same; 0 for a plan without a term of more than one month", minimum=0),
        Column("is_in_notice", "boolean", "Has cancelled every plan, which still runs"),
        Column("is_in_dunning", "boolean", "Payment of a plan is past due"),
        Column("nps_score", "double", "Mean score of 180 days, 0–10", minimum=0, maximum=10),
        Column("usage_score", "double", "Mean percentile rank of use among peers", minimum=0, maximum=1),
        Column("support_sentiment_score", "double", "Sentiment of tickets, recent ones first", minimum=0, maximum=1),
        *(Column(name, "double", f"{name}, 0–100", minimum=0, maximum=100) for name in HEALTH_POINTS),
        Column("health_band", "string", "Band of the score", values=BANDS),
        Column("health_missing", "string", "Components without any data, separated by commas; weights renormalised"),
    ),
    checks=(
        Check("only_payers_have_health", "NOT is_churned OR (health_score IS NULL AND usage_score IS NULL)"),
        Check("band_with_score", "(health_score IS NULL) = (health_band IS NULL)"),
    ),
    audits=(
        Reconciliation(
            "everyone_who_ever_had_mrr",
            "count(*)",
            (Part("silver.customers", "count(*)", where="cohort_month IS NOT NULL"),),
        ),
        Reconciliation(
            "tickets_are_those_of_90_days",
            "sum(tickets_90d)",
            (Part("silver.tickets", "count(*)", where="opened_date > :as_of - 90"),),
            by=("customer_id",),
            own_groups=True,
        ),
    ),
)


def transform(
    customers: DataFrame, customer_moments: DataFrame, as_of: date, usage_score: UsageScore, health: Health
) -> DataFrame:
    ever_paid = customers.filter(F.col("cohort_month").isNotNull())
    now = customer_moments.filter(F.col("as_of_date") == F.lit(as_of))
    signals = with_health_inputs(ever_paid.join(now, how="left", on="customer_id")).withColumn(
        "tenure_band", tenure_band(F.col("tenure_months"), usage_score.tenure_bands_months)
    )
    is_payer = ~F.col("is_churned")
    scores = usage_scores(signals.filter(is_payer), usage_score)
    scored = with_health(signals.join(scores, how="left", on="customer_id"), health)
    return table.select(scored.withColumns({name: F.when(is_payer, F.col(name)) for name in HEALTH_COLUMNS}))


if __name__ == "__main__":
    from lakehouse.submit import submit

    submit(table)
