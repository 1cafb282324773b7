"""Parameters of a customer's life: satisfaction, churn, changes of terms, payments; and of the company's costs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field, model_validator

from lakehouse.generator.market_parameters import NotNegative, Positive, Twelve, require_names, require_sum_one
from lakehouse.setting_types import Model, PositiveInt, Share
from lakehouse.vocabulary import COMPANY_SIZES, SEGMENTS

DISCOUNT_DURATIONS = ("once", "repeating", "forever")

Probability = Annotated[float, Field(ge=0, lt=1)]
Hazard = Annotated[float, Field(gt=0, lt=1)]


class Shock(Model):
    """An event of a month that moves satisfaction, and its factor on tickets."""

    probability: Probability
    shock: float
    tickets: Positive = 1.0


class Satisfaction(Model):
    """The unseen state of a customer, and what it does to usage."""

    fit_share: Share
    mood_memory: Probability
    champion_leaves: Shock
    support_pain: Shock
    engagement_sigma: NotNegative
    engagement_noise: NotNegative


class Churn(Model):
    """Who leaves: probabilities a month (monthly and quarterly payers) or at a renewal (annual payers)."""

    monthly: Mapping[str, Hazard]
    renewal: Mapping[str, Hazard]
    log_odds_sigma: Positive
    tenure_months: list[PositiveInt]
    tenure_multiplier: list[Positive]
    season: Twelve
    reasons: Mapping[str, Share]
    return_probability: Probability

    @model_validator(mode="after")
    def _bands_and_shares(self) -> Churn:
        if sorted(set(self.tenure_months)) != self.tenure_months:
            raise ValueError("tenure_months must ascend")
        if len(self.tenure_multiplier) != len(self.tenure_months) + 1:
            raise ValueError("tenure_multiplier needs one value more than tenure_months")
        require_names(self.monthly, SEGMENTS, "monthly")
        require_names(self.renewal, SEGMENTS, "renewal")
        require_sum_one(list(self.reasons.values()), "reasons")
        return self


class Changes(Model):
    """Changes of a segment's terms: probabilities a month, steps as shares of the seats, uplift of a renewal."""

    seats_up: Probability
    seats_up_step: Share
    seats_down: Probability
    seats_down_step: Share
    upgrade: Probability
    downgrade: Probability
    uplift: Share


class Terms(Model):
    """Changes of terms that all segments share."""

    satisfaction_effect: NotNegative
    seat_ceiling: Share
    uplift_share: Share
    to_annual: Probability
    to_monthly: Probability
    pause: Probability
    pause_months: Annotated[list[PositiveInt], Field(min_length=1)]


class DiscountStart(Model):
    """Probability of a discount in the first order."""

    self_service: Share
    sales: Share


class Discounts(Model):
    """Discounts: when they are given, how large, and for how long."""

    at_start: DiscountStart
    retention_offer: Probability
    rates: Annotated[list[Share], Field(min_length=1)]
    durations: Mapping[str, Share]
    repeating_months: Annotated[list[PositiveInt], Field(min_length=1)]

    @model_validator(mode="after")
    def _durations_sum_to_one(self) -> Discounts:
        require_names(self.durations, DISCOUNT_DURATIONS, "durations")
        require_sum_one(list(self.durations.values()), "durations")
        return self


class DaysToPay(Model):
    """Days from an invoice to its payment by wire or ach."""

    median: Positive
    sigma: NotNegative


class Payments(Model):
    """How customers pay, how payments fail, and how they are recovered."""

    card_failure: Probability
    ach_failure: Probability
    retry_days: Annotated[list[PositiveInt], Field(min_length=1)]
    recovered: list[Share]
    satisfaction_effect: NotNegative
    failure_reasons: Mapping[str, Share]
    card: Mapping[str, Share]
    paypal: Mapping[str, Share]
    wire: Mapping[str, Share]
    days_to_pay: DaysToPay
    due_days: PositiveInt
    write_off: Probability
    void: Probability
    refund: Probability
    refund_days: PositiveInt
    unpaid_days: PositiveInt

    @model_validator(mode="after")
    def _retries_fit(self) -> Payments:
        if len(self.retry_days) != len(self.recovered) or sum(self.recovered) > 1:
            raise ValueError("recovered needs one share for each of retry_days, in all at most 1")
        if sorted(set(self.retry_days)) != self.retry_days or self.retry_days[-1] > 27:
            raise ValueError("retry_days must ascend and end before the next month's invoice, by day 27")
        require_sum_one(list(self.failure_reasons.values()), "failure_reasons")
        for method in ("card", "paypal", "wire"):
            require_names(getattr(self, method), COMPANY_SIZES, method)
        for size in COMPANY_SIZES:
            if self.card[size] + self.paypal[size] + self.wire[size] > 1 + 1e-9:
                raise ValueError(f"the methods of {size} exceed 1")
        return self


class Finance(Model):
    """Costs in dollars a month at the start, and what drives them."""

    inflation: Share
    hosting_fixed: NotNegative
    hosting_per_seat: NotNegative
    tickets_per_agent: Positive
    agent_cost: NotNegative
    win_capacity: Positive
    win_weight: Mapping[str, NotNegative]
    executive_cost: NotNegative
    ramp_months: Annotated[int, Field(ge=0)]
    programmes_per_marketer: Positive
    marketer_cost: NotNegative
    programme_noise: NotNegative
    research_share: Share
    research_fixed: NotNegative
    administrative_share: Share
    administrative_fixed: NotNegative

    @model_validator(mode="after")
    def _every_size_has_a_weight(self) -> Finance:
        require_names(self.win_weight, COMPANY_SIZES, "win_weight")
        return self
