"""Use of the product: accounts have sessions, users take them, sessions are made of events."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from lakehouse.generator import arrays
from lakehouse.generator.draws import FIELD_VALUES, field, negative_binomial
from lakehouse.generator.onboarding import steps_of
from lakehouse.generator.product_parameters import Product, Rhythm, Usage
from lakehouse.generator.roster import ACTIVITY_UNIT, Roster, signup_second
from lakehouse.generator.streams import Floats, Ints, Source, Words, stream, words
from lakehouse.generator.usage_tables import DAY_MS, Tables, profile
from lakehouse.vocabulary import EVENT_TYPE_CATEGORIES

_WORKING_DAYS = 21


def month_events(
    parameters: Product, seed: int, roster: Roster, *, schema: pa.Schema, batch_rows: int = 250_000
) -> Iterator[pa.RecordBatch]:
    """Yield the events of the roster's month as batches of about ``batch_rows`` rows of ``schema``.

    The rows, by customer and day, are the same for any ``batch_rows``; memory grows with it, not with the company.
    """
    maker = _Maker(parameters.usage, Tables.of(parameters.usage), seed, schema)
    for part in _blocks(parameters.usage, roster, batch_rows):
        sessions = maker.sessions(part)
        if len(sessions.place):
            yield maker.events(sessions)


def day_factors(rhythm: Rhythm, month: date) -> Floats:
    """Return for each day of the month its activity relative to a weekday's mean."""
    days = [month + timedelta(days=offset) for offset in range(arrays.month_days(month))]
    return np.array([_day_factor(rhythm, day) for day in days])


def _day_factor(rhythm: Rhythm, day: date) -> float:
    factor = rhythm.weekdays[day.weekday()]
    if f"{day:%m-%d}" in rhythm.holidays:
        return min(factor, rhythm.holiday_factor)
    return factor * (rhythm.year_end_factor if f"{day:%m-%d}" >= rhythm.year_end_from else 1.0)


def _blocks(usage: Usage, roster: Roster, batch_rows: int) -> Iterator[Roster]:
    """Yield runs of customers with about ``batch_rows`` events each."""
    events_per_user = usage.sessions_per_active_user_day * (1 + usage.actions_per_session) * _WORKING_DAYS
    block = np.floor(np.cumsum(events_per_user * roster.month.engagement * roster.count) / batch_rows)
    edges = [0, *(np.flatnonzero(np.diff(block)) + 1).tolist(), len(block)]
    yield from (roster.part(first, end) for first, end in pairwise(edges) if end > first)


@dataclass(frozen=True)
class _Sessions:
    """Sessions by customer, day and ``place`` on the day.

    ``position`` is the customer's and ``user`` the user's in the roster, ``day_number`` counts from 1970, ``events``
    include the login, and ``step`` is the step of onboarding that is taken in the session, −1 for none.
    """

    roster: Roster
    position: Ints
    day_number: Ints
    place: Ints
    word: Words
    user: Ints
    start_ms: Ints
    events: Ints
    step: Ints

    @property
    def first(self) -> Ints:
        """The index of each session's first event."""
        return np.cumsum(self.events) - self.events


