"""What a customer is from the start: size, place, channel, first plan and terms. Nothing here says who will leave."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lakehouse.generator.arrivals import LAPSED_TRIAL, SALES, Arrivals
from lakehouse.generator.company import REPORTING_CURRENCY, Company
from lakehouse.generator.draws import choice, normal_quantile
from lakehouse.generator.strata import spread
from lakehouse.generator.streams import Floats, Ints, stream, uniform
from lakehouse.vocabulary import COMPANY_SIZES

METHODS = ("card", "paypal", "wire", "ach")
CARD, PAYPAL, WIRE, ACH = range(4)

SEGMENT_OF_SIZE = np.array([0, 0, 1, 2])
# Employees of the classes in order of COMPANY_SIZES: lower ends, and upper ends that are still inside.
_EMPLOYEES = np.array([[1, 20, 100, 1000], [19, 99, 999, 200_000]])
# How far the seats follow the employees.
_SEATS_CORRELATION = 0.5
# A company whose trial lapses fits less well, in standard deviations.
_LAPSED_FIT = -0.5


@dataclass(frozen=True)
class Population:
    """Attributes of everyone in order of arrival; the integers are indices of the company's lists, in their order."""

    employees: Ints
    size: Ints
    segment: Ints
    country: Ints
    zone: Ints
    utc_offset_hours: Floats
    industry: Ints
    channel: Ints
    currency: Ints
    tax: Floats
    plan: Ints
    seats: Ints
    cadence: Ints
    method: Ints
    fit: Floats
    is_sales: NDArray[np.bool_]


def currencies(company: Company) -> list[str]:
    """Return the currencies, the reporting one first: ``Population.currency`` is an index of them."""
    return [REPORTING_CURRENCY, *company.currencies]


def zones(company: Company) -> list[str]:
    """Return the time zones of all countries: ``Population.zone`` is an index of them."""
    return [zone for country in company.countries.values() for zone in country.zones]


def population(company: Company, seed: int, arrivals: Arrivals) -> Population:
    """Return the attributes of all arrivals."""
    key = stream(seed, "population")
    ordinal = np.arange(len(arrivals))

    def even(attribute: str) -> Floats:
        return spread(key, attribute, arrivals.group, arrivals.rank)

    def by_size(shares: Sequence[Sequence[float]], uniforms: Floats) -> Ints:
        return _choice_by_group(uniforms, arrivals.size, shares)

    sizes = list(company.sizes.values())
    countries = list(company.countries.values())
    country = choice(even("country"), [each.share for each in countries])
    zone, offset = _zones(company, uniform(stream(seed, "zone"), ordinal), country)
    employee_score = normal_quantile(even("employees"))
    is_sales = arrivals.motion == SALES
    channel_shares = [[c.self_service for c in company.channels.values()], [c.sales for c in company.channels.values()]]
    method_shares = [
        [p.card[s], p.paypal[s], p.wire[s], max(0.0, 1 - p.card[s] - p.paypal[s] - p.wire[s])]
        for p in [company.payments]
        for s in COMPANY_SIZES
    ]
    employees = _employees(company, arrivals.size, employee_score)
    return Population(
        employees=employees,
        size=arrivals.size,
        segment=SEGMENT_OF_SIZE[arrivals.size],
        country=country,
        zone=zone,
        utc_offset_hours=offset,
        industry=choice(uniform(stream(seed, "industry"), ordinal), list(company.industries.values())),
        channel=_choice_by_group(even("channel"), is_sales.astype(np.int64), channel_shares),
        currency=np.array([currencies(company).index(each.currency) for each in countries])[country],
        tax=np.array([each.tax for each in countries])[country],
        plan=by_size([size.plans for size in sizes], even("plan")),
        seats=_seats(company, arrivals.size, employee_score, normal_quantile(even("seats")), employees),
        cadence=by_size([size.cadence.shares for size in sizes], even("cadence")),
        method=by_size(method_shares, uniform(stream(seed, "method"), ordinal)),
        fit=normal_quantile(even("fit")) + _LAPSED_FIT * (arrivals.motion == LAPSED_TRIAL),
        is_sales=is_sales,
    )


def _choice_by_group(uniforms: Floats, group: Ints, shares: Sequence[Sequence[float]]) -> Ints:
    chosen = np.zeros(len(uniforms), dtype=np.int64)
    for number, weights in enumerate(shares):
        members = group == number
        chosen[members] = choice(uniforms[members], weights)
    return chosen


def _employees(company: Company, size: Ints, score: Floats) -> Ints:
    median = np.array([each.employees.median for each in company.sizes.values()])[size]
    sigma = np.array([each.employees.sigma for each in company.sizes.values()])[size]
    lowest, highest = _EMPLOYEES[:, size]
    return np.asarray(np.clip(np.rint(median * np.exp(sigma * score)), lowest, highest).astype(np.int64))


def _seats(company: Company, size: Ints, employee_score: Floats, own_score: Floats, employees: Ints) -> Ints:
    median = np.array([each.seats.median for each in company.sizes.values()])[size]
    sigma = np.array([each.seats.sigma for each in company.sizes.values()])[size]
    score = _SEATS_CORRELATION * employee_score + np.sqrt(1 - _SEATS_CORRELATION**2) * own_score
    wanted = np.rint(median * np.exp(sigma * score))
    most = np.maximum(1, company.terms.seat_ceiling * employees)
    return np.asarray(np.clip(wanted, 1, most).astype(np.int64))


def _zones(company: Company, uniforms: Floats, country: Ints) -> tuple[Ints, Floats]:
    counts = np.array([len(each.zones) for each in company.countries.values()])
    zone = (np.cumsum(counts) - counts)[country] + (uniforms * counts[country]).astype(np.int64)
    offsets = np.array([offset for each in company.countries.values() for offset in each.zones.values()])
    return zone, offsets[zone]
