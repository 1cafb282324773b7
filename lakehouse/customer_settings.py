"""The typed configuration of how customers are judged: health and churn risk."""

from __future__ import annotations

from datetime import date
from itertools import pairwise
from typing import Annotated

from pydantic import Field, model_validator

from lakehouse.setting_types import Model, Points, PositiveInt, Share, Text


class Anchors(Model):
    """The values of an input that give 0 and 100 points."""

    worst: float
    best: float

    @model_validator(mode="after")
    def _differ(self) -> Anchors:
        if self.worst == self.best:
            raise ValueError("worst and best must differ")
        return self


class HealthWeights(Model):
    """Weights of the four components; they sum to 1."""

    usage: Share
    support: Share
    revenue: Share
    engagement: Share

    @model_validator(mode="after")
    def _sum_to_one(self) -> HealthWeights:
        total = self.usage + self.support + self.revenue + self.engagement
        if abs(total - 1) > 1e-9:
            raise ValueError(f"the weights must sum to 1; they sum to {total:g}")
        return self


class HealthBands(Model):
    """Lower ends, in points, of the bands healthy, watch and at_risk; below the last it is critical."""

    healthy: Annotated[float, Field(ge=0, le=100)]
    watch: Annotated[float, Field(ge=0, le=100)]
    at_risk: Annotated[float, Field(ge=0, le=100)]

    @model_validator(mode="after")
    def _descend(self) -> HealthBands:
        if not self.healthy > self.watch > self.at_risk:
            raise ValueError("the bands must descend: healthy > watch > at_risk")
        return self


class UsageAnchors(Model):
    """Inputs of the usage component."""

    usage_trend: Anchors
    active_user_share: Anchors


class SupportAnchors(Model):
    """Inputs of the support component."""

    sla_breach_rate: Anchors
    escalation_rate: Anchors
    sentiment: Anchors
    csat: Anchors


class RevenueAnchors(Model):
    """Inputs of the revenue component."""

    mrr_trend: Anchors
    payment_failure_rate: Anchors
    committed_days: Anchors


class EngagementAnchors(Model):
    """Inputs of the engagement component."""

    feature_breadth: Anchors
    days_since_last_event: Anchors
    nps_score: Anchors


class HealthAnchors(Model):
    """Anchors of every input, by component."""

    usage: UsageAnchors
    support: SupportAnchors
    revenue: RevenueAnchors
    engagement: EngagementAnchors


class Health(Model):
    """The health score: weights of the components, bands of the score, anchors of the inputs."""

    weights: HealthWeights
    bands: HealthBands
    anchors: HealthAnchors


class HealthOverride(Model):
    """A health score that a person sets in place of the computed one, from a day until another, exclusive."""

    customer_id: Text
    score: Annotated[float, Field(ge=0, le=100)]
    owner: Text
    reason: Text
    starts_on: date
    expires_on: date

    @model_validator(mode="after")
    def _last_a_day(self) -> HealthOverride:
        if self.expires_on <= self.starts_on:
            raise ValueError("expires_on, the first day without the override, must come after starts_on")
        return self


def one_at_a_time(overrides: list[HealthOverride]) -> list[HealthOverride]:
    """Return the overrides.

    Raises:
        ValueError: if a customer has two for the same day.
    """
    in_order = sorted(overrides, key=lambda override: (override.customer_id, override.starts_on))
    for one, following in pairwise(in_order):
        if one.customer_id == following.customer_id and following.starts_on < one.expires_on:
            raise ValueError(f"customer {one.customer_id} has two overrides on {following.starts_on}")
    return overrides


class RiskThresholds(Model):
    """From where on a flag of churn risk is raised; :mod:`lakehouse.metrics.churn_risk` says of what."""

    usage_fall: Share
    no_login_days: PositiveInt
    escalations: PositiveInt
    sla_breaches: PositiveInt
    contraction: Share
    renewal_days: PositiveInt
    detractor_score: Annotated[float, Field(ge=0, le=10)]


class RiskPoints(Model):
    """What each flag of churn risk adds to the risk score."""

    in_notice: Points
    payment_failing: Points
    renewal_near: Points
    login_missing: Points
    usage_falling: Points
    detractor: Points
    contraction: Points
    escalations: Points
    sla_breaches: Points


class RiskLevels(Model):
    """Lower ends, in points of the risk score, of the levels critical, high and medium; below the last it is low."""

    critical: Points
    high: Points
    medium: Points

    @model_validator(mode="after")
    def _descend(self) -> RiskLevels:
        if not self.critical > self.high > self.medium:
            raise ValueError("the levels must descend: critical > high > medium")
        return self


class ChurnRisk(Model):
    """Thresholds and points of the flags of churn risk, and levels of their sum."""

    thresholds: RiskThresholds
    points: RiskPoints
    levels: RiskLevels
