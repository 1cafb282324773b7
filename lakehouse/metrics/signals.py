"""What customers do and say, counted back from a moment: one row per customer and moment with anything to tell.

Moments are the end of ``as_of_date`` for ``customer_id``. A window of n days ends with that day, and what became known
later does not count, so that a moment of the past is judged as it would have been then.
"""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.window import Window

from lakehouse.metrics.ratios import safe_ratio
from lakehouse.metrics.scores import sentiment_score
from lakehouse.metrics.sla import with_breaches
from lakehouse.metrics.tickets import as_known
from lakehouse.settings import Sentiment
from lakehouse.vocabulary import EVENT_CATEGORIES

MOMENT = ["customer_id", "as_of_date"]

# Changes with which a term of commitment begins.
TERM_STARTS = ("initial", "conversion", "renewal", "cadence_change", "reactivation")

# What is zero for who has no event while others have some.
USE_COUNTS = ("events_30d", "events_prior_30d", "active_days_30d", "active_users_30d", "categories_30d")


def with_signals(
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
    """Add every signal of this module, and the inputs of the health score made of them, to each moment.

    ``moments`` has first_paid_date and what the customer has at the moment: mrr and seats. The sources are the silver
    tables. Use is unknown before the first event of anybody; from then on a customer without an event used nothing.
    """
    keys = moments.select(MOMENT)
    signals = moments.crossJoin(usage_daily.agg(F.min("usage_date").alias("_first_use_of_anybody")))
    for more in (
        usage_signals(keys, usage_daily, user_days),
        last_use(keys, usage_daily),
        support_signals(keys, tickets, sentiment),
        payment_signals(keys, payments),
        contract_signals(keys, subscriptions),
        ledger_signals(keys, customer_months),
        nps_signals(keys, nps_responses),
    ):
        signals = signals.join(more, how="left", on=MOMENT)
    return _with_health_inputs(_with_use_known(signals).fillna(0, subset=["tickets_90d"]))


def in_window(frame: DataFrame, moments: DataFrame, *, day: str, days: int) -> DataFrame:
    """Return the rows whose ``day`` lies in the window of ``days`` that ends with a moment of their customer.

    One row per row and moment, with ``as_of_date`` and ``age_days`` (0 on the day itself).
    """
    # By the months that a window touches, so that a day meets few moments instead of all of its customer's.
    first_month = F.trunc(F.date_sub("as_of_date", days - 1), "month")
    months = F.sequence(first_month, F.trunc("as_of_date", "month"), F.expr("INTERVAL 1 MONTH"))
    touched = moments.select(*MOMENT, F.explode(months).alias("_month"))
    return (
        frame.withColumn("_month", F.trunc(day, "month"))
        .join(touched, how="inner", on=["customer_id", "_month"])
        .withColumn("age_days", F.date_diff("as_of_date", day))
        .filter(F.col("age_days").between(0, days - 1))
    )


def usage_signals(moments: DataFrame, usage_daily: DataFrame, user_days: DataFrame) -> DataFrame:
    """Events of 30 days and of the 30 before; active_days_30d, categories_30d and active_users_30d.

    Active means an event other than a login.
    """
    is_recent, events = F.col("age_days") < 30, F.col("events")
    use = (
        in_window(usage_daily, moments, day="usage_date", days=60)
        .groupBy(MOMENT)
        .agg(
            F.sum(F.when(is_recent, events).otherwise(0)).alias("events_30d"),
            F.sum(F.when(~is_recent, events).otherwise(0)).alias("events_prior_30d"),
            F.count_if(is_recent & (F.col("active_events") > 0)).alias("active_days_30d"),
            F.bit_count(F.bit_or(F.when(is_recent, F.col("category_mask")))).alias("categories_30d"),
        )
    )
    users = (
        in_window(user_days.filter("is_active"), moments, day="activity_date", days=30)
        .groupBy(MOMENT)
        .agg(F.count_distinct("user_id").alias("active_users_30d"))
    )
    return use.join(users, how="left", on=MOMENT)


def last_use(moments: DataFrame, usage_daily: DataFrame) -> DataFrame:
    """last_used_date and last_login_date: the last days with an event, and with a login, up to each moment."""
    used = usage_daily.select(
        "customer_id",
        F.col("usage_date").alias("_day"),
        F.col("usage_date").alias("last_used_date"),
        F.when(F.col("logged_in_users") > 0, F.col("usage_date")).alias("last_login_date"),
    )
    asked = moments.select(*MOMENT, F.col("as_of_date").alias("_day"))
    # Rows of the same day are in the window, too.
    so_far = Window.partitionBy("customer_id").orderBy("_day").rangeBetween(Window.unboundedPreceding, 0)
    return (
        used.unionByName(asked, allowMissingColumns=True)
        .withColumns({name: F.max(name).over(so_far) for name in ("last_used_date", "last_login_date")})
        .filter(F.col("as_of_date").isNotNull())
        .drop("_day")
    )


def support_signals(moments: DataFrame, tickets: DataFrame, sentiment: Sentiment) -> DataFrame:
    """tickets_90d, sla_breaches_90d, escalations_90d, their rates, the mean csat, and support_sentiment_score.

    A ticket without a target is left out of the breach rate. An escalation is known from the first answer on, csat from
    the resolution on.
    """
    until = F.date_add("as_of_date", 1).cast("timestamp")
    is_answered_later = F.coalesce(F.col("first_responded_at") >= until, F.lit(False))
    opened = in_window(tickets, moments, day="opened_date", days=max(90, sentiment.window_days))
    known = opened.withColumn("is_escalated", F.col("is_escalated") & ~is_answered_later)
    is_recent = F.col("age_days") < 90
    has_target = is_recent & F.col("is_breached").isNotNull()
    counts = (
        with_breaches(as_known(known, until), until)
        .groupBy(MOMENT)
        .agg(
            F.count_if(is_recent).alias("tickets_90d"),
            F.count_if(has_target).alias("_with_target"),
            F.count_if(has_target & F.col("is_breached")).alias("sla_breaches_90d"),
            F.count_if(is_recent & F.col("is_escalated")).alias("escalations_90d"),
            F.avg(F.when(is_recent, F.col("csat"))).alias("csat"),
            sentiment_score(F.col("sentiment"), F.col("age_days"), sentiment).alias("support_sentiment_score"),
        )
    )
    return counts.withColumns(
        {
            "sla_breach_rate": safe_ratio(F.col("sla_breaches_90d"), F.col("_with_target")),
            "escalation_rate": safe_ratio(F.col("escalations_90d"), F.col("tickets_90d")),
        }
    ).drop("_with_target")


def payment_signals(moments: DataFrame, payments: DataFrame) -> DataFrame:
    """Of the payment attempts of 90 days, refunds aside: failed_payments_90d, their share and the last one's outcome."""
    attempts = payments.filter(F.col("status") != "refunded").withColumn("_day", F.to_date("attempted_at"))
    is_failed = F.col("status") == "failed"
    return (
        in_window(attempts, moments, day="_day", days=90)
        .groupBy(MOMENT)
        .agg(
            F.count_if(is_failed).alias("failed_payments_90d"),
            safe_ratio(F.count_if(is_failed), F.count("*")).alias("payment_failure_rate"),
            F.max_by(is_failed, F.struct("attempted_at", "payment_id")).alias("is_last_payment_failed"),
        )
    )


def contract_signals(moments: DataFrame, subscriptions: DataFrame) -> DataFrame:
    """renewal_date, is_in_notice and is_in_dunning, of the plans that bear revenue on the day.

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
        F.bool_or(holds & (F.col("status") == "past_due")).alias("is_past_due"),
    )
    terms_begun = F.floor(F.months_between("as_of_date", "term_start") / F.col("term_months")) + 1
    renewal = F.add_months("term_start", (terms_begun * F.col("term_months")).cast("int"))
    return terms.groupBy(MOMENT).agg(
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
    """nps_score: the mean score of the answers of 180 days, 0–10."""
    answers = nps_responses.withColumn("_day", F.to_date("responded_at"))
    return in_window(answers, moments, day="_day", days=180).groupBy(MOMENT).agg(F.avg("score").alias("nps_score"))


def _with_use_known(signals: DataFrame) -> DataFrame:
    """Zero use where events of others show that there is a source of them; null use where there is none."""
    is_known = F.col("_first_use_of_anybody") <= F.col("as_of_date")
    counts = {name: F.when(is_known, F.coalesce(name, F.lit(0))) for name in USE_COUNTS}
    last_day = F.coalesce("last_used_date", "first_paid_date")
    return signals.withColumns(
        {**counts, "days_since_last_event": F.when(is_known, F.date_diff("as_of_date", last_day))}
    )


def _with_health_inputs(signals: DataFrame) -> DataFrame:
    ratios: dict[str, Column] = {
        "usage_trend": safe_ratio(F.col("events_30d"), F.col("events_prior_30d")),
        "active_user_share": safe_ratio(F.col("active_users_30d"), F.col("seats")),
        "feature_breadth": F.col("categories_30d") / F.lit(float(len(EVENT_CATEGORIES))),
        "mrr_trend": safe_ratio(F.col("mrr"), F.col("mrr_before")),
        "days_to_renewal": F.date_diff("renewal_date", "as_of_date"),
        "sentiment": F.col("support_sentiment_score"),
    }
    return signals.withColumns(ratios)
