"""The synthetic company: what ``conf/company.yml`` may say. Units and sources stand in the file."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from pydantic import model_validator

from lakehouse.generator.crm_parameters import Crm
from lakehouse.generator.dirt_parameters import Dirt
from lakehouse.generator.lifecycle_parameters import Changes, Churn, Discounts, Finance, Payments, Satisfaction, Terms
from lakehouse.generator.market_parameters import (
    AddOn,
    Channel,
    Country,
    Episode,
    Growth,
    Plan,
    PriceList,
    PriceRise,
    Scale,
    Size,
    require_names,
    require_sum_one,
)
from lakehouse.generator.product_parameters import Product
from lakehouse.setting_types import PositiveInt, Share
from lakehouse.vocabulary import CHANNELS, COMPANY_SIZES, PLAN_NAMES, SEGMENTS

REPORTING_CURRENCY = "USD"


class Company(Product):
    """``conf/company.yml`` under one profile."""

    version: PositiveInt
    scale: Scale
    growth: Growth
    sizes: Mapping[str, Size]
    industries: Mapping[str, Share]
    countries: Mapping[str, Country]
    channels: Mapping[str, Channel]
    plans: Mapping[str, Plan]
    add_ons: list[AddOn]
    add_on_removal: Share
    currencies: Mapping[str, PriceList]
    rate_memory: Share
    satisfaction: Satisfaction
    episodes: list[Episode]
    churn: Churn
    changes: Mapping[str, Changes]
    terms: Terms
    price_rise: PriceRise
    discounts: Discounts
    payments: Payments
    finance: Finance
    crm: Crm
    dirt: Dirt

    @staticmethod
    def with_profile(content: Mapping[str, Any], profile: str | None) -> dict[str, Any]:
        """Return what a file says without its ``profiles``, overridden by the one that is named.

        Raises:
            ValueError: when there is no such profile.
        """
        base = {key: value for key, value in content.items() if key != "profiles"}
        if profile is None:
            return base
        profiles = content.get("profiles") or {}
        if profile not in profiles:
            raise ValueError(f"there is no profile {profile!r}; known are {', '.join(profiles)}")
        return _merged(base, profiles[profile])

    @model_validator(mode="after")
    def _every_name_is_there(self) -> Company:
        require_names(self.sizes, COMPANY_SIZES, "sizes")
        require_names(self.channels, CHANNELS, "channels")
        require_names(self.plans, PLAN_NAMES, "plans")
        require_names(self.changes, SEGMENTS, "changes")
        for code, country in self.countries.items():
            if country.currency not in {REPORTING_CURRENCY, *self.currencies}:
                raise ValueError(f"countries.{code}: currencies has no {country.currency}")
        return self

    @model_validator(mode="after")
    def _shares_sum_to_one(self) -> Company:
        require_sum_one([size.share for size in self.sizes.values()], "sizes")
        require_sum_one(list(self.industries.values()), "industries")
        require_sum_one([country.share for country in self.countries.values()], "countries")
        require_sum_one([channel.self_service for channel in self.channels.values()], "channels' self_service")
        require_sum_one([channel.sales for channel in self.channels.values()], "channels' sales")
        return self

    @model_validator(mode="after")
    def _months_are_firsts(self) -> Company:
        months: list[tuple[str, date]] = [("price_rise", self.price_rise.month)]
        months += [(f"episodes.{episode.name}", episode.month) for episode in self.episodes]
        for name, month in months:
            if month.day != 1 or month < self.scale.start_month:
                raise ValueError(
                    f"{name}: month must be the first day of a month, not before scale.start_month; it is {month}"
                )
        return self


def _merged(base: Mapping[str, Any], override: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in override.items():
        nested = isinstance(value, Mapping) and isinstance(base.get(key), Mapping)
        merged[key] = _merged(base[key], value) if nested else value
    return merged
