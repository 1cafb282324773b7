"""What customers do, say and pay up to a moment: one row per customer and moment with anything to tell."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from lakehouse.metrics.moments import MOMENT, in_window
from lakehouse.metrics.presence import zero_where_received
from lakehouse.metrics.ratios import safe_ratio
from lakehouse.metrics.scores import sentiment_sums
from lakehouse.metrics.sla import with_breaches
from lakehouse.metrics.tickets import as_known
from lakehouse.metrics.usage_signals import with_usage_signals
from lakehouse.settings import Sentiment
from lakehouse.vocabulary import EVENT_CATEGORIES

# Changes with which a term of commitment begins.
TERM_STARTS = ("initial", "conversion", "renewal", "cadence_change", "reactivation")

# What is zero for who has no ticket or payment.
TICKET_COUNTS = ("tickets_90d", "tickets_with_target_90d", "sla_breaches_90d", "escalations_90d", "csat_answers_90d")
PAYMENT_COUNTS = ("payment_attempts_90d", "failed_payments_90d")


def signals_at(
    moments: DataFrame,
    *,
    customer_months: DataFrame,
    subscriptions: DataFrame,
    payments: DataFrame,
    tickets: DataFrame,
    usage_daily: DataFrame,
    user_days: DataFrame,
    nps_responses: DataFrame,
    sentiment: Sentiment,
) -> DataFrame:
    """Add every signal of this module and of usage_signals to each moment, as sums and counts.

    ``moments`` has first_paid_date; the sources are the silver tables.
    """
    keys = moments.select(MOMENT)
    signals = with_usage_signals(moments, usage_daily, user_days)
    for more in (
        support_signals(keys, tickets, sentiment),
        payment_signals(keys, payments),
        contract_signals(keys, subscriptions),
        ledger_signals(keys, customer_months),
        nps_signals(keys, nps_responses),
    ):
        signals = signals.join(more, how="left", on=MOMENT)
    for source, counts in ((tickets, TICKET_COUNTS), (payments, PAYMENT_COUNTS), (nps_responses, ["nps_answers_180d"])):
        signals = zero_where_received(signals, source, counts)
    return signals


def with_health_inputs(signals: DataFrame) -> DataFrame:
    """Add to rows of silver.customer_moments their ratios and what else the health score looks at.

    ``signals`` also has what the customer has at the moment: mrr and seats. committed_days are those to the renewal, 0
    for a plan that has no term to renew.
    """
    days_to_renewal = F.date_diff("renewal_date", "as_of_date")
    support_sentiment_score = _ratio("weighted_sentiment", "sentiment_weight")
    return signals.withColumns(
        {
            "usage_trend": _ratio("events_30d", "events_prior_30d"),
            "active_user_share": _ratio("active_users_30d", "seats"),
            "feature_breadth": F.col("categories_30d") / F.lit(float(len(EVENT_CATEGORIES))),
            "sla_breach_rate": _ratio("sla_breaches_90d", "tickets_with_target_90d"),
            "escalation_rate": _ratio("escalations_90d", "tickets_90d"),
            "csat": _ratio("csat_total_90d", "csat_answers_90d"),
            "support_sentiment_score": support_sentiment_score,
            "sentiment": support_sentiment_score,
            "mrr_trend": _ratio("mrr", "mrr_before"),
            "payment_failure_rate": _ratio("failed_payments_90d", "payment_attempts_90d"),
            "days_to_renewal": days_to_renewal,
            "committed_days": F.coalesce(days_to_renewal, F.when(F.col("has_plan"), 0)),
            "nps_score": _ratio("nps_total_180d", "nps_answers_180d"),
        }
    )


def support_signals(moments: DataFrame, tickets: DataFrame, sentiment: Sentiment) -> DataFrame:
    """tickets_90d, those with a target, sla_breaches_90d, escalations_90d, and the sums of csat and of sentiment.

    A ticket without a target cannot breach one. An escalation is known from the first answer on, csat from
    the resolution on.
    """
    until = F.date_add("as_of_date", 1).cast("timestamp")
    is_answered_later = F.coalesce(F.col("first_responded_at") >= until, F.lit(False))
    opened = in_window(tickets, moments, day="opened_date", days=max(90, sentiment.window_days))
    known = opened.withColumn("is_escalated", F.col("is_escalated") & ~is_answered_later)
    is_recent = F.col("age_days") < 90
    has_target = is_recent & F.col("is_breached").isNotNull()
    csat = F.when(is_recent, F.col("csat"))
    weighted_sentiment, sentiment_weight = sentiment_sums(F.col("sentiment"), F.col("age_days"), sentiment)
    return (
        with_breaches(as_known(known, until), until)
        .groupBy(MOMENT)
        .agg(
            F.count_if(is_recent).alias("tickets_90d"),
            F.count_if(has_target).alias("tickets_with_target_90d"),
            F.count_if(has_target & F.col("is_breached")).alias("sla_breaches_90d"),
            F.count_if(is_recent & F.col("is_escalated")).alias("escalations_90d"),
            F.sum(csat).alias("csat_total_90d"),
            F.count(csat).alias("csat_answers_90d"),
            weighted_sentiment.alias("weighted_sentiment"),
            sentiment_weight.alias("sentiment_weight"),
        )
    )


def payment_signals(moments: DataFrame, payments: DataFrame) -> DataFrame:
    """Of the payment attempts of 90 days, refunds aside: how many, failed_payments_90d and the last one's outcome."""
    attempts = payments.filter(F.col("status") != "refunded").withColumn("_day", F.to_date("attempted_at"))
    is_failed = F.col("status") == "failed"
    return (
        in_window(attempts, moments, day="_day", days=90)
        .groupBy(MOMENT)
        .agg(
            F.count("*").alias("payment_attempts_90d"),
            F.count_if(is_failed).alias("failed_payments_90d"),
            F.max_by(is_failed, F.struct("attempted_at", "payment_id")).alias("is_last_payment_failed"),
        )
    )


