"""Where each customer stands: what its terms and its ledger say as of a day."""

from __future__ import annotations

from datetime import date

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from lakehouse.metrics.terms import counted_terms
from lakehouse.policies import Policy

LIFECYCLE_STAGES = ("prospect", "trial", "active", "past_due", "churned", "reactivated")

FAR_AHEAD = date(9999, 12, 31)


def contract_facts(subscriptions: DataFrame, as_of: date, policy: Policy) -> DataFrame:
    """Return what silver.subscriptions says of each customer on the as-of day: one row per customer.

    ``first_paid_date`` and ``paid_until`` (exclusive; far ahead while open) enclose the days that the policy, like the
    ledger, counts; ``first_plan`` is the first such plan (start_date, subscription_item_id, opportunity_id),
    ``last_reason`` the last cancellation with a reason (end_date, subscription_item_id, cancel_reason).
    """
    end_date = F.coalesce("end_date", F.lit(FAR_AHEAD))
    holds = end_date > F.lit(as_of)
    plan = F.struct("start_date", "subscription_item_id", "opportunity_id")
    cancellation = F.struct(end_date.alias("end_date"), "subscription_item_id", "cancel_reason")
    said = subscriptions.groupBy("customer_id").agg(
        F.max(F.when(F.col("cancel_reason").isNotNull(), cancellation)).alias("last_reason"),
        F.bool_or(holds & (F.col("status") == "trialing")).alias("is_in_trial"),
        F.bool_or(holds & F.col("bears_revenue") & (F.col("status") == "past_due")).alias("is_in_dunning"),
    )
    paid = (
        counted_terms(subscriptions, policy)
        .groupBy("customer_id")
        .agg(
            F.min("start_date").alias("first_paid_date"),
            F.max(end_date).alias("paid_until"),
            F.min(F.when(F.col("item_type") == "plan", plan)).alias("first_plan"),
        )
    )
    return said.join(paid, on="customer_id", how="left")


def ledger_facts(customer_months: DataFrame) -> DataFrame:
    """Return what silver.customer_months says of each customer: one row per customer that ever had MRR.

    ``closing_mrr``, ``plan_id``, ``billing_cadence`` and ``seats`` are those of its last month in the ledger, which is
    the as-of day's for who has MRR on it and the churn's for the others.
    """
    latest = F.max_by(F.struct("closing_mrr", "plan_id", "billing_cadence", "seats"), "month")
    facts = customer_months.groupBy("customer_id").agg(
        F.min("cohort_month").alias("cohort_month"),
        F.bool_or(F.col("reactivation_mrr") > 0).alias("has_returned"),
        latest.alias("_latest"),
    )
    return facts.select("*", "_latest.*").drop("_latest")


def churn_dates(customer_months: DataFrame, subscriptions: DataFrame, policy: Policy) -> DataFrame:
    """Return when customers were lost: one row per customer and month of churn, with churn_date, the first without MRR.

    Of silver.customer_months and silver.subscriptions, under the policy of both; who came back and left again has
    several.
    """
    lost = customer_months.filter(F.col("movement") == "churn").select("customer_id", "month")
    counted = counted_terms(subscriptions, policy)
    ended = counted.filter(F.col("end_date").isNotNull()).select("customer_id", "start_date", "end_date")
    return (
        lost.join(ended, how="inner", on="customer_id")
        .filter(F.col("start_date") <= F.last_day("month"))
        .groupBy("customer_id", "month")
        .agg(F.max("end_date").alias("churn_date"))
    )


def tenure_months(first_paid_date: Column, until: Column) -> Column:
    """Return the whole months from the first paid day to ``until``, which is not counted.

    Example: from 21 January until 1 July: 5.
    """
    return F.months_between(until, first_paid_date).cast("int")


def with_lifecycle(customers: DataFrame, as_of: date) -> DataFrame:
    """Return the customers, joined with both kinds of facts, with stage, MRR, churn, tenure and way of winning.

    ``tenure_months`` are whole months from the first paid day to the day of churn, or through the as-of day.
    """
    mrr = F.coalesce("closing_mrr", F.lit(0))
    is_churned = F.col("cohort_month").isNotNull() & (mrr == 0)
    churn_date = F.when(is_churned, F.col("paid_until"))
    tenure_end = F.coalesce(churn_date, F.date_add(F.lit(as_of), 1))
    is_rep_won = F.when(F.col("first_plan").isNotNull(), F.col("first_plan.opportunity_id").isNotNull())
    lifecycle_stage = (
        F.when(is_churned, "churned")
        .when((mrr > 0) & F.col("is_in_dunning"), "past_due")
        .when((mrr > 0) & F.col("has_returned"), "reactivated")
        .when(mrr > 0, "active")
        .when(F.col("is_in_trial"), "trial")
        .otherwise("prospect")
    )
    return customers.withColumns(
        {
            "lifecycle_stage": lifecycle_stage,
            "mrr": mrr,
            "seats": F.coalesce("seats", F.lit(0)),
            "is_churned": is_churned,
            "churn_date": churn_date,
            "churn_reason": F.when(churn_date <= F.col("last_reason.end_date"), F.col("last_reason.cancel_reason")),
            "tenure_months": tenure_months(F.col("first_paid_date"), tenure_end),
            "is_rep_won": is_rep_won,
            "is_self_service": ~is_rep_won,
        }
    )
