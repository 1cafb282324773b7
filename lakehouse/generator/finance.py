"""What the company spends and what its currencies are worth; costs follow from customers, seats and plans to grow."""

from __future__ import annotations

from itertools import accumulate

import numpy as np
import pyarrow as pa

from lakehouse.generator import arrays
from lakehouse.generator.arrivals import expected_wins
from lakehouse.generator.company import REPORTING_CURRENCY, Company
from lakehouse.generator.months import Months
from lakehouse.generator.records import millionths, money
from lakehouse.generator.state import MonthState
from lakehouse.generator.streams import Floats, Ints, Source
from lakehouse.vocabulary import CHANNELS, COMPANY_SIZES, DEPARTMENTS

_RATE_LEAD_DAYS = 31  # rates begin so long before the company
_RATE_MEMORY_DAYS = 400  # the walk starts so long before that, to be anywhere when it is seen
CAMPAIGNS = 2  # per channel and quarter
_HALF_POST = 2  # people are hired in halves


class Finance:
    """Costs and rates by month."""

    def __init__(self, company: Company, source: Source, months: Months, customers: int, history_months: int) -> None:
        self._company = company
        self._source = source
        self._months = months
        self.rates_from = int(months.first_day[0]) - _RATE_LEAD_DAYS
        totals = np.array([customers * size.share for size in company.sizes.values()])
        planned = expected_wins(company.growth, totals, history_months, months)
        self.planned_wins = planned.sum(axis=1)
        by_sales = np.array([1 - size.self_service for size in company.sizes.values()])
        weight = np.array([company.finance.win_weight[size] for size in COMPANY_SIZES])
        self._planned_sales = planned @ (weight * by_sales)
        self._planned_self_service = planned @ (weight * (1 - by_sales))

    def exchange_rates(self, first: int, last: int) -> dict[str, pa.Array]:
        """Return ``bronze.exchange_rates`` of the days from ``first`` to ``last``, days since 1970 inclusive.

        The logarithm of a rate departs from its mean by daily shocks that fade.
        """
        origin = self.rates_from - _RATE_MEMORY_DAYS
        walked = np.arange(origin, last + 1)
        rates = []
        for number, currency in enumerate(self._company.currencies.values()):
            shocks = currency.volatility * self._source.normal("exchange_rate", number, walked)
            departure = _faded_sums(shocks, self._company.rate_memory)
            rates.append(currency.rate * np.exp(departure[first - origin :]))
        days = np.arange(first, last + 1)
        currency_number, place = arrays.members(np.full(len(rates), len(days)))
        return {
            "currency": arrays.labels(list(self._company.currencies), currency_number),
            "rate_date": arrays.days(days[place]),
            "rate": millionths(np.rint(np.concatenate(rates) * 1_000_000).astype(np.int64)),
        }

    def marketing_spend(self, month: int) -> dict[str, pa.Array]:
        """Return ``bronze.marketing_spend`` of the month: programmes, by channel and campaign."""
        channel = np.flatnonzero([each.programme_cost > 0 for each in self._company.channels.values()])
        channel, campaign = np.repeat(channel, CAMPAIGNS), np.tile(np.arange(CAMPAIGNS), len(channel))
        noise = spend_factor(self._company, self._source, channel, campaign, month)
        amount = self._programmes(month)[channel] / CAMPAIGNS * noise
        number = arrays.month_index(self._months.dates[month])
        return {
            "spend_id": arrays.numbered_ids("MS", (np.full_like(channel, number), 6), "-", (channel, 2), (campaign, 1)),
            "month": self._month_column(month, len(channel)),
            "channel": arrays.labels(CHANNELS, channel),
            "campaign_id": campaign_ids(np.full_like(channel, number), channel, campaign),
            "amount": money(_cents(amount)),
            "currency": pa.repeat(REPORTING_CURRENCY, len(channel)),
        }

    def expenses(self, month: int, state: MonthState, mrr: float) -> dict[str, pa.Array]:
        """Return ``bronze.expenses`` of the month, from who used the product in it and the MRR at its end, in dollars."""
        costs, prices = self._company.finance, self._inflation(month)
        share_of_month = (state.last_day - state.first_day + 1) / self._months.length[month]
        used_seats = float((state.seats * state.engagement * share_of_month).sum())
        support = self._company.support
        asked = support.tickets_per_month * state.seats**support.seat_exponent * state.incident
        tickets = float((asked * share_of_month).sum())
        horizon = slice(month, month + costs.ramp_months + 1)
        executives = _posts(float(self._planned_sales[horizon].mean()) / costs.win_capacity)
        marketers = _posts(float(self._programmes(month).sum()) / prices / costs.programmes_per_marketer)
        amounts = {
            "cogs_hosting": prices * (costs.hosting_fixed + costs.hosting_per_seat * used_seats),
            "cogs_support": prices * costs.agent_cost * _posts(tickets / costs.tickets_per_agent),
            "sales": prices * costs.executive_cost * executives,
            "marketing": prices * costs.marketer_cost * marketers,
            "research_development": prices * costs.research_fixed + costs.research_share * mrr,
            "general_administrative": prices * costs.administrative_fixed + costs.administrative_share * mrr,
        }
        number = np.full(len(DEPARTMENTS), arrays.month_index(self._months.dates[month]))
        return {
            "expense_id": arrays.numbered_ids("EX", (number, 6), "-", (np.arange(len(DEPARTMENTS)), 1)),
            "month": self._month_column(month, len(DEPARTMENTS)),
            "department": pa.array(DEPARTMENTS),
            "amount": money(_cents(np.array([amounts[department] for department in DEPARTMENTS]))),
            "currency": pa.repeat(REPORTING_CURRENCY, len(DEPARTMENTS)),
        }

    def _programmes(self, month: int) -> Floats:
        """Return the programme spend by channel: for the wins planned in this month and the next, by their weight."""
        near = slice(month, month + 2)
        self_service, sales = self._planned_self_service[near].mean(), self._planned_sales[near].mean()
        channels = self._company.channels.values()
        wins = np.array([self_service * channel.self_service + sales * channel.sales for channel in channels])
        cost = np.array([channel.programme_cost for channel in channels])
        return np.asarray(wins * cost * self._inflation(month))

    def _inflation(self, month: int) -> float:
        return float((1 + self._company.finance.inflation) ** (month / 12))

    def _month_column(self, month: int, length: int) -> pa.Array:
        return arrays.days(np.full(length, self._months.first_day[month]))


def spend_factor(company: Company, source: Source, channel: Ints, campaign: Ints, month: Ints | int) -> Floats:
    """Return what is spent on each campaign in the month against the plan; its mean is 1."""
    sigma = company.finance.programme_noise
    return np.asarray(np.exp(sigma * source.normal("programme", channel, campaign, month) - sigma**2 / 2))


def campaign_ids(month_number: Ints, channel: Ints, campaign: Ints) -> pa.Array:
    """Return the campaign_id of a channel's campaigns in the quarter of each month, a number of ``month_index``."""
    quarter_start = month_number - (month_number - 1) % 3
    return arrays.numbered_ids("CMP", (quarter_start * CAMPAIGNS + campaign, 6), (channel, 2))


def _faded_sums(shocks: Floats, memory: float) -> Floats:
    return np.array(list(accumulate(shocks.tolist(), lambda before, shock: memory * before + shock)))


def _posts(needed: float) -> float:
    return max(1.0, float(np.ceil(needed * _HALF_POST))) / _HALF_POST


def _cents(dollars: Floats) -> Ints:
    return np.rint(dollars * 100).astype(np.int64)
