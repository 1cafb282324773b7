"""Flags that a customer may leave, the evidence of each, and the level of risk that they make together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from lakehouse.customer_settings import RiskLevels, RiskPoints, RiskThresholds

FLAGS = tuple(RiskPoints.model_fields)
LEVELS = (*RiskLevels.model_fields, "low")

ACTIONS = {
    "in_notice": "Ask why it leaves and offer a way to stay before the plan ends",
    "payment_failing": "Have the payment method renewed before dunning ends",
    "renewal_near": "Begin the talk about the renewal",
    "login_missing": "Call the champion and find out who uses the product",
    "usage_falling": "Look at its use together and offer training",
    "detractor": "Answer its survey in person",
    "contraction": "Review seats and plan with the buyer",
    "escalations": "Give the escalated tickets one owner and report to the customer",
    "sla_breaches": "Apologise and agree on times to answer",
}


@dataclass(frozen=True)
class Flag:
    """Whether something is raised, null where it is unknown, and the evidence in words, for where it is."""

    is_raised: Column
    evidence: Column


def risk_flags(thresholds: RiskThresholds) -> Mapping[str, Flag]:
    """Return the flags, by name, over a row of gold.customer_signals with its mrr_before."""
    contraction = F.try_divide(F.col("contraction_mrr_3m"), F.col("mrr_before"))
    has_no_renewal = F.when(F.col("committed_days").isNotNull(), F.lit(False))
    return {
        "in_notice": Flag(F.col("is_in_notice"), F.lit("cancelled, the plan still runs")),
        "payment_failing": Flag(
            F.col("is_in_dunning") | F.coalesce("is_last_payment_failed", F.lit(False)),
            F.when(F.col("is_in_dunning"), "payment past due").otherwise("last payment failed"),
        ),
        "renewal_near": Flag(
            F.coalesce(F.col("days_to_renewal") <= thresholds.renewal_days, has_no_renewal),
            _text("renewal in %d days", "days_to_renewal"),
        ),
        "login_missing": Flag(
            F.col("days_since_last_login") >= thresholds.no_login_days,
            _text("no login for %d days", "days_since_last_login"),
        ),
        "usage_falling": Flag(
            F.col("usage_trend") < 1 - thresholds.usage_fall,
            _text("use down by %.0f %% in 30 days", 100 * (1 - F.col("usage_trend"))),
        ),
        "detractor": Flag(
            F.col("nps_score") <= thresholds.detractor_score, _text("mean survey score %.1f of 10", "nps_score")
        ),
        "contraction": Flag(
            contraction >= thresholds.contraction,
            _text("%.0f %% of its MRR given up in three months", 100 * contraction.cast("double")),
        ),
        "escalations": Flag(
            F.col("escalations_90d") >= thresholds.escalations,
            _text("escalated tickets in 90 days: %d", "escalations_90d"),
        ),
        "sla_breaches": Flag(
            F.col("sla_breaches_90d") >= thresholds.sla_breaches,
            _text("tickets past their target in 90 days: %d", "sla_breaches_90d"),
        ),
    }


def with_risk(customers: DataFrame, points: RiskPoints, levels: RiskLevels) -> DataFrame:
    """Add risk_score, risk_level, main_flag and suggested_action to rows with one boolean ``flag_…`` per flag.

    The score is the sum of the points of what is raised, at most 100; the main flag is the one with most points, the
    first of equals. Without a flag main_flag and suggested_action are null.
    """
    raised = {name: F.coalesce(F.col(f"flag_{name}"), F.lit(False)) for name in FLAGS}
    score = sum((F.when(raised[name], getattr(points, name)).otherwise(0) for name in FLAGS), F.lit(0))
    by_points = sorted(FLAGS, key=lambda name: -getattr(points, name))
    main_flag = F.coalesce(*(F.when(raised[name], F.lit(name)) for name in by_points))
    action = F.coalesce(*(F.when(F.col("main_flag") == name, F.lit(action)) for name, action in ACTIONS.items()))
    scored = customers.withColumns({"risk_score": F.least(score, F.lit(100)), "main_flag": main_flag})
    return scored.withColumns({"risk_level": _level(F.col("risk_score"), levels), "suggested_action": action})


def _level(score: Column, levels: RiskLevels) -> Column:
    return (
        F.when(score >= levels.critical, "critical")
        .when(score >= levels.high, "high")
        .when(score >= levels.medium, "medium")
        .otherwise("low")
    )


def _text(words: str, value: Column | str) -> Column:
    return F.format_string(words, value)
