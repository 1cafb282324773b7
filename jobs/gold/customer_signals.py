"""What each customer does and says, as of now, and the scores made of it: one row per customer who ever had MRR.

A window of n days ends with the as-of day. A customer without an event counts as not using the product, unless there
are no events of anybody; then its use is unknown. Use and health are scored while a customer pays.
"""

from __future__ import annotations

from datetime import date

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lakehouse.metrics.health import BANDS, COMPONENTS, with_health
from lakehouse.metrics.ratios import safe_ratio
from lakehouse.metrics.scores import peer_scores, tenure_band
from lakehouse.metrics.signals import nps_signals, payment_signals, renewal_signals, support_signals, usage_signals
from lakehouse.rules import Part, Reconciliation
from lakehouse.settings import Health, Sentiment, UsageScore
from lakehouse.table import Check, Column, Table
from lakehouse.vocabulary import EVENT_CATEGORIES

USE_COUNTS = ("events_30d", "events_prior_30d", "active_days_30d", "active_users_30d", "categories_30d")
# What use is compared by; more is better.
USAGE_INPUTS = ("recency", "active_days_30d", "categories_30d", "usage_trend")
HEALTH_POINTS = ("health_score", *(f"health_{component}" for component in COMPONENTS))
HEALTH_COLUMNS = (*HEALTH_POINTS, "health_band", "health_missing")

table = Table(
    name="gold.customer_signals",
    description=__doc__,
    grain="customer who ever had MRR",
    key=("customer_id",),
    inputs={
        "customers": "silver.customers",
        "customer_months": "silver.customer_months",
        "subscriptions": "silver.subscriptions",
        "payments": "silver.payments",
        "tickets": "silver.tickets",
        "customer_usage": "gold.customer_usage",
        "usage_daily": "silver.usage_daily",
        "user_days": "silver.user_days",
        "nps_responses": "silver.nps_responses",
    },
    settings=("as_of", "usage_score", "sentiment", "health"),
    foreign_keys={"customer_id": "silver.customers"},
    columns=(
        Column("customer_id", "string", "Customer", nullable=False),
        Column("is_churned", "boolean", "Had MRR and has none", nullable=False),
        Column("tenure_band", "int", "Band of tenure among whose customers use is compared, 0 is the youngest"),
        Column("last_used_date", "date", "Day of the last event"),
        Column("days_since_last_event", "int", "Days since then, or since the first paid day", minimum=0),
        Column("events_30d", "bigint", "Events in 30 days", minimum=0),
        Column("events_prior_30d", "bigint", "Events in the 30 days before those", minimum=0),
        Column("usage_trend", "double", "events_30d ÷ events_prior_30d", minimum=0),
        Column("active_days_30d", "bigint", "Days of 30 with an event other than a login", minimum=0, maximum=30),
        Column("active_users_30d", "bigint", "Users with such an event in 30 days", minimum=0),
        Column("active_user_share", "double", "active_users_30d ÷ seats", minimum=0),
        Column("categories_30d", "int", "Event categories used in 30 days", minimum=0, maximum=5),
        Column("feature_breadth", "double", "categories_30d ÷ 5", minimum=0, maximum=1),
        Column("tickets_90d", "bigint", "Tickets opened in 90 days", nullable=False, minimum=0),
        Column("sla_breach_rate", "double", "Share of them that missed a target, where there is one"),
        Column("escalation_rate", "double", "Share of them that were escalated", minimum=0, maximum=1),
        Column("csat", "double", "Mean satisfaction of them, 1–5", minimum=1, maximum=5),
        Column("mrr_trend", "double", "MRR ÷ closing MRR of three months ago", minimum=0),
        Column("payment_failure_rate", "double", "Failed share of payment attempts in 90 days", minimum=0, maximum=1),
        Column("renewal_date", "date", "Next end of a term of more than one month; null without a commitment"),
        Column("days_to_renewal", "int", "Days until then", minimum=1),
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
            "no_more_tickets_than_there_were",
            "sum(tickets_90d)",
            (Part("silver.tickets", "count(*)", where="opened_date > date_sub(:as_of, 90)"),),
            by=("customer_id",),
            comparison="<=",
        ),
    ),
)


def transform(
    *,
    customers: DataFrame,
    customer_months: DataFrame,
    subscriptions: DataFrame,
    payments: DataFrame,
    tickets: DataFrame,
    customer_usage: DataFrame,
    usage_daily: DataFrame,
    user_days: DataFrame,
    nps_responses: DataFrame,
    as_of: date,
    usage_score: UsageScore,
    sentiment: Sentiment,
    health: Health,
) -> DataFrame:
    three_months_ago = customer_months.filter(
        F.col("month") == F.add_months(F.trunc(F.lit(as_of), "month"), -3)
    ).select("customer_id", F.col("closing_mrr").alias("mrr_before"))
    signals = customers.filter(F.col("cohort_month").isNotNull())
    for more in (
        customer_usage.select("customer_id", "last_used_date", "events_30d", "events_prior_30d"),
        usage_signals(usage_daily, user_days, as_of),
        support_signals(tickets, as_of, sentiment),
        payment_signals(payments, as_of),
        renewal_signals(subscriptions, as_of),
        nps_signals(nps_responses, as_of),
        three_months_ago,
    ):
        signals = signals.join(more, how="left", on="customer_id")
    known = _with_use_known(signals.fillna(0, subset=["tickets_90d"]), customer_usage, as_of).withColumns(
        {
            "tenure_band": tenure_band(F.col("tenure_months"), usage_score.tenure_bands_months),
            "usage_trend": safe_ratio(F.col("events_30d"), F.col("events_prior_30d")),
            "active_user_share": safe_ratio(F.col("active_users_30d"), F.col("seats")),
            "feature_breadth": F.col("categories_30d") / F.lit(float(len(EVENT_CATEGORIES))),
            "mrr_trend": safe_ratio(F.col("mrr"), F.col("mrr_before")),
            "days_to_renewal": F.date_diff("renewal_date", F.lit(as_of)),
            "recency": -F.col("days_since_last_event"),
            "sentiment": F.col("support_sentiment_score"),
        }
    )
    is_payer = ~F.col("is_churned")
    scores = peer_scores(
        known.filter(is_payer),
        inputs=USAGE_INPUTS,
        narrow=["plan_id", "tenure_band"],
        wide=["plan_id"],
        min_peers=usage_score.min_peers,
    )
    scored = with_health(known.join(scores, how="left", on="customer_id"), health)
    return table.select(scored.withColumns({name: F.when(is_payer, F.col(name)) for name in HEALTH_COLUMNS}))


def _with_use_known(signals: DataFrame, customer_usage: DataFrame, as_of: date) -> DataFrame:
    """Zero use where events of others show that there is a source of them; null use where there is none."""
    any_use = customer_usage.agg((F.count("*") > 0).alias("is_use_known"))
    last_day = F.coalesce("last_used_date", "first_paid_date")
    counts = {name: F.when(F.col("is_use_known"), F.coalesce(name, F.lit(0))) for name in USE_COUNTS}
    since = F.when(F.col("is_use_known"), F.date_diff(F.lit(as_of), last_day))
    return signals.crossJoin(any_use).withColumns({**counts, "days_since_last_event": since})


if __name__ == "__main__":
    from lakehouse.submit import submit

    submit(table)
