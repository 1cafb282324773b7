"""What is known of an account through its billing customers."""

from __future__ import annotations

from datetime import date

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from lakehouse.metrics.ratios import safe_ratio

# What the largest customer says of the account.
PROFILE = (
    "customer_id",
    "company_name",
    "segment",
    "industry",
    "country",
    "region",
    "employee_count",
    "company_size",
    "acquisition_channel",
    "lifecycle_stage",
    "plan_id",
    "plan_name",
    "billing_cadence",
)
SCORES = ("health_score", "usage_score")


def profiles(customers: DataFrame, unit_economics: DataFrame, customer_usage: DataFrame) -> DataFrame:
    """Return one row per account: its largest customer's profile, and what adds up over all of its customers.

    ``customers`` is the silver table, the others are of gold. A cost or value of which one customer's part is unknown
    is null; scores are means by MRR.
    """
    economics = unit_economics.select("customer_id", "cac", "ltv", *SCORES)
    use = customer_usage.select("customer_id", "last_used_date", "events_30d")
    largest_first = F.struct(
        -F.col("mrr"), F.isnull("cohort_month").alias("never_paid"), "first_paid_date", "signup_at", "customer_id"
    )
    accounts = (
        customers.join(economics, how="left", on="customer_id")
        .join(use, how="left", on="customer_id")
        .groupBy("account_id")
        .agg(
            F.min_by(F.struct(*PROFILE), largest_first).alias("_largest"),
            F.count("*").alias("customers"),
            F.count_if(F.col("mrr") > 0).alias("active_customers"),
            *(F.sum(name).alias(name) for name in ("seats", "mrr", "events_30d")),
            *(F.min(name).alias(name) for name in ("cohort_month", "first_paid_date")),
            *(F.max(name).alias(name) for name in ("churn_date", "last_used_date")),
            *(F.when(F.count(name) == F.count("cohort_month"), F.sum(name)).alias(name) for name in ("cac", "ltv")),
            *(_mean_by_mrr(name).alias(name) for name in SCORES),
        )
    )
    return accounts.select("*", "_largest.*").drop("_largest")


def support_of(tickets: DataFrame, as_of: date) -> DataFrame:
    """Return tickets_90d, sla_breach_rate and csat: one row per account with a ticket in the 90 days to ``as_of``."""
    recent = tickets.filter(F.date_diff(F.lit(as_of), "opened_date").between(0, 89))
    return recent.groupBy("account_id").agg(
        F.count("*").alias("tickets_90d"),
        safe_ratio(F.count_if("is_breached"), F.count("is_breached")).alias("sla_breach_rate"),
        F.avg("csat").alias("csat"),
    )


def answers_of(nps_responses: DataFrame, as_of: date) -> DataFrame:
    """Return nps_score, the mean answer, 0–10: one row per account with one in the 180 days to ``as_of``."""
    recent = nps_responses.filter(F.date_diff(F.lit(as_of), F.to_date("responded_at")).between(0, 179))
    return recent.groupBy("account_id").agg(F.avg("score").alias("nps_score"))


def parents_of(accounts: DataFrame) -> DataFrame:
    """Return parent_account_id and parent_account_name: one row per account of silver.accounts that has a parent.

    The name is null where the parent is not among the accounts.
    """
    names = accounts.select(
        F.col("account_id").alias("parent_account_id"), F.col("account_name").alias("parent_account_name")
    )
    children = accounts.filter(F.col("parent_account_id").isNotNull()).select("account_id", "parent_account_id")
    return children.join(names, how="left", on="parent_account_id")


def _mean_by_mrr(score: str) -> Column:
    # Decimals sum alike in every order; doubles do not.
    weighted = F.sum(F.col(score).cast("decimal(18,9)") * F.col("mrr"))
    return safe_ratio(weighted, F.sum(F.when(F.col(score).isNotNull(), F.col("mrr"))))
