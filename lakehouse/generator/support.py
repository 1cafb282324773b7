"""Support: tickets that customers open, and how they are answered."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from lakehouse.generator import arrays
from lakehouse.generator.draws import choice, log_normal, negative_binomial, normal_quantile, poisson
from lakehouse.generator.messages import CATEGORIES, messages
from lakehouse.generator.product_parameters import Product, Support
from lakehouse.generator.roster import Roster, signup_second
from lakehouse.generator.state import MonthState
from lakehouse.generator.streams import Floats, Ints, Words, stream, uniform, words
from lakehouse.generator.users import ProductState

_HOUR = 3600 * arrays.MICROSECONDS_PER_SECOND
_STATUSES = ("open", "pending", "resolved", "closed")


def month_tickets(
    parameters: Product, seed: int, roster: Roster, state: ProductState, *, schema: pa.Schema
) -> tuple[pa.Table, ProductState]:
    """Return the versions of tickets that came to hold in the month, as rows of ``schema``, and the next state.

    Versions of the month's tickets that hold from a later month on wait in the state until then.
    """
    month = roster.month
    tickets = _opened(parameters, seed, roster)
    handling = _handled(parameters.support, month, tickets)
    columns = _columns(parameters.support, roster, tickets)
    versions = pa.concat_tables(
        [_version(columns, tickets, handling, stage, schema) for stage in range(len(_STATUSES))]
    )
    if state.tickets is not None:
        versions = pa.concat_tables([state.tickets, versions])
    next_month = month.month + timedelta(days=arrays.month_days(month.month))
    end = arrays.day_number(next_month) * arrays.MICROSECONDS_PER_DAY
    is_known = pc.less(versions["updated_at"].cast(pa.int64()), end)
    return versions.filter(is_known), replace(state, tickets=versions.filter(pc.invert(is_known)))


@dataclass(frozen=True)
class _Tickets:
    """Tickets opened in a month: ``position`` of the customer, ``place`` among its tickets, index of the ``user``.

    ``mood`` and ``priority`` (index in the parameters' order) are what support meets; ``opened_at`` in microseconds.
    """

    seed: int
    position: Ints
    place: Ints
    customer: Ints
    month_index: int
    user: Ints
    opened_at: Ints
    mood: Floats
    priority: Ints

    def draw(self, name: str) -> Floats:
        """Return a uniform for each ticket."""
        return uniform(stream(self.seed, f"ticket_{name}"), self.customer, self.month_index, self.place)

    def word(self, name: str) -> Words:
        """Return 64 random bits for each ticket."""
        return words(stream(self.seed, f"ticket_{name}"), self.customer, self.month_index, self.place)


@dataclass(frozen=True)
class _Handling:
    """What support makes of the tickets: moments in microseconds and counts; ``csat`` is null where not answered."""

    moments: tuple[Ints, Ints, Ints, Ints]
    replies: Ints
    reopened: Ints
    escalated: NDArray[np.bool_]
    csat: pa.Array


def _counts(support: Support, seed: int, month: MonthState) -> Ints:
    """Return how many tickets each customer opens in the month."""
    share = (month.last_day - month.first_day + 1) / arrays.month_days(month.month)
    onboarding = np.where(month.tenure_months < support.onboarding_months, support.onboarding_factor, 1.0)
    mean = support.tickets_per_month * np.maximum(month.seats, 1) ** support.seat_exponent
    mean = mean * share * onboarding * month.incident * np.exp(-support.satisfaction_effect * month.satisfaction)
    draw = uniform(stream(seed, "tickets"), month.customer, arrays.month_index(month.month))
    return negative_binomial(draw, mean, support.dispersion)


def _opened(parameters: Product, seed: int, roster: Roster) -> _Tickets:
    support, month = parameters.support, roster.month
    position, place = arrays.members(_counts(support, seed, month))
    customer, month_index = month.customer[position], arrays.month_index(month.month)

    def draw(name: str) -> Floats:
        return uniform(stream(seed, f"ticket_{name}"), customer, month_index, place)

    day = _day(support, month, position, draw("day"))
    low, high = (bound[position, day - 1] for bound in roster.present())
    day_number = roster.day_numbers[day - 1]
    hour = choice(draw("hour"), parameters.usage.rhythm.hours) - month.utc_offset_hours[position]
    second = ((hour * 3600).astype(np.int64) + (3600 * draw("second")).astype(np.int64)) % arrays.SECONDS_PER_DAY
    is_first_day = day_number == roster.started_on[position]
    second = np.where(is_first_day, np.maximum(second, signup_second(seed, day_number, customer)), second)
    correlation = support.mood_correlation
    return _Tickets(
        seed=seed,
        position=position,
        place=place,
        customer=customer,
        month_index=month_index,
        user=low + ((high - low) * draw("user")).astype(np.int64),
        opened_at=(day_number * arrays.SECONDS_PER_DAY + second) * arrays.MICROSECONDS_PER_SECOND,
        mood=correlation * month.satisfaction[position] + np.sqrt(1 - correlation**2) * normal_quantile(draw("mood")),
        priority=choice(draw("priority"), [one.share for one in support.priorities.values()]),
    )


def _day(support: Support, month: MonthState, position: Ints, draw: Floats) -> Ints:
    """Return a day (1-based) on which the customer has access for each ticket, seldom one of a weekend."""
    weekday = (month.month.weekday() + np.arange(arrays.month_days(month.month))) % 7
    reach = np.concatenate([[0.0], np.cumsum(np.where(weekday < 5, 1.0, support.weekend_factor))])
    before, through = reach[month.first_day - 1][position], reach[month.last_day][position]
    day = np.searchsorted(reach, before + draw * (through - before), side="right")
    return np.asarray(np.clip(day, month.first_day[position], month.last_day[position]))


def _handled(support: Support, month: MonthState, tickets: _Tickets) -> _Handling:
    priorities = list(support.priorities.values())
    slowdown = month.incident[tickets.position] ** support.incident_slowdown
    answer_median = np.array([one.first_response_hours for one in priorities])[tickets.priority] * slowdown
    solve_median = np.array([one.resolution_hours for one in priorities])[tickets.priority] * slowdown
    answer_hours = log_normal(tickets.draw("answer"), answer_median, support.first_response_sigma)
    solve_hours = np.maximum(log_normal(tickets.draw("solution"), solve_median, support.resolution_sigma), answer_hours)

    answered_at = tickets.opened_at + (answer_hours * _HOUR).astype(np.int64)
    solved_at = tickets.opened_at + (solve_hours * _HOUR).astype(np.int64) + arrays.MICROSECONDS_PER_SECOND
    closed_at = solved_at + support.closed_after_days * arrays.MICROSECONDS_PER_DAY
    reopened = poisson(tickets.draw("reopened"), support.reopened_mean)
    slowness = np.log2(solve_hours / solve_median * slowdown)
    return _Handling(
        moments=(tickets.opened_at, answered_at, solved_at, closed_at),
        replies=1 + poisson(tickets.draw("replies"), support.further_replies_mean) + reopened,
        reopened=reopened,
        escalated=tickets.draw("escalated") < np.array([one.escalated_share for one in priorities])[tickets.priority],
        csat=_csat(support, tickets, slowness),
    )


def _csat(support: Support, tickets: _Tickets, slowness: Floats) -> pa.Array:
    """Return the answers of the few who give one: the better the mood and the faster the solution, the higher."""
    noise = normal_quantile(tickets.draw("csat"))
    weight = support.csat_mood_weight
    content = weight * tickets.mood + np.sqrt(1 - weight**2) * noise - support.slowness_effect * slowness
    answer = 1 + _level(support.csat_shares, content)
    is_silent = tickets.draw("csat_answered") >= support.csat_answered_share
    return pa.array(answer, pa.int32(), mask=is_silent)


def _level(shares: list[float], score: Floats) -> Ints:
    """Return the index of the share in which a standard normal score falls."""
    return np.asarray(np.searchsorted(normal_quantile(np.cumsum(shares)[:-1]), score, side="right"))


def _columns(support: Support, roster: Roster, tickets: _Tickets) -> dict[str, pa.Array]:
    """Return the columns that no later version changes."""
    yyyymm = np.full(len(tickets.customer), roster.month.month.year * 100 + roster.month.month.month)
    agent = 1 + (support.agents * tickets.draw("agent")).astype(np.int64)
    channel = choice(tickets.draw("channel"), list(support.channels.values()))
    category = choice(tickets.draw("category"), [support.categories.get(name, 0.0) for name in CATEGORIES])
    sentiment = np.tanh(0.7 * tickets.mood + 0.25 * normal_quantile(tickets.draw("sentiment")))
    return {
        "ticket_id": arrays.numbered_ids("T", (tickets.customer, 7), "-", (yyyymm, 6), "-", (tickets.place, 3)),
        "customer_id": arrays.customer_ids(tickets.customer),
        "user_id": roster.user_ids().take(pa.array(tickets.user)),
        "opened_at": arrays.instants(tickets.opened_at),
        "channel": arrays.labels(list(support.channels), channel),
        "category": arrays.labels(CATEGORIES, category),
        "priority": arrays.labels(list(support.priorities), tickets.priority),
        "message": messages(_level(support.mood_shares, tickets.mood), category, tickets.word("message")),
        "sentiment_score": pa.array(np.round(sentiment, 2), mask=tickets.draw("scored") >= support.scored_share),
        "agent_id": arrays.numbered_ids("A", (agent, 3)),
    }


def _version(
    columns: dict[str, pa.Array], tickets: _Tickets, handling: _Handling, stage: int, schema: pa.Schema
) -> pa.Table:
    """Return the tickets as they are at a stage: opened, answered, resolved, closed."""
    size = len(tickets.customer)
    _, answered_at, solved_at, _ = handling.moments
    is_answered, is_solved = (np.full(size, stage >= first) for first in (1, 2))
    return arrays.table(
        schema,
        {
            **columns,
            "first_responded_at": arrays.instants(answered_at, missing=~is_answered),
            "resolved_at": arrays.instants(solved_at, missing=~is_solved),
            "reopen_count": np.where(is_solved, handling.reopened, 0),
            "agent_replies": np.where(is_solved, handling.replies, is_answered),
            "status": pa.repeat(_STATUSES[stage], size),
            "escalated": handling.escalated & is_answered,
            "csat": handling.csat if _STATUSES[stage] == "closed" else pa.nulls(size, pa.int32()),
            "updated_at": arrays.instants(handling.moments[stage]),
        },
    )