@dataclass(frozen=True)
class _Maker:
    """Makes sessions and events of a block of customers."""

    usage: Usage
    tables: Tables
    seed: int
    schema: pa.Schema

    def sessions(self, roster: Roster) -> _Sessions:
        """Return the sessions of a month; those of onboarding come first on their day."""
        month, day_numbers = roster.month, roster.day_numbers
        low, high = roster.present()
        reach = np.concatenate([[0], np.cumsum(roster.activity)])
        load = reach[high] - reach[low]
        steps = steps_of(self.usage.onboarding, self.seed, roster)
        step_cell = steps.position * len(day_numbers) + steps.day_number - day_numbers[0]
        step_counts = np.bincount(step_cell, minlength=load.size)
        cell, place = arrays.members(step_counts + self._counts(roster, load).reshape(-1))
        position, day = np.divmod(cell, len(day_numbers))
        word = words(stream(self.seed, "session"), month.customer[position], day_numbers[day], place)

        # The upper half of the word falls on a user in proportion to activity.
        pick = reach[low.reshape(-1)[cell]] + ((word >> np.uint64(32)).astype(np.int64) * load.reshape(-1)[cell] >> 32)
        user = np.searchsorted(reach, pick, side="right") - 1
        start_ms = self._start_ms(roster, position, day_numbers[day], word)
        events = 1 + self.tables.actions[field(word, 1)]

        is_step = place < step_counts[cell]
        step = np.full(len(cell), -1)
        step[is_step] = steps.step
        user[is_step] = roster.founder[position[is_step]]
        start_ms[is_step] = 1000 * steps.second
        events[is_step] = np.maximum(events[is_step], 3)
        return _Sessions(roster, position, day_numbers[day], place, word, user, start_ms, events, step)

    def _counts(self, roster: Roster, load: Ints) -> Ints:
        """Return how many sessions each customer has on each day; ``load`` is the activity of who is there."""
        month, usage, source = roster.month, self.usage, Source(self.seed)
        spread = usage.account_sigma * source.normal("account_rate", month.customer)
        rate = usage.sessions_per_active_user_day * np.exp(spread - usage.account_sigma**2 / 2) * month.engagement
        rate *= np.where(month.is_trial, usage.trial_factor, 1.0)
        mean = rate[:, None] * day_factors(usage.rhythm, month.month) * (load / ACTIVITY_UNIT)
        day = np.arange(1, load.shape[1] + 1)
        has_access = (day >= month.first_day[:, None]) & (day <= month.last_day[:, None])
        draw = source.uniform("sessions", month.customer[:, None], roster.day_numbers)
        return negative_binomial(draw, np.where(has_access, mean, 0.0), usage.dispersion)

    def _start_ms(self, roster: Roster, position: Ints, day_number: Ints, word: Words) -> Ints:
        """Return the millisecond of the day, UTC, at which each session starts; none before the sign-up."""
        offset_ms = np.rint(3_600_000 * roster.month.utc_offset_hours).astype(np.int64)
        start_ms = (self.tables.time_of_day_ms[field(word, 0)] - offset_ms[position]) % DAY_MS
        signup_ms = 1000 * signup_second(self.seed, roster.started_on, roster.month.customer)[position]
        after_signup_ms = signup_ms + start_ms * (DAY_MS - signup_ms) // DAY_MS
        return np.where(day_number == roster.started_on[position], after_signup_ms, start_ms)

    def events(self, sessions: _Sessions) -> pa.RecordBatch:
        """Return the events of the sessions as rows of the schema."""
        roster, month, tables = sessions.roster, sessions.roster.month, self.tables
        owner, place = arrays.members(sessions.events)
        word = words(stream(self.seed, "event"), sessions.word.view(np.int64)[owner] + place)
        action = self._actions(sessions, owner, word)
        duration_ms = np.rint(tables.median_ms[action] * tables.spread[field(word, 1)]).astype(np.int64)
        time_ms = _times(sessions, owner, duration_ms, tables.pause_ms[field(word, 2)])
        errors = FIELD_VALUES * np.minimum(self.usage.error_share * month.incident, 1.0)
        is_error = field(word, 3) < errors[sessions.position][owner]

        # An id is the customer, the day and the number of the event or session among the customer's of the day.
        day_key = (month.customer[sessions.position] << 36) | (sessions.day_number << 20)
        day_start = sessions.first[np.searchsorted(day_key, day_key, side="left")]
        columns = {
            "event_id": arrays.hex_ids((day_key - day_start)[owner] + np.arange(len(owner))),
            "customer_id": arrays.customer_ids(month.customer).take(pa.array(sessions.position[owner])),
            "user_id": roster.user_ids().take(pa.array(sessions.user[owner])),
            "session_id": arrays.hex_ids(day_key | sessions.place).take(pa.array(owner)),
            "occurred_at": arrays.instants(1000 * ((DAY_MS * sessions.day_number)[owner] + time_ms)),
            "event_date": arrays.days(sessions.day_number[owner]),
            "event_month": arrays.days(np.full(len(owner), roster.day_numbers[0])),
            "event_type": arrays.labels(tables.types, action),
            "event_category": arrays.labels([EVENT_TYPE_CATEGORIES[name] for name in tables.types], action),
            "feature": arrays.labels(tables.features, action),
            "outcome": arrays.labels(["ok", "error"], is_error.view(np.uint8)),
            "duration_seconds": pa.array(duration_ms / 1000),
        }
        return pa.RecordBatch.from_arrays([columns[name] for name in self.schema.names], schema=self.schema)

    def _actions(self, sessions: _Sessions, owner: Ints, word: Words) -> NDArray[np.uint8]:
        """Return the action of each event: the login, in onboarding a step and what is done in it, then features."""
        roster, month, tables = sessions.roster, sessions.roster.month, self.tables
        is_early = month.tenure_months < self.usage.early_months
        plan_rank = month.plan_rank[sessions.position]
        row = profile(roster.role[sessions.user], plan_rank, is_early[sessions.position]) * FIELD_VALUES
        action: NDArray[np.uint8] = tables.action[row[owner] + field(word, 0)]
        action[sessions.first] = tables.login
        for number, step in enumerate(self.usage.onboarding.steps):
            taken = sessions.first[sessions.step == number]
            action[taken + 1] = tables.first_step + number
            if step.action is not None:
                action[taken + 2] = tables.types.index(step.action)
        return action


def _times(sessions: _Sessions, owner: Ints, duration_ms: Ints, pause_ms: Ints) -> Ints:
    """Return the millisecond of the day at which each event begins; a session that would pass midnight is earlier."""
    end = np.cumsum(duration_ms + pause_ms)
    begin = end - duration_ms - pause_ms
    first, last = sessions.first, sessions.first + sessions.events - 1
    latest = DAY_MS - (end[last] - begin[first])
    start_ms = np.clip(sessions.start_ms, 0, np.maximum(latest, 0))
    return np.asarray(np.minimum((start_ms - begin[first])[owner] + begin, DAY_MS - 1))
