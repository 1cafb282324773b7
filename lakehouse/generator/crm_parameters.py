"""Parameters of the CRM: the funnel, the stages of an opportunity, what reps do and say."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from math import prod
from typing import Annotated

from pydantic import Field, model_validator

from lakehouse.generator.market_parameters import LogNormal, NotNegative, Positive, require_names, require_sum_one
from lakehouse.setting_types import LEAP_YEAR, Model, MonthDay, PositiveInt, Share
from lakehouse.vocabulary import ACTIVITY_TYPES, CHANNELS, SEGMENTS

OPEN_STAGES = 4
_LEAP_YEAR_DAYS = 366
_MOST_LOST_DAYS = 20  # so that no time is further from its moment than the month that the CRM is ahead
Part = Annotated[float, Field(gt=0, lt=1)]
BySegment = Mapping[str, Positive]


class Funnel(Model):
    """How far the leads of a channel come: shares of those of the step before."""

    mql: Part
    sql: Part
    opportunity: Part
    win_factor: Positive

    @property
    def to_opportunity(self) -> float:
        """The share of the leads that become an opportunity."""
        return self.mql * self.sql * self.opportunity


class LeadDays(Model):
    """Days to each step of the funnel from the one before."""

    mql: LogNormal
    sql: LogNormal
    opportunity: LogNormal


class FirstTouch(Model):
    """How soon reps reach out: shares within an hour, within a day, later, and how often sales then accepts."""

    shares: Annotated[list[Part], Field(min_length=3, max_length=3)]
    acceptance: Annotated[list[Part], Field(min_length=3, max_length=3)]
    never_share: Share

    @model_validator(mode="after")
    def _shares_sum_to_one(self) -> FirstTouch:
        require_sum_one(self.shares, "first_touch")
        return self


class Stages(Model):
    """The open stages of a segment: median days in each, and the share that goes on from it."""

    median_days: Annotated[list[Positive], Field(min_length=OPEN_STAGES, max_length=OPEN_STAGES)]
    advance: Annotated[list[Part], Field(min_length=OPEN_STAGES, max_length=OPEN_STAGES)]

    @property
    def win_rate(self) -> float:
        """The share of the opportunities that is won."""
        return prod(self.advance)

    @property
    def lost_shares(self) -> list[float]:
        """The shares of the stages in which lost opportunities are lost."""
        reached = [prod(self.advance[:stage]) for stage in range(OPEN_STAGES)]
        return [reach * (1 - on) / (1 - self.win_rate) for reach, on in zip(reached, self.advance, strict=True)]


class Expansion(Model):
    """Opportunities to sell more to a customer."""

    win_rate: Part
    cycle_days: BySegment
    cycle_sigma: NotNegative
    lost_size: LogNormal


class Renewal(Model):
    """Opportunities to keep a customer whose term ends."""

    opened_days: BySegment
    early_days: LogNormal


class Forecast(Model):
    """What reps say of their opportunities, and how well they know."""

    optimism: Positive
    sigma: NotNegative
    push_share: Positive
    informed_share: Share
    quarter_end_share: Share
    first_amount_sigma: NotNegative
    update_days: Positive
    quality_weight: NotNegative
    noise: NotNegative


class Reps(Model):
    """The sales force: how long people stay, how good they are, how many there are."""

    tenure_months: LogNormal
    vacancy_days: PositiveInt
    ramp_months: PositiveInt
    ramp_share: Part
    quality_sigma: NotNegative
    bias_sigma: NotNegative
    leads_per_bdr: Positive
    customers_per_csm: Positive
    quota_stretch: Positive


class Activities(Model):
    """What reps do: rates a week, and what they depend on."""

    per_week: BySegment
    lost_factor: Positive
    quality_effect: NotNegative
    fading: Positive
    with_customers: Positive
    per_lead: NotNegative
    types: Mapping[str, Share]

    @model_validator(mode="after")
    def _types_sum_to_one(self) -> Activities:
        require_names(self.types, ACTIVITY_TYPES, "types")
        require_sum_one(list(self.types.values()), "types")
        return self


class Touches(Model):
    """Marketing's touches of a lead after the first."""

    opportunity: NotNegative
    other: NotNegative
    same_channel: Share


class ContactCounts(Model):
    """People of an opportunity beside the first."""

    won: NotNegative
    lost: NotNegative


class QuietDays(Model):
    """Days of every year, from month-day to month-day, and the work on each of them against that on another workday."""

    first: MonthDay
    last: MonthDay
    work: Part

    @property
    def lost_days(self) -> float:
        """How many days of work are missing."""
        first, last = (date.fromisoformat(f"{LEAP_YEAR}-{edge}") for edge in (self.first, self.last))
        return ((last - first).days % _LEAP_YEAR_DAYS + 1) * (1 - self.work)


class Crm(Model):
    """``crm``: everything between the first touch and the order."""

    funnel: Mapping[str, Funnel]
    lead_days: LeadDays
    first_touch: FirstTouch
    again_share: Share
    disqualified: Mapping[str, Share]
    stages: Mapping[str, Stages]
    deal_sigma: NotNegative
    stage_sigma: NotNegative
    lost_slowdown: Positive
    longest_days: Annotated[int, Field(ge=30, le=600)]
    back_share: Share
    reopened_share: Share
    start_days: Mapping[str, PositiveInt]
    lost_amount: LogNormal
    quality_effect: NotNegative
    quarter_shock_sigma: Annotated[float, Field(ge=0, le=0.5)]
    loss_reasons: Mapping[str, Share]
    expansion: Expansion
    renewal: Renewal
    forecast: Forecast
    reps: Reps
    activities: Activities
    touches: Touches
    contacts: ContactCounts
    quiet_days: list[QuietDays]
    parent_share: Share
    revenue_per_employee: LogNormal

    @model_validator(mode="after")
    def _every_name_is_there(self) -> Crm:
        require_names(self.funnel, CHANNELS, "funnel")
        by_segment: dict[str, Mapping[str, object]] = {
            "stages": self.stages,
            "start_days": self.start_days,
            "expansion.cycle_days": self.expansion.cycle_days,
            "renewal.opened_days": self.renewal.opened_days,
            "activities.per_week": self.activities.per_week,
        }
        for name, mapping in by_segment.items():
            require_names(mapping, SEGMENTS, name)
        return self

    @model_validator(mode="after")
    def _quiet_days_are_few(self) -> Crm:
        lost = sum(period.lost_days for period in self.quiet_days)
        if lost > _MOST_LOST_DAYS:
            raise ValueError(
                f"quiet_days: at most {_MOST_LOST_DAYS} days of work may be lost in a year; it is {lost:g}"
            )
        return self

    @model_validator(mode="after")
    def _shares_sum_to_one(self) -> Crm:
        require_sum_one(list(self.disqualified.values()), "disqualified")
        require_sum_one(list(self.loss_reasons.values()), "loss_reasons")
        return self
