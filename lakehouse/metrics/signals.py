"""What customers do and say, counted back from a day: each function returns one row per customer with anything to tell.

A window of n days ends with ``as_of``; what happened later does not count.
"""

from __future__ import annotations

from datetime import date

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from lakehouse.metrics.ratios import safe_ratio
from lakehouse.metrics.scores import sentiment_score
from lakehouse.settings import Sentiment

# Changes with which a term of commitment begins.
TERM_STARTS = ("initial", "conversion", "renewal", "cadence_change", "reactivation")


def usage_signals(usage_daily: DataFrame, user_days: DataFrame, as_of: date) -> DataFrame:
    """active_days_30d, categories_30d and active_users_30d; active means an event other than a login.

    ``usage_daily`` and ``user_days`` are the silver tables.
    """
    used_days_ago = _days_before(F.col("usage_date"), as_of)
    use = (
        usage_daily.filter(used_days_ago.between(0, 29))
        .groupBy("customer_id")
        .agg(
            F.count_if(F.col("active_events") > 0).alias("active_days_30d"),
            F.bit_count(F.bit_or("category_mask")).alias("categories_30d"),
        )
    )
    acted_days_ago = _days_before(F.col("activity_date"), as_of)
    users = (
        user_days.filter(acted_days_ago.between(0, 29) & F.col("is_active"))
        .groupBy("customer_id")
        .agg(F.count_distinct("user_id").alias("active_users_30d"))
    )
    return use.join(users, how="left", on="customer_id")


def support_signals(tickets: DataFrame, as_of: date, sentiment: Sentiment) -> DataFrame:
    """tickets_90d, their sla_breach_rate, escalation_rate and mean csat, and support_sentiment_score.

    ``tickets`` is silver.tickets; a ticket without a target is left out of the breach rate.
    """
    age_days = _days_before(F.col("opened_date"), as_of)
    is_recent = age_days.between(0, 89)
    has_target = is_recent & F.col("is_breached").isNotNull()
    return tickets.groupBy("customer_id").agg(
        F.count_if(is_recent).alias("tickets_90d"),
        safe_ratio(F.count_if(has_target & F.col("is_breached")), F.count_if(has_target)).alias("sla_breach_rate"),
        safe_ratio(F.count_if(is_recent & F.col("is_escalated")), F.count_if(is_recent)).alias("escalation_rate"),
        F.avg(F.when(is_recent, F.col("csat"))).alias("csat"),
        sentiment_score(F.col("sentiment"), age_days, sentiment).alias("support_sentiment_score"),
    )


def payment_signals(payments: DataFrame, as_of: date) -> DataFrame:
    """payment_failure_rate: the failed share of the attempts of 90 days, refunds aside. ``payments`` is the silver one."""
    is_attempt = _days_before(F.to_date("attempted_at"), as_of).between(0, 89) & (F.col("status") != "refunded")
    is_failed = is_attempt & (F.col("status") == "failed")
    return payments.groupBy("customer_id").agg(
        safe_ratio(F.count_if(is_failed), F.count_if(is_attempt)).alias("payment_failure_rate")
    )


def renewal_signals(subscriptions: DataFrame, as_of: date) -> DataFrame:
    """renewal_date: the next end of a term among the plans that bear revenue on the day.

    ``subscriptions`` is silver.subscriptions. A term counts from the last change that began one and repeats; one of a
    month always ends within a month and tells nothing, so it has no renewal.
    """
    is_plan = (F.col("item_type") == "plan") & (F.col("start_date") <= F.lit(as_of))
    begins_term = F.col("change_type").isin(*TERM_STARTS)
    terms = (
        subscriptions.filter(is_plan)
        .groupBy("customer_id", "subscription_id")
        .agg(
            F.max(F.when(begins_term, F.col("start_date"))).alias("term_start"),
            F.max(F.when(F.col("is_active"), F.col("term_months"))).alias("term_months"),
        )
        .filter(F.col("term_months") > 1)
    )
    terms_begun = F.floor(F.months_between(F.lit(as_of), "term_start") / F.col("term_months")) + 1
    renewal = F.add_months("term_start", (terms_begun * F.col("term_months")).cast("int"))
    return terms.groupBy("customer_id").agg(F.min(renewal).alias("renewal_date"))


def nps_signals(nps_responses: DataFrame, as_of: date) -> DataFrame:
    """nps_score: the mean score of the answers of 180 days, 0–10. ``nps_responses`` is the silver table."""
    is_recent = _days_before(F.to_date("responded_at"), as_of).between(0, 179)
    return nps_responses.filter(is_recent).groupBy("customer_id").agg(F.avg("score").alias("nps_score"))


def _days_before(day: Column, as_of: date) -> Column:
    return F.date_diff(F.lit(as_of), day)
