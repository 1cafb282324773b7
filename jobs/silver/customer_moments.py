"""What customers did, said and paid up to a moment: one row per customer and moment at which it is looked at.

The moments are the ends of the complete months that a customer closed with MRR and, for whoever ever had any, the as-of
day. Only sums and counts stand here: what is computed from them is rounded once. A count is null where nothing of the
kind was ever received.
"""

from __future__ import annotations

from datetime import date

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lakehouse.metrics.signals import signals_at
from lakehouse.settings import Sentiment
from lakehouse.table import MONEY, Check, Column, Table

SENTIMENT_SUM = "decimal(38,12)"

table = Table(
    name="silver.customer_moments",
    description=__doc__,
    grain="customer × moment at which it is looked at",
    key=("customer_id", "as_of_date"),
    inputs={
        "customers": "silver.customers",
        "customer_months": "silver.customer_months",
        "subscriptions": "silver.subscriptions",
        "payments": "silver.payments",
        "tickets": "silver.tickets",
        "usage_daily": "silver.usage_daily",
        "user_days": "silver.user_days",
        "nps_responses": "silver.nps_responses",
    },
    settings=("as_of", "sentiment"),
    foreign_keys={"customer_id": "silver.customers"},
    columns=(
        Column("customer_id", "string", "Customer", nullable=False),
        Column("as_of_date", "date", "Day at whose end it is looked at", nullable=False),
        Column("last_used_date", "date", "Day of the last event"),
        Column("days_since_last_event", "int", "Days since then, or since the first paid day", minimum=0),
        Column("last_login_date", "date", "Day of the last login"),
        Column("days_since_last_login", "int", "Days since then, or since the first paid day", minimum=0),
        Column("events_30d", "bigint", "Events in 30 days", minimum=0),
        Column("events_prior_30d", "bigint", "Events in the 30 days before those", minimum=0),
        Column("active_days_30d", "bigint", "Days of 30 with an event other than a login", minimum=0, maximum=30),
        Column("active_users_30d", "bigint", "Users with such an event in 30 days", minimum=0),
        Column("categories_30d", "int", "Event categories used in 30 days", minimum=0, maximum=5),
        Column("tickets_90d", "bigint", "Tickets opened in 90 days", minimum=0),
        Column("tickets_with_target_90d", "bigint", "Those of them that have a target", minimum=0),
        Column("sla_breaches_90d", "bigint", "Those of them that missed one by then", minimum=0),
        Column("escalations_90d", "bigint", "Tickets of 90 days escalated by then", minimum=0),
        Column("csat_total_90d", "bigint", "Sum of the satisfaction, 1–5, of those resolved by then; null without any"),
        Column("csat_answers_90d", "bigint", "How many told their satisfaction", minimum=0),
        Column(
            "weighted_sentiment", SENTIMENT_SUM, "Sum of the sentiment of tickets, 0–1, recent ones first", minimum=0
        ),
        Column("sentiment_weight", SENTIMENT_SUM, "Sum of their weights", minimum=0),
        Column("payment_attempts_90d", "bigint", "Payment attempts in 90 days", minimum=0),
        Column("failed_payments_90d", "bigint", "Those of them that failed", minimum=0),
        Column("is_last_payment_failed", "boolean", "Whether the last of them failed; null without any"),
        Column("has_plan", "boolean", "Whether a plan bears revenue on the day; null before the first plan"),
        Column("renewal_date", "date", "Next end of a term of more than one month; null without a commitment"),
        Column("is_in_notice", "boolean", "Has cancelled every plan, which still runs"),
        Column("is_in_dunning", "boolean", "Payment of a plan is past due"),
        Column("mrr_before", MONEY, "Closing MRR of three months before", minimum=0),
        Column("contraction_mrr_3m", MONEY, "MRR given up by smaller terms in three months", minimum=0),
        Column("nps_total_180d", "bigint", "Sum of the scores of 180 days, 0–10 each; null without any", minimum=0),
        Column("nps_answers_180d", "bigint", "How many there are", minimum=0),
    ),
    checks=(
        Check("no_more_breaches_than_targets", "tickets_90d IS NULL OR sla_breaches_90d <= tickets_with_target_90d"),
        Check(
            "no_more_failed_than_attempted",
            "payment_attempts_90d IS NULL OR failed_payments_90d <= payment_attempts_90d",
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
    usage_daily: DataFrame,
    user_days: DataFrame,
    nps_responses: DataFrame,
    as_of: date,
    sentiment: Sentiment,
) -> DataFrame:
    month_ends = customer_months.filter(F.col("is_active") & (F.last_day("month") <= F.lit(as_of))).select(
        "customer_id", F.last_day("month").alias("as_of_date")
    )
    now = customers.filter(F.col("cohort_month").isNotNull()).select("customer_id", F.lit(as_of).alias("as_of_date"))
    moments = (
        month_ends.unionByName(now)
        .distinct()
        .join(customers.select("customer_id", "first_paid_date"), how="left", on="customer_id")
    )
    return table.select(
        signals_at(
            moments,
            customer_months=customer_months,
            subscriptions=subscriptions,
            payments=payments,
            tickets=tickets,
            usage_daily=usage_daily,
            user_days=user_days,
            nps_responses=nps_responses,
            sentiment=sentiment,
        )
    )


if __name__ == "__main__":
    from lakehouse.submit import submit

    submit(table)
