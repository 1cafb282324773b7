"""The typed configuration that jobs may depend on; :mod:`lakehouse.config` reads it from ``conf/``."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from lakehouse.customer_settings import ChurnRisk, Health, HealthOverride, one_at_a_time
from lakehouse.funnel_settings import Funnel
from lakehouse.pipeline_settings import Pipeline
from lakehouse.policies import BOARD, Policy, completed
from lakehouse.setting_types import Currency, Model, MonthDay, PositiveInt, Share


class Segments(Model):
    """Numbers of employees from which a customer is Mid-Market or Enterprise; below the first it is SMB."""

    mid_market_from: PositiveInt
    enterprise_from: PositiveInt

    @model_validator(mode="after")
    def _ascend(self) -> Segments:
        if self.enterprise_from <= self.mid_market_from:
            raise ValueError("enterprise_from must be greater than mid_market_from")
        return self


class Calendar(Model):
    """Fiscal year and days without business (``month-day`` to name)."""

    fiscal_year_start_month: Annotated[int, Field(ge=1, le=12)]
    holidays: Mapping[MonthDay, str]


class UnitEconomics(Model):
    """Parameters of CAC, margin, lifetime value and payback; months, shares and rates per year."""

    cac_lag_months: Annotated[int, Field(ge=0, le=24)]
    cac_spread: Literal["equal", "first_year_value"]
    gross_margin_minimum: Share
    gross_margin_maximum: Share
    gross_margin_months: PositiveInt
    margin_min_months: PositiveInt
    arpa_months: PositiveInt
    discount_rate_per_year: Share
    horizon_months: Annotated[int, Field(ge=12, le=600)]
    survival_min_churned: PositiveInt

    @model_validator(mode="after")
    def _bounds_ascend(self) -> UnitEconomics:
        if self.gross_margin_minimum > self.gross_margin_maximum:
            raise ValueError("gross_margin_minimum must not exceed gross_margin_maximum")
        return self


class UsageScore(Model):
    """Peers of the usage score: upper ends of the tenure bands in months, and the fewest peers of a band."""

    tenure_bands_months: list[PositiveInt]
    min_peers: PositiveInt

    @model_validator(mode="after")
    def _bands_ascend(self) -> UsageScore:
        if sorted(set(self.tenure_bands_months)) != self.tenure_bands_months:
            raise ValueError("tenure_bands_months must ascend")
        return self


class Sentiment(Model):
    """Window and half-life, in days, of the support sentiment score."""

    window_days: PositiveInt
    half_life_days: PositiveInt


class Renewals(Model):
    """From how many days before the end a renewal is early, and how many after it one that nobody signed is lost."""

    early_days: PositiveInt
    grace_days: PositiveInt


class Metrics(Model):
    """``conf/metrics.yml``."""

    version: PositiveInt
    reporting_currency: Currency
    min_observations: PositiveInt
    segments: Segments
    calendar: Calendar
    policies: Annotated[Mapping[str, Policy], BeforeValidator(completed)]
    unit_economics: UnitEconomics
    usage_score: UsageScore
    sentiment: Sentiment
    renewals: Renewals
    health: Health
    health_overrides: Annotated[list[HealthOverride], AfterValidator(one_at_a_time)]
    churn_risk: ChurnRisk
    pipeline: Pipeline
    funnel: Funnel


class SlaTarget(Model):
    """Targets of one priority, in hours."""

    first_response_hours: Annotated[float, Field(gt=0)]
    resolution_hours: Annotated[float, Field(gt=0)]


class SlaTargets(Model):
    """Targets of every priority."""

    urgent: SlaTarget
    high: SlaTarget
    normal: SlaTarget
    low: SlaTarget


class Sla(Model):
    """``conf/sla.yml``."""

    version: PositiveInt
    targets: SlaTargets


class Settings(Model):
    """Everything that a job may name in its ``settings``."""

    as_of: date
    reporting_currency: Currency
    min_observations: PositiveInt
    segments: Segments
    calendar: Calendar
    policy: Policy
    unit_economics: UnitEconomics
    usage_score: UsageScore
    sentiment: Sentiment
    renewals: Renewals
    health: Health
    health_overrides: list[HealthOverride]
    churn_risk: ChurnRisk
    pipeline: Pipeline
    funnel: Funnel
    sla: Sla

    @classmethod
    def of(cls, as_of: date, metrics: Metrics, sla: Sla) -> Settings:
        """Combine the as-of date with what the files say."""
        return cls(
            as_of=as_of,
            sla=sla,
            policy=metrics.policies[BOARD],
            **{name: getattr(metrics, name) for name in cls.model_fields.keys() & metrics.model_fields_set},
        )
