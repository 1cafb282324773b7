"""silver.dim_date: the range of days, fiscal periods and days without business."""

from __future__ import annotations

from datetime import date, datetime

import pytest

from jobs.silver.customers import table as customers
from jobs.silver.dim_date import table, transform
from jobs.silver.subscriptions import table as subscriptions
from lakehouse.settings import Calendar
from tests.billing import audited


@pytest.fixture(scope="module")
def days_of(rows):
    """Return the days of a company whose first subscription began on 15 February 2024, as of 30 June 2026."""

    def days(start_month: int, holidays: dict[str, str]) -> dict:
        calendar = transform(
            subscriptions=rows(subscriptions, {"start_date": date(2024, 2, 15)}),
            customers=rows(customers, {"signup_at": datetime(2024, 3, 1)}, {"signup_at": None}),
            as_of=date(2026, 6, 30),
            calendar=Calendar(fiscal_year_start_month=start_month, holidays=holidays),
        )
        return {row.date_key: row for row in audited(calendar, table)}

    return days


@pytest.fixture(scope="module")
def calendar_year(days_of):
    return days_of(1, {"12-25": "Christmas Day"})


@pytest.fixture(scope="module")
def year_from_july(days_of):
    return days_of(7, {})


@pytest.fixture(scope="module")
def year_from_february(days_of):
    return days_of(2, {"02-29": "Leap Day"})


def test_every_day_from_the_first_month_to_the_end_of_the_fiscal_year(
    calendar_year, year_from_july, year_from_february
):
    ranges = [(min(days), max(days)) for days in (calendar_year, year_from_july, year_from_february)]
    first = date(2024, 2, 1)
    assert ranges == [(first, date(2026, 12, 31)), (first, date(2026, 6, 30)), (first, date(2027, 1, 31))]
    assert len(calendar_year) == 1065  # 335 days of leap year 2024 from February on, 365, 365


def test_a_fiscal_year_is_called_after_the_year_in_which_it_ends(calendar_year, year_from_july, year_from_february):
    def fiscal(row):
        return row.fiscal_year, row.fiscal_quarter, row.fiscal_month

    assert fiscal(calendar_year[date(2026, 6, 30)]) == (2026, 2, 6)
    assert fiscal(year_from_july[date(2025, 6, 30)]) == (2025, 4, 12)
    assert fiscal(year_from_july[date(2025, 7, 1)]) == (2026, 1, 1)
    assert fiscal(year_from_february[date(2026, 1, 31)]) == (2026, 4, 12)
    assert fiscal(year_from_february[date(2026, 2, 1)]) == (2027, 1, 1)


def test_quarters_end_by_the_calendar_and_by_the_fiscal_year(year_from_february):
    def ends(name):
        return [day for day, row in year_from_february.items() if row[name] and day.year == 2025]

    assert ends("is_quarter_end") == [date(2025, 3, 31), date(2025, 6, 30), date(2025, 9, 30), date(2025, 12, 31)]
    assert ends("is_fiscal_quarter_end") == [
        date(2025, 1, 31),
        date(2025, 4, 30),
        date(2025, 7, 31),
        date(2025, 10, 31),
    ]
    assert ends("is_fiscal_year_end") == [date(2025, 1, 31)]


def test_weekends_and_holidays_are_no_business_days(calendar_year, year_from_february):
    friday, saturday = calendar_year[date(2026, 6, 26)], calendar_year[date(2026, 6, 27)]
    assert (friday.day_name, friday.day_of_week, friday.is_weekend, friday.is_business_day) == (
        "Friday",
        5,
        False,
        True,
    )
    assert (saturday.day_of_week, saturday.is_weekend, saturday.is_business_day) == (6, True, False)
    christmas = calendar_year[date(2025, 12, 25)]
    assert (christmas.holiday_name, christmas.is_business_day) == ("Christmas Day", False)
    assert [day for day, row in year_from_february.items() if row.is_holiday] == [date(2024, 2, 29)]


def test_a_day_is_complete_up_to_the_as_of_day(calendar_year):
    assert max(day for day, row in calendar_year.items() if row.is_complete) == date(2026, 6, 30)
