"""The sales force: who is hired and leaves when, how good each is, and who gets what."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lakehouse.generator.arrays import members
from lakehouse.generator.company import Company
from lakehouse.generator.crm.clock import Clock
from lakehouse.generator.draws import choice, log_normal
from lakehouse.generator.months import Months
from lakehouse.generator.outbox import NONE
from lakehouse.generator.streams import Floats, Ints, Source
from lakehouse.vocabulary import REP_ROLES, SEGMENTS

# Teams: that of the BDRs, those of the AEs by segment, that of the CSMs.
TEAMS = ("BDR", *SEGMENTS, "CSM")
BDRS, CSMS = 0, len(TEAMS) - 1
ROLE_OF_TEAM = np.array([REP_ROLES.index("BDR"), *[REP_ROLES.index("AE")] * len(SEGMENTS), REP_ROLES.index("CSM")])

FOR_EVER = np.int64(1 << 40)  # a day that never comes
_DAYS_PER_MONTH = 30.4375
_POSTS = 1_000_000  # of a team, at most
_GENERATIONS = 9  # people who can follow each other on a post
_FIRST_HIRES_DAYS = 400  # before the CRM's first day, at most
_OTHER_REGION_SHARE = 0.1  # of the work of reps of other regions; assumption


@dataclass(frozen=True)
class Force:
    """Everyone who ever sells, one element each; days since 1970, ``left`` FOR_EVER while nobody knows of a leave.

    ``leaves`` is the time from which on each has left, FOR_EVER likewise.
    """

    team: Ints
    post: Ints
    generation: Ints
    region: Ints
    hired: Ints
    left: Ints
    leaves: Floats
    quality: Floats
    bias: Floats
    _rosters: Rosters

    @classmethod
    def of(
        cls, company: Company, source: Source, months: Months, needed: Ints, region_shares: Floats, *, clock: Clock
    ) -> Force:
        """Return the force that has ``needed[team, month]`` posts; they are never taken away again.

        The first post of a team is its leader's, who stays.
        """
        posts = np.maximum.accumulate(needed, axis=1)
        team, post = members(posts[:, -1])
        opened = np.array([np.searchsorted(posts[t], p, side="right") for t, p in zip(team, post, strict=True)])
        hired, left = _careers(company, source, months, clock, team=team, post=post, opened=opened)
        place, generation = np.nonzero(hired < int(months.first_day[-1]))
        region = choice(source.uniform("crm/rep_region", team, post), region_shares)
        region = np.where(post == 0, int(np.argmax(region_shares)), region)[place]
        rules = company.crm.reps
        team, post = team[place], post[place]
        hired, left = hired[place, generation], left[place, generation]
        quality = rules.quality_sigma * source.normal("crm/rep_quality", team, post, generation)
        bias = rules.bias_sigma * source.normal("crm/rep_bias", team, post, generation)
        rosters = Rosters.of(company, months, clock, _Staff(team, region, hired, left, quality), len(region_shares))
        return cls(team, post, generation, region, hired, left, _leaves(clock, left), quality, bias, rosters)

    @property
    def key(self) -> Ints:
        """The number of each rep, for ever the same."""
        return np.asarray((self.team * _POSTS + self.post) * 10 + self.generation)

    def choose(self, team: Ints, region: Ints, month: Ints, uniform: Floats, *, wins: bool) -> Ints:
        """Return a rep of the team who is there all month: by ability where the deal ``wins``, else by work load."""
        return self._rosters.choose(team, region, month, uniform, wins=wins)

    def employed(self, day: int) -> Ints:
        """Return the reps who are employed on the day."""
        return np.flatnonzero((self.hired <= day) & (self.left > day))

    def leader(self) -> Ints:
        """Return the leader of each rep's team, NONE for the leader."""
        leads = np.flatnonzero((self.post == 0) & (self.generation == 0))
        return np.where(self.post == 0, NONE, leads[np.searchsorted(self.team[leads], self.team)])


