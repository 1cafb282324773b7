"""The pieces of the CRM, on values worked out by hand."""

from __future__ import annotations

from datetime import UTC, date, datetime
from itertools import pairwise

import numpy as np
import pytest

from lakehouse.generator.company import Company
from lakehouse.generator.crm.clock import Clock, one_after_another
from lakehouse.generator.crm.force import BDRS, TEAMS, Force
from lakehouse.generator.crm.market import MONTHS_BEFORE, Plan
from lakehouse.generator.crm.paths import (
    DISCOVERY,
    LOST,
    NEGOTIATION,
    PROPOSAL,
    PROSPECTING,
    WON,
    away,
    cycle_days,
    entered,
    lost_stage,
    visits,
)
from lakehouse.generator.crm_parameters import QuietDays
from lakehouse.generator.months import Months
from lakehouse.generator.outbox import NONE
from lakehouse.generator.streams import Source

MONDAY = 19723  # 2024-01-01
MANY = np.arange(20_000)
EVERY_WEEK = Clock.of([])
AT_NEW_YEAR = Clock.of([QuietDays(first="12-30", last="01-02", work=0.25)])


def at(moment: int) -> datetime:
    return datetime.fromtimestamp(moment / 1_000_000, UTC)


def test_seven_days_become_five_days_of_ten_hours() -> None:
    # 0.7 of the week's seven days are 0.5 workdays: half of Monday's ten hours; 3.5 are 2.5: Wednesday noon, and so on.
    asked = np.array([MONDAY, MONDAY + 0.7001, MONDAY + 3.5001, MONDAY + 6.3001])
    assert [at(moment).replace(second=0) for moment in EVERY_WEEK.moments(asked)] == [
        datetime(2024, 1, 1, 8, tzinfo=UTC),
        datetime(2024, 1, 1, 13, tzinfo=UTC),
        datetime(2024, 1, 3, 13, tzinfo=UTC),
        datetime(2024, 1, 5, 13, tzinfo=UTC),
    ]
    # Sunday becomes Friday, and nothing moves further.
    assert EVERY_WEEK.longest_shift_days == 2


def test_a_quiet_day_gets_its_part_of_the_time_of_another_one() -> None:
    # The year from Monday 3 July 2023 to Sunday 30 June 2024 has 52 weeks: 260 workdays, two of them quiet, Monday and
    # Tuesday at the beginning of January, so that its 364 days are 258.5 days of work. Before Monday there are 130.
    of_work = 364 / 258.5
    monday = datetime(2023, 7, 3, tzinfo=UTC).timestamp() / 86400 + 130 * of_work
    ends = monday + of_work * np.array([0.25, 0.5, 1.5])
    assert [at(moment).date() for moment in AT_NEW_YEAR.moments(np.append(monday, ends) + 1e-6)] == [
        date(2024, 1, 1), date(2024, 1, 2), date(2024, 1, 3), date(2024, 1, 4),
    ]  # fmt: skip
    assert [at(moment).date() for moment in AT_NEW_YEAR.moments(np.append(monday, ends) - 1e-6)] == [
        date(2023, 12, 29), date(2024, 1, 1), date(2024, 1, 2), date(2024, 1, 3),
    ]  # fmt: skip


