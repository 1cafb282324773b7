"""The calendar with fiscal periods and holidays: one row per day.

From the first day of the first month with a subscription or a signup to the last day of the as-of day's fiscal year.
A fiscal year is called after the calendar year in which it ends.
"""

from __future__ import annotations

from datetime import date

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lakehouse.rules import Sequence
from lakehouse.settings import Calendar
from lakehouse.table import Check, Column, Table

table = Table(
    name="silver.dim_date",
    description=__doc__,
    grain="day",
    key=("date_key",),
    inputs={"subscriptions": "silver.subscriptions", "customers": "silver.customers"},
    settings=("as_of", "calendar"),
    export_as="dim_date",
    columns=(
        Column("date_key", "date", "The day; every date and month column joins here", nullable=False),
        Column("month", "date", "First day of the month", nullable=False),
        Column("year", "int", "Calendar year", nullable=False),
        Column("quarter", "int", "Calendar quarter", nullable=False, minimum=1, maximum=4),
        Column("month_number", "int", "Month of the year", nullable=False, minimum=1, maximum=12),
        Column("month_name", "string", "Name of the month", nullable=False),
        Column("week_of_year", "int", "ISO week", nullable=False, minimum=1, maximum=53),
        Column("day_of_month", "int", "Day of the month", nullable=False, minimum=1, maximum=31),
        Column("day_of_week", "int", "1 is Monday, 7 Sunday", nullable=False, minimum=1, maximum=7),
        Column("day_name", "string", "Name of the weekday", nullable=False),
        Column("fiscal_year", "int", "Calendar year in which the fiscal year ends", nullable=False),
        Column("fiscal_quarter", "int", "Quarter of the fiscal year", nullable=False, minimum=1, maximum=4),
        Column("fiscal_month", "int", "Month of the fiscal year", nullable=False, minimum=1, maximum=12),
        Column("is_weekend", "boolean", "Saturday or Sunday", nullable=False),
        Column("is_holiday", "boolean", "A configured day without business", nullable=False),
        Column("holiday_name", "string", "Name of the holiday"),
        Column("is_business_day", "boolean", "Neither weekend nor holiday", nullable=False),
        Column("is_month_end", "boolean", "Last day of a month", nullable=False),
        Column("is_quarter_end", "boolean", "Last day of a calendar quarter", nullable=False),
        Column("is_fiscal_quarter_end", "boolean", "Last day of a fiscal quarter", nullable=False),
        Column("is_fiscal_year_end", "boolean", "Last day of a fiscal year", nullable=False),
        Column("is_complete", "boolean", "On or before the as-of day", nullable=False),
    ),
    checks=(
        Check("quarter_end_is_a_month_end", "is_month_end OR NOT (is_quarter_end OR is_fiscal_quarter_end)"),
        Check("holiday_has_a_name", "is_holiday = (holiday_name IS NOT NULL)"),
        Check(
            "parts_of_the_day",
            "year = year(date_key) AND month_number = month(date_key) AND day_of_month = day(date_key)",
        ),
        Check("month_is_its_first_day", "month = trunc(date_key, 'month')"),
        Check("weekend_is_saturday_and_sunday", "is_weekend = (day_of_week >= 6)"),
        Check("business_days_are_the_others", "is_business_day = NOT (is_weekend OR is_holiday)"),
    ),
    audits=(
        Sequence("no_day_is_missing", "previous IS NULL OR date_key = previous.date_key + 1", order=("date_key",)),
        Sequence(
            "complete_days_come_first",
            "previous IS NULL OR previous.is_complete OR NOT is_complete",
            order=("date_key",),
        ),
    ),
)


def transform(subscriptions: DataFrame, customers: DataFrame, as_of: date, calendar: Calendar) -> DataFrame:
    beginnings = subscriptions.select(F.col("start_date").alias("day")).unionByName(
        customers.select(F.to_date("signup_at").alias("day"))
    )
    # A fiscal date is the calendar date moved so that the fiscal year becomes the calendar year in which it ends.
    shift_months = (1 - calendar.fiscal_year_start_month) % 12
    fiscal_year_start = F.trunc(F.add_months(F.lit(as_of), shift_months), "year")
    last_day = F.date_sub(F.add_months(fiscal_year_start, 12 - shift_months), 1)
    first_day = F.trunc(F.min("day"), "month")
    days = beginnings.agg(first_day.alias("first_day"), last_day.alias("last_day")).select(
        F.explode(F.sequence("first_day", "last_day")).alias("date_key")
    )
    fiscal_day = F.add_months(F.trunc("date_key", "month"), shift_months)
    holidays = F.create_map(*(F.lit(part) for day_and_name in calendar.holidays.items() for part in day_and_name))
    holiday_name = F.try_element_at(holidays.cast("map<string,string>"), F.date_format("date_key", "MM-dd"))
    is_weekend = F.weekday("date_key") >= 5
    is_month_end = F.col("date_key") == F.last_day("date_key")
    calendar_days = days.withColumns(
        {
            "month": F.trunc("date_key", "month"),
            "year": F.year("date_key"),
            "quarter": F.quarter("date_key"),
            "month_number": F.month("date_key"),
            "month_name": F.date_format("date_key", "MMMM"),
            "week_of_year": F.weekofyear("date_key"),
            "day_of_month": F.dayofmonth("date_key"),
            "day_of_week": F.weekday("date_key") + 1,
            "day_name": F.date_format("date_key", "EEEE"),
            "fiscal_year": F.year(fiscal_day),
            "fiscal_quarter": F.quarter(fiscal_day),
            "fiscal_month": F.month(fiscal_day),
            "is_weekend": is_weekend,
            "is_holiday": holiday_name.isNotNull(),
            "holiday_name": holiday_name,
            "is_business_day": ~is_weekend & holiday_name.isNull(),
            "is_month_end": is_month_end,
            "is_quarter_end": is_month_end & (F.month("date_key") % 3 == 0),
            "is_fiscal_quarter_end": is_month_end & (F.month(fiscal_day) % 3 == 0),
            "is_fiscal_year_end": is_month_end & (F.month(fiscal_day) == 12),
            "is_complete": F.col("date_key") <= F.lit(as_of),
        }
    )
    return table.select(calendar_days)


if __name__ == "__main__":
    from lakehouse.submit import submit

    submit(table)