def ramp(company: Company, tenure_months: Floats) -> Floats:
    """Return the share of the work of a settled rep that one of the tenure does."""
    rules = company.crm.reps
    return np.asarray(np.clip(rules.ramp_share + (1 - rules.ramp_share) * tenure_months / rules.ramp_months, 0, 1))


def _leaves(clock: Clock, left: Ints) -> Floats:
    leaves = left.astype(np.float64)
    is_known = left < FOR_EVER
    leaves[is_known] = clock.begins(left[is_known])
    return leaves


def _careers(
    company: Company, source: Source, months: Months, clock: Clock, *, team: Ints, post: Ints, opened: Ints
) -> tuple[Ints, Ints]:
    """Return by post and generation the days of hire and leave."""
    rules = company.crm.reps
    generation = np.arange(_GENERATIONS)
    draw = source.uniform("crm/rep_tenure", team[:, None], post[:, None], generation)
    tenure = log_normal(draw, rules.tenure_months.median * _DAYS_PER_MONTH, rules.tenure_months.sigma)
    tenure = np.where(post[:, None] == 0, float(FOR_EVER), np.maximum(tenure, 90)).astype(np.int64)
    start = source.uniform("crm/rep_start", team, post)
    first = np.where(
        opened == 0,
        months.first_day[0] - (start * _FIRST_HIRES_DAYS).astype(np.int64) - clock.longest_shift_days,
        months.first_day[opened] + (start * _DAYS_PER_MONTH).astype(np.int64),
    )
    waits = np.cumsum(tenure + rules.vacancy_days, axis=1)
    hired = first[:, None] + np.concatenate([np.zeros((len(team), 1), dtype=np.int64), waits[:, :-1]], axis=1)
    return hired, np.minimum(hired + tenure, FOR_EVER)


@dataclass(frozen=True)
class _Staff:
    """What decides who can be chosen for what; as in :class:`Force`."""

    team: Ints
    region: Ints
    hired: Ints
    left: Ints
    quality: Floats


@dataclass(frozen=True)
class Rosters:
    """Who can be chosen, by month, team and region: lists one after another, each with running sums of weights."""

    rep: Ints
    start: Ints
    sums: tuple[Floats, Floats]
    regions: int

    @classmethod
    def of(cls, company: Company, months: Months, clock: Clock, staff: _Staff, regions: int) -> Rosters:
        """Return the lists: everyone of the team, those of the region first of all."""
        lists: list[Ints] = []
        weights: tuple[list[Floats], list[Floats]] = ([], [])
        margin = clock.longest_shift_days
        for month in range(len(months) - 1):
            first, end = int(months.first_day[month]), int(months.first_day[month + 1])
            present = (staff.hired <= first - margin) & (staff.left >= end + margin)
            able = ramp(company, (first - staff.hired) / _DAYS_PER_MONTH)
            for team in range(len(TEAMS)):
                reps = np.flatnonzero(present & (staff.team == team))
                for region in range(regions):
                    near = np.where(staff.region[reps] == region, 1.0, _OTHER_REGION_SHARE)
                    lists.append(reps)
                    weights[0].append(near * (1 + able[reps]) / 2)
                    weights[1].append(near * able[reps] * np.exp(staff.quality[reps]))
        sums = [np.concatenate([[0.0], np.cumsum(np.concatenate(of_kind))]) for of_kind in weights]
        start = np.concatenate([[0], np.cumsum([len(reps) for reps in lists])])
        return cls(np.concatenate(lists), start, (sums[0], sums[1]), regions)

    def choose(self, team: Ints, region: Ints, month: Ints, uniform: Floats, *, wins: bool) -> Ints:
        """Return a rep for each element."""
        sums = self.sums[int(wins)]
        number = (month * len(TEAMS) + team) * self.regions + region
        low, high = self.start[number], self.start[number + 1]
        target = sums[low] + uniform * (sums[high] - sums[low])
        found = np.clip(np.searchsorted(sums, target, side="right") - 1, low, high - 1)
        return np.asarray(self.rep[found])
