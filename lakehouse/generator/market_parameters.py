"""Parameters of the market: how many customers come and when, what they are like, and what is sold to them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Annotated, Literal

from pydantic import Field, model_validator

from lakehouse.setting_types import Currency, Model, PositiveInt, Share
from lakehouse.vocabulary import PLAN_NAMES

Positive = Annotated[float, Field(gt=0)]
NotNegative = Annotated[float, Field(ge=0)]
Twelve = Annotated[list[Positive], Field(min_length=12, max_length=12)]
ByPlan = Annotated[list[Share], Field(min_length=len(PLAN_NAMES), max_length=len(PLAN_NAMES))]


def require_sum_one(shares: Sequence[float], what: str) -> None:
    """Refuse shares that do not sum to 1."""
    if abs(sum(shares) - 1) > 1e-9:
        raise ValueError(f"the shares of {what} must sum to 1; they sum to {sum(shares):g}")


def require_names(found: Mapping[str, object], names: tuple[str, ...], what: str) -> None:
    """Refuse a mapping that has other keys than ``names``, or has them in another order."""
    if tuple(found) != names:
        raise ValueError(f"{what} must name {', '.join(names)}, in this order; found {', '.join(found)}")


class Scale(Model):
    """Size of the default company: customers won by the end of so many months."""

    seed: Annotated[int, Field(ge=0)]
    customers: Annotated[int, Field(ge=1, le=10_000_000)]
    months: Annotated[int, Field(ge=1, le=240)]
    start_month: date

    @model_validator(mode="after")
    def _start_is_a_month(self) -> Scale:
        if self.start_month.day != 1:
            raise ValueError("start_month must be the first day of a month")
        return self


class Growth(Model):
    """The logistic curve of arrivals, its season, and trials."""

    midpoint_months: float
    scale_months: Positive
    season_small: Twelve
    season_large: Twelve
    trial_days: Annotated[int, Field(ge=1, le=28)]
    trial_conversion: Annotated[float, Field(gt=0, le=1)]


class LogNormal(Model):
    """A log-normal quantity: its median and the standard deviation of its logarithm."""

    median: Positive
    sigma: NotNegative


class Cadence(Model):
    """Shares of the billing cadences at the start."""

    monthly: Share
    quarterly: Share
    annual: Share
    multi_year: Share

    @model_validator(mode="after")
    def _sum_to_one(self) -> Cadence:
        require_sum_one(self.shares, "cadences")
        return self

    @property
    def shares(self) -> list[float]:
        """The shares in the order of the fields."""
        return [self.monthly, self.quarterly, self.annual, self.multi_year]


class Size(Model):
    """Customers of one size class."""

    share: Share
    self_service: Share
    employees: LogNormal
    seats: LogNormal
    plans: ByPlan
    cadence: Cadence

    @model_validator(mode="after")
    def _plans_sum_to_one(self) -> Size:
        require_sum_one(self.plans, "plans")
        return self


class Country(Model):
    """A country: its share of the customers, and the offset from UTC in hours of each of its time zones."""

    share: Share
    region: str
    currency: Currency
    tax: Share
    zones: Annotated[Mapping[str, Annotated[float, Field(ge=-12, le=14)]], Field(min_length=1)]


class Channel(Model):
    """A channel: its shares of the customers won, and programme spend per win in dollars."""

    self_service: Share
    sales: Share
    programme_cost: NotNegative


class Plan(Model):
    """A plan's prices per month, and the share taken off a year paid ahead."""

    base_price: NotNegative
    price_per_seat: NotNegative
    included_seats: Annotated[int, Field(ge=0)]
    annual_discount: Share


class AddOn(Model):
    """An add-on, its price per month or once, and who buys it."""

    id: Annotated[str, Field(pattern=r"^addon_[a-z_]+$")]
    name: str
    price: Positive
    billing: Literal["monthly", "one_time"]
    attach: ByPlan
    at_start: ByPlan


class PriceList(Model):
    """A currency other than the dollar: its price list per dollar, and the course of its rate."""

    price_factor: Positive
    rate: Positive
    volatility: NotNegative


class PriceRise(Model):
    """The planted rise of all plan prices, and how it sits with those who are hit."""

    month: date
    rate: Share
    grace_months: Annotated[int, Field(ge=0)]
    shock: float


class Episode(Model):
    """A planted episode: the share of the customers hit, its shock to satisfaction, its factor on tickets."""

    name: str
    month: date
    months: PositiveInt
    share: Share
    shock: float
    tickets: Positive
