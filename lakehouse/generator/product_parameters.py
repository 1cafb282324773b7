"""Parameters of the product half of the company: use of the product, support, surveys and the web site."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field, model_validator

from lakehouse.generator.market_parameters import NotNegative, Positive, require_sum_one
from lakehouse.setting_types import Model, MonthDay, PositiveInt, Share
from lakehouse.vocabulary import CHANNELS, EVENT_TYPES

EventType = Literal[
    "dashboard_created",
    "dashboard_viewed",
    "data_source_connected",
    "report_generated",
    "comment_added",
    "dashboard_shared",
    "advanced_analytics_run",
    "api_call",
]
RoleName = Literal["admin", "editor", "analyst", "viewer"]
CategoryName = Literal["billing", "bug", "how_to", "integration", "performance", "feature_request"]
PriorityName = Literal["urgent", "high", "normal", "low"]


class Users(Model):
    """Who takes the seats: invitation, idleness, roles and leaving; shares are of the seats or users."""

    invited_share_per_month: Share
    idle_share: Share
    leaving_share_per_month: Share
    activity_sigma: NotNegative
    role_shares: Mapping[RoleName, Share]

    @model_validator(mode="after")
    def _roles_sum_to_one(self) -> Users:
        require_sum_one(list(self.role_shares.values()), "role_shares")
        return self


class Rhythm(Model):
    """When people work: factors on the mean of a weekday, and weights of the local hours 0 to 23."""

    weekdays: Annotated[list[NotNegative], Field(min_length=7, max_length=7)]
    hours: Annotated[list[NotNegative], Field(min_length=24, max_length=24)]
    holidays: list[MonthDay]
    holiday_factor: NotNegative
    year_end_from: MonthDay
    year_end_factor: NotNegative

    @model_validator(mode="after")
    def _some_hour_counts(self) -> Rhythm:
        if not any(self.hours):
            raise ValueError("one of the hours must be greater than 0")
        return self


class Duration(Model):
    """A log-normal time: its median in seconds and the standard deviation of its logarithm."""

    median_seconds: Positive
    sigma: NotNegative


class Feature(Model):
    """A feature and the type of the events that its use leaves."""

    name: str
    event_type: EventType


class OnboardingStep(Model):
    """One step of setting up: how many take it, its median day after the start, and what is done in it."""

    name: str
    completed_share: Share
    median_days: Positive
    action: EventType | None


class Onboarding(Model):
    """Setting up: its steps in order, the last day on which one is taken, and the pull of the first satisfaction."""

    last_day: Annotated[int, Field(ge=1, le=28)]
    sigma: NotNegative
    satisfaction_effect: NotNegative
    steps: Annotated[list[OnboardingStep], Field(min_length=1)]


class Usage(Model):
    """``usage``: use of the product."""

    users: Users
    sessions_per_active_user_day: Positive
    account_sigma: NotNegative
    dispersion: Positive
    trial_factor: Positive
    actions_per_session: Positive
    actions_dispersion: Positive
    pause: Duration
    action_sigma: NotNegative
    action_median_seconds: Mapping[EventType | Literal["login", "onboarding_step"], Positive]
    error_share: Share
    features: Annotated[list[Feature], Field(min_length=25, max_length=40)]
    feature_exponent: Positive
    role_factors: Mapping[RoleName, Mapping[EventType, NotNegative]]
    lowest_plan_rank: Mapping[EventType, PositiveInt]
    early_months: PositiveInt
    early_factors: Mapping[EventType, NotNegative]
    rhythm: Rhythm
    onboarding: Onboarding

    @model_validator(mode="after")
    def _every_type_is_timed(self) -> Usage:
        missing = set(EVENT_TYPES) - set(self.action_median_seconds)
        if missing:
            raise ValueError(f"action_median_seconds lacks {', '.join(sorted(missing))}")
        return self


class Priority(Model):
    """Tickets of one priority: their share, median hours to answer and to resolve, and share escalated."""

    share: Share
    first_response_hours: Positive
    resolution_hours: Positive
    escalated_share: Share


class Support(Model):
    """``support``: tickets."""

    tickets_per_month: Positive
    seat_exponent: NotNegative
    dispersion: Positive
    onboarding_months: PositiveInt
    onboarding_factor: Positive
    satisfaction_effect: NotNegative
    weekend_factor: Positive
    priorities: Mapping[PriorityName, Priority]
    first_response_sigma: NotNegative
    resolution_sigma: NotNegative
    incident_slowdown: NotNegative
    channels: Mapping[Literal["email", "chat", "phone", "web"], Share]
    categories: Mapping[CategoryName, Share]
    reopened_mean: NotNegative
    further_replies_mean: NotNegative
    closed_after_days: PositiveInt
    agents: PositiveInt
    mood_correlation: Share
    mood_shares: Annotated[list[Share], Field(min_length=5, max_length=5)]
    scored_share: Share
    csat_answered_share: Share
    csat_mood_weight: Share
    slowness_effect: NotNegative
    csat_shares: Annotated[list[Share], Field(min_length=5, max_length=5)]

    @model_validator(mode="after")
    def _shares_sum_to_one(self) -> Support:
        require_sum_one([priority.share for priority in self.priorities.values()], "priorities")
        require_sum_one(list(self.channels.values()), "channels")
        require_sum_one(list(self.categories.values()), "categories")
        require_sum_one(self.mood_shares, "mood_shares")
        require_sum_one(self.csat_shares, "csat_shares")
        return self


class Surveys(Model):
    """``surveys``: the recommendation question."""

    every_months: PositiveInt
    asked_share: Share
    asked_at_most: PositiveInt
    answered_share: Share
    answer_delay: Duration
    satisfaction_correlation: Share
    answering_effect: NotNegative
    score_shares: Annotated[list[Share], Field(min_length=11, max_length=11)]
    comment_share: Share

    @model_validator(mode="after")
    def _scores_sum_to_one(self) -> Surveys:
        require_sum_one(self.score_shares, "score_shares")
        return self


class Traffic(Model):
    """``traffic``: visitors of the web site."""

    visitors_per_arrival: Positive
    visitors_floor: NotNegative
    sessions_per_visitor: Annotated[float, Field(ge=1)]
    weekdays: Annotated[list[NotNegative], Field(min_length=7, max_length=7)]
    dispersion: Positive
    channel_shares: Mapping[str, Share]

    @model_validator(mode="after")
    def _every_channel_has_a_share(self) -> Traffic:
        if set(self.channel_shares) != set(CHANNELS):
            raise ValueError(f"channel_shares must name {', '.join(CHANNELS)}")
        require_sum_one(list(self.channel_shares.values()), "channel_shares")
        if not any(self.weekdays):
            raise ValueError("one of the weekdays must be greater than 0")
        return self


class Product(Model):
    """The four blocks of ``conf/company.yml`` that describe the product half."""

    usage: Usage
    support: Support
    surveys: Surveys
    traffic: Traffic