@pytest.mark.parametrize("clock", [EVERY_WEEK, AT_NEW_YEAR])
def test_a_moment_comes_back_from_its_time_and_a_weekend_becomes_monday(clock: Clock) -> None:
    asked = MONDAY - 20 + MANY / 500
    working = clock.moments(asked)
    assert (np.diff(working) >= 0).all()
    assert np.abs(clock.moments(clock.times(working)) - working).max() <= 1_000_000
    assert np.abs(working // 86_400_000_000 - asked.astype(np.int64)).max() <= clock.longest_shift_days
    saturday = int(datetime(2024, 1, 6, 12, tzinfo=UTC).timestamp()) * 1_000_000
    assert at(clock.moments(clock.times(np.array([saturday])))[0]) == datetime(2024, 1, 8, 8, tzinfo=UTC)


def test_before_a_weekend_and_quiet_days_come_busy_ones() -> None:
    # From Thursday, 28 December 2023, to Wednesday, 3 January 2024.
    days = MONDAY + np.arange(-4, 3)
    assert AT_NEW_YEAR.work(days).tolist() == [1, 1, 0, 0, 0.25, 0.25, 1]
    assert (AT_NEW_YEAR.busy_day(days, np.zeros(7, dtype=np.int64)) - MONDAY).tolist() == [-4, -3, -3, -3, -3, -3, 2]
    # Five busy days before that Friday was the one a week earlier.
    assert AT_NEW_YEAR.busy_day(days[3:4], np.array([5])).tolist() == [MONDAY - 10]


def test_moments_of_a_group_that_coincide_follow_each_other_by_seconds() -> None:
    group = np.array([0, 0, 0, 1, 1])
    second = np.array([10, 10, 11, 5, 9]) * 1_000_000
    assert (one_after_another(group, second) // 1_000_000).tolist() == [10, 11, 12, 5, 9]


def test_lost_opportunities_are_lost_where_the_shares_that_go_on_leave_them(company: Company) -> None:
    # Of 1,000 in SMB 770 go on, then 539, 393.47 and 299.04: 230, 231, 145.53 and 94.43 of 700.96 are lost.
    found = np.bincount(lost_stage(company, Source(1), MANY, np.zeros_like(MANY)), minlength=4) / len(MANY)
    assert found == pytest.approx(np.array([230, 231, 145.53, 94.43]) / 700.96, abs=0.012)
    assert company.crm.stages["SMB"].win_rate == pytest.approx(0.29904, rel=1e-4)


def test_a_deal_takes_about_as_long_as_its_stages_and_never_longer_than_allowed(company: Company) -> None:
    for segment, median in enumerate((25, 68, 159)):
        days = cycle_days(company, Source(1), MANY, np.full(len(MANY), segment), np.full(len(MANY), WON))
        assert np.median(days) == pytest.approx(median, rel=0.15)
        assert days.max() <= company.crm.longest_days
    first_only = cycle_days(company, Source(1), MANY, np.zeros_like(MANY), np.full(len(MANY), PROSPECTING))
    # One stage of six days, a third slower: exp(0.45² + 0.6²) has the median 1.
    assert np.median(first_only) == pytest.approx(6 * 1.3, rel=0.05)


def test_every_way_leads_through_neighbouring_stages_to_its_end(company: Company) -> None:
    last = MANY % (WON + 1)
    way = visits(company, Source(1), MANY, np.zeros_like(MANY), last)
    stages = [[stage for stage in row if stage != NONE] for row in way.tolist()]
    assert {tuple(row) for row in stages} >= {
        (PROSPECTING, LOST),
        (PROSPECTING, DISCOVERY, PROPOSAL, NEGOTIATION, WON),
        (PROSPECTING, DISCOVERY, PROSPECTING, DISCOVERY, PROPOSAL, NEGOTIATION, WON),
        (PROSPECTING, LOST, PROSPECTING, LOST),
    }
    for row, end in zip(stages, last.tolist(), strict=True):
        assert row[-1] == (WON if end == WON else LOST)
        assert row[-2] == min(end, NEGOTIATION)
        for here, there in pairwise(row):
            assert abs(here - there) == 1 or LOST in {here, there}


def test_visits_share_the_time_of_an_opportunity_and_the_way_back_from_a_loss_is_one_of_them(company: Company) -> None:
    way = np.array([[PROSPECTING, DISCOVERY, LOST, DISCOVERY, LOST, NONE, NONE, NONE, NONE]])
    share = entered(Source(1), np.array([7]), way, np.array([0]), company)[0]
    assert share[0] == 0
    assert (np.diff(share[:5]) > 0).all()
    assert share[4:].tolist() == [1.0] * 5
    lost, returned = away(way, share[None, :])
    assert (lost[0], returned[0]) == (share[2], share[3])


def test_only_who_is_there_all_month_is_chosen_and_the_able_win_more(company: Company) -> None:
    months = Months.of(company.scale.start_month, 60)
    needed = np.full((len(TEAMS), 60), 6)
    needed[:, :12] = 3
    force = Force.of(company, Source(1), months, needed, np.array([0.7, 0.3]), clock=AT_NEW_YEAR)
    month = MANY % 59
    team = np.full(len(MANY), BDRS + 1)
    draw = Source(1).uniform("test", MANY)
    free, able = (force.choose(team, MANY % 2, month, draw, wins=wins) for wins in (False, True))
    for chosen in (free, able):
        assert (force.team[chosen] == team).all()
        # Nor who comes or goes around its ends: the clock may move what happens then into the month before or after.
        assert (force.hired[chosen] <= months.first_day[month] - AT_NEW_YEAR.longest_shift_days).all()
        assert (force.left[chosen] >= months.first_day[month + 1] + AT_NEW_YEAR.longest_shift_days).all()
    assert force.quality[able].mean() > force.quality[free].mean() + 0.02
    # A post is filled anew: there are more people than the five teams' six posts.
    assert len(force.team) > 5 * 6
    assert (force.left[force.generation == 0] < force.hired.max()).any()


def test_as_many_leads_come_as_the_planned_wins_need(company: Company) -> None:
    calendar = Months.of(company.scale.start_month, 36 + MONTHS_BEFORE)
    plan = Plan.of(company, Source(1), calendar, 1200, 36)
    # 783 of 1,200 are won by sales: 252.6 × 0.28 + 348 × 0.58 … in each size; the shares of the file give 783.36.
    sizes = company.sizes.values()
    won = sum(1200 * size.share * (1 - size.self_service) for size in sizes)
    assert won == pytest.approx(783, abs=1)
    lost = plan.leads * plan.lost_share
    by_size = lost[: MONTHS_BEFORE + 36].sum(axis=(0, 2))
    # Small deals are soon over, so that nearly all who were lost beside the wins of 36 months came within them.
    small = sum(1200 * size.share * (1 - size.self_service) for size in list(sizes)[:2])
    assert by_size[:2].sum() == pytest.approx(small * (1 / 0.29904 - 1), rel=0.06)