def contract_signals(moments: DataFrame, subscriptions: DataFrame) -> DataFrame:
    """has_plan, renewal_date, is_in_notice and is_in_dunning, of the plans that bear revenue on the day.

    The renewal is the next end of a term, which counts from the last change that began one and repeats; one of a month
    always ends within a month and tells nothing, so it has no renewal. In notice is who has cancelled every plan, while
    it still runs; in dunning, whose payment of a plan is past due.
    """
    begun = (
        subscriptions.filter(F.col("item_type") == "plan")
        .join(moments, how="inner", on="customer_id")
        .filter(F.col("start_date") <= F.col("as_of_date"))
    )
    holds = F.col("bears_revenue") & F.coalesce(F.col("end_date") > F.col("as_of_date"), F.lit(True))
    begins_term = F.col("change_type").isin(*TERM_STARTS)
    is_ending = F.col("end_date").isNotNull() & (F.to_date("canceled_at") <= F.col("as_of_date"))
    terms = begun.groupBy(*MOMENT, "subscription_id").agg(
        F.max(F.when(begins_term, F.col("start_date"))).alias("term_start"),
        F.max(F.when(holds, F.col("term_months"))).alias("term_months"),
        F.bool_and(F.when(holds, F.coalesce(is_ending, F.lit(False)))).alias("is_ending"),
        F.bool_or(holds).alias("holds"),
        F.bool_or(holds & (F.col("status") == "past_due")).alias("is_past_due"),
    )
    terms_begun = F.floor(F.months_between("as_of_date", "term_start") / F.col("term_months")) + 1
    renewal = F.add_months("term_start", (terms_begun * F.col("term_months")).cast("int"))
    return terms.groupBy(MOMENT).agg(
        F.bool_or("holds").alias("has_plan"),
        F.min(F.when(F.col("term_months") > 1, renewal)).alias("renewal_date"),
        F.bool_and("is_ending").alias("is_in_notice"),
        F.bool_or("is_past_due").alias("is_in_dunning"),
    )


def ledger_signals(moments: DataFrame, customer_months: DataFrame) -> DataFrame:
    """mrr_before, the closing MRR of three months before, and contraction_mrr_3m of the three months since."""
    month = F.trunc("as_of_date", "month")
    before = F.add_months(month, -3)
    months = moments.select(*MOMENT, F.explode(F.sequence(before, month, F.expr("INTERVAL 1 MONTH"))).alias("month"))
    return (
        customer_months.select("customer_id", "month", "closing_mrr", "contraction_mrr")
        .join(months, how="inner", on=["customer_id", "month"])
        .groupBy(MOMENT)
        .agg(
            F.max(F.when(F.col("month") == before, F.col("closing_mrr"))).alias("mrr_before"),
            F.sum(F.when(F.col("month") > before, F.col("contraction_mrr"))).alias("contraction_mrr_3m"),
        )
    )


def nps_signals(moments: DataFrame, nps_responses: DataFrame) -> DataFrame:
    """The sum of the scores of the answers of 180 days, 0–10 each, and how many there are."""
    answers = nps_responses.withColumn("_day", F.to_date("responded_at"))
    return (
        in_window(answers, moments, day="_day", days=180)
        .groupBy(MOMENT)
        .agg(F.sum("score").alias("nps_total_180d"), F.count("score").alias("nps_answers_180d"))
    )


def _ratio(numerator: str, denominator: str) -> Column:
    return safe_ratio(F.col(numerator), F.col(denominator))
