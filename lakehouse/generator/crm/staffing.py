"""How many people sell, and how much each AE is to sell: from the plan alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lakehouse.generator.arrivals import expected_wins
from lakehouse.generator.company import Company
from lakehouse.generator.crm.force import BDRS, CSMS, TEAMS, Force, ramp
from lakehouse.generator.crm.market import MONTHS_BEFORE, Plan
from lakehouse.generator.crm.orders import NEW, Orders
from lakehouse.generator.months import Months
from lakehouse.generator.population import SEGMENT_OF_SIZE
from lakehouse.generator.streams import Floats, Ints
from lakehouse.generator.world import World
from lakehouse.vocabulary import COMPANY_SIZES, SEGMENTS

_QUARTER = 3  # months
_DAYS_PER_MONTH = 30.4375
_ROUNDED_TO = 500_000  # cents


@dataclass(frozen=True)
class Quotas:
    """Quotas by rep and quarter: ``quarter`` is its first day since 1970, ``cents`` in the reporting currency."""

    rep: Ints
    quarter: Ints
    cents: Ints


def posts(company: Company, calendar: Months, plan: Plan, customers: int, history_months: int) -> Ints:
    """Return how many people each team needs in each month of the CRM's calendar; ``calendar`` is the company's."""
    wins = _sales_wins(company, calendar, customers, history_months)
    costs, rules = company.finance, company.crm.reps
    weight = np.array([costs.win_weight[size] for size in COMPANY_SIZES])
    needed = np.ones((len(TEAMS), len(calendar)), dtype=np.int64)
    for month in range(MONTHS_BEFORE, len(calendar)):
        ahead = slice(month - MONTHS_BEFORE, month - MONTHS_BEFORE + costs.ramp_months + 1)
        load = (wins[ahead] * weight).mean(axis=0) / costs.win_capacity
        for segment in range(len(SEGMENTS)):
            needed[1 + segment, month] = max(1, np.ceil(load[segment == SEGMENT_OF_SIZE].sum()))
        needed[CSMS, month] = max(1, np.ceil(wins[: month - MONTHS_BEFORE + 1].sum() / rules.customers_per_csm))
    needed[BDRS] = np.maximum(1, np.ceil(plan.leads.sum(axis=(1, 2)) / rules.leads_per_bdr))
    return needed


def quotas(
    world: World, months: Months, force: Force, orders: Orders, *, customers: int, history_months: int
) -> Quotas:
    """Return the quotas of every whole quarter from the company's first month on.

    A team's plan is its expected wins times the mean first order of the segment; it is shared by those of the team who
    are there on the first day, new ones with less, and stretched.
    """
    company = world.company
    wins = _sales_wins(company, world.months, customers, history_months)
    mean_cents = _mean_first_order(world, orders, history_months)
    parts: list[tuple[Ints, Ints, Ints]] = []
    for month in range(MONTHS_BEFORE, len(months) - _QUARTER):
        if (months.month_of_year[month] - 1) % _QUARTER:
            continue
        first = int(months.first_day[month])
        of_quarter = wins[month - MONTHS_BEFORE : month - MONTHS_BEFORE + _QUARTER].sum(axis=0)
        employed = force.employed(first)
        for segment in range(len(SEGMENTS)):
            reps = employed[force.team[employed] == 1 + segment]
            share = ramp(company, (first - force.hired[reps]) / _DAYS_PER_MONTH)
            planned = of_quarter[segment == SEGMENT_OF_SIZE].sum() * mean_cents[segment]
            cents = planned * company.crm.reps.quota_stretch * share / share.sum()
            parts.append((reps, np.full(len(reps), first), _rounded(cents)))
    return Quotas(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def _sales_wins(company: Company, calendar: Months, customers: int, history_months: int) -> Floats:
    """Return the wins by sales that the curve plans, by month and size."""
    totals = np.array([customers * size.share * (1 - size.self_service) for size in company.sizes.values()])
    return expected_wins(company.growth, totals, history_months, calendar)


def _mean_first_order(world: World, orders: Orders, history_months: int) -> Floats:
    """Return by segment the mean ARR of the first orders of the company's planned history, in reporting cents."""
    first = orders.among((orders.kind == NEW) & (orders.number == 1))
    is_planned = world.arrivals.month[first.customer] < history_months
    segment = world.people.segment[first.customer]
    dollars = first.arr / world.prices.per_dollar[world.people.currency[first.customer]]
    groups = [dollars[is_planned & (segment == number)] for number in range(len(SEGMENTS))]
    return np.array([group.mean() if len(group) else 0.0 for group in groups])


def _rounded(cents: Floats) -> Ints:
    return np.maximum(np.rint(cents / _ROUNDED_TO), 1).astype(np.int64) * _ROUNDED_TO
