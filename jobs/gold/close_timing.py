"""Whether deals close by the calendar: one row per effect, event and opportunity type.

``quarter_end``: the last 14 days of a quarter against its other days. ``holiday``: a holiday and the day before and
after it against the same weekdays of the week before, or where that has a holiday too, of the week after. Over all
quarters that are complete. Without the effect, events would spread as the days do: ``even_share``. New Year's Eve is the
end of a quarter as well, so that changes of stage tell of holidays more than wins do.
"""

from __future__ import annotations

from datetime import date

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lakehouse.metrics.breakdown import ALL, UNKNOWN, with_totals
from lakehouse.metrics.close_timing import holiday_role, quarter_end_role
from lakehouse.metrics.ratios import safe_ratio, wilson_interval
from lakehouse.rules import Part, Reconciliation
from lakehouse.settings import Calendar
from lakehouse.table import Check, Column, Table
from lakehouse.vocabulary import OPPORTUNITY_TYPES

EFFECTS = ("quarter_end", "holiday")
EVENTS = ("win", "stage_change")

table = Table(
    name="gold.close_timing",
    description=__doc__,
    grain="effect × event × opportunity type",
    key=("effect", "event", "opportunity_type"),
    inputs={"visits": "silver.opportunity_stages", "opportunities": "silver.opportunities"},
    settings=("as_of", "calendar", "min_observations"),
    columns=(
        Column("effect", "string", "Days that are looked at", nullable=False, values=EFFECTS),
        Column("event", "string", "What happens: a deal is won, or goes to another stage", False, values=EVENTS),
        Column("opportunity_type", "string", "Kind of business, or all", False, (ALL, UNKNOWN, *OPPORTUNITY_TYPES)),
        Column("days_inside", "bigint", "Days that are looked at", nullable=False, minimum=0),
        Column("days_compared", "bigint", "Days that they are compared with", nullable=False, minimum=0),
        Column("events_inside", "bigint", "Events on the days that are looked at", nullable=False, minimum=0),
        Column("events_compared", "bigint", "Events on the days compared", nullable=False, minimum=0),
        Column("is_small", "boolean", "Fewer events on both than min_observations", nullable=False),
        Column("share_inside", "double", "events_inside ÷ events on both; null without any", minimum=0, maximum=1),
        Column("share_inside_low", "double", "Lower 95 % bound (Wilson)", minimum=0, maximum=1),
        Column("share_inside_high", "double", "Upper 95 % bound (Wilson)", minimum=0, maximum=1),
        Column("even_share", "double", "days_inside ÷ days of both", minimum=0, maximum=1),
        Column("daily_ratio", "double", "Events a day inside ÷ events a day on the days compared", minimum=0),
        Column("median_cycle_days_inside", "double", "Median cycle of the wins inside; null for changes", minimum=0),
        Column("median_cycle_days_compared", "double", "The same of the wins on the days compared", minimum=0),
    ),
    checks=(
        Check("share_where_there_are_events", "(share_inside IS NULL) = (events_inside + events_compared = 0)"),
        Check("share_within_its_bounds", "share_inside IS NULL OR share_inside BETWEEN share_inside_low AND share_inside_high"),
        Check("cycles_are_of_wins", "event = 'win' OR median_cycle_days_inside IS NULL"),
    ),
    audits=(
        Reconciliation(
            "every_win_of_a_complete_quarter_is_counted",
            "sum(events_inside + events_compared)",
            (
                Part(
                    "silver.opportunities",
                    "count(*)",
                    where="is_won AND closed_date < date_trunc('quarter', :as_of + 1)",
                ),
            ),
            where="effect = 'quarter_end' AND event = 'win' AND opportunity_type = 'all'",
        ),
    ),
)  # fmt: skip


def transform(
    visits: DataFrame, opportunities: DataFrame, as_of: date, calendar: Calendar, min_observations: int
) -> DataFrame:
    end = F.trunc(F.date_add(F.lit(as_of), 1), "quarter")
    events = _events(visits, opportunities).filter(F.col("event_date") < end)
    first_day = F.trunc(F.min("event_date"), "quarter")
    days = events.agg(first_day.alias("first_day")).select(
        F.explode(F.sequence("first_day", F.date_sub(end, 1))).alias("day")
    )
    roles = F.create_map(
        *(F.lit("quarter_end"), quarter_end_role(F.col("day"))),
        *(F.lit("holiday"), holiday_role(F.col("day"), calendar.holidays)),
    )
    of_day = days.select("day", F.explode(roles).alias("effect", "role")).filter(F.col("role").isNotNull())
    is_inside, is_compared = F.col("role") == "inside", F.col("role") == "compared"
    lengths = of_day.groupBy("effect").agg(
        F.count_if(is_inside).alias("days_inside"), F.count_if(is_compared).alias("days_compared")
    )
    counted = (
        with_totals(events, ("opportunity_type",))
        .join(of_day, how="inner", on=F.col("event_date") == F.col("day"))
        .groupBy("effect", "event", "opportunity_type")
        .agg(
            F.count_if(is_inside).alias("events_inside"),
            F.count_if(is_compared).alias("events_compared"),
            F.median(F.when(is_inside, F.col("cycle_days"))).alias("median_cycle_days_inside"),
            F.median(F.when(is_compared, F.col("cycle_days"))).alias("median_cycle_days_compared"),
        )
        .join(lengths, how="inner", on="effect")
    )
    both = F.col("events_inside") + F.col("events_compared")
    low, high = wilson_interval(F.col("events_inside"), both)
    inside_daily, compared_daily = (
        safe_ratio(F.col(f"events_{part}"), F.col(f"days_{part}")) for part in ("inside", "compared")
    )
    return table.select(
        counted.withColumns(
            {
                "is_small": both < min_observations,
                "share_inside": safe_ratio(F.col("events_inside"), both),
                "share_inside_low": low,
                "share_inside_high": high,
                "even_share": safe_ratio(F.col("days_inside"), F.col("days_inside") + F.col("days_compared")),
                "daily_ratio": safe_ratio(inside_daily, compared_daily),
            }
        )
    )


def _events(visits: DataFrame, opportunities: DataFrame) -> DataFrame:
    """One row per win and per change of stage: event, event_date, opportunity_type and, of a win, cycle_days."""
    kind = F.coalesce("opportunity_type", F.lit(UNKNOWN)).alias("opportunity_type")
    wins = opportunities.filter("is_won").select(
        F.lit("win").alias("event"), F.col("closed_date").alias("event_date"), kind, "cycle_days"
    )
    changes = (
        visits.filter(F.col("previous_stage").isNotNull())
        .join(opportunities.select("opportunity_id", "opportunity_type"), how="left", on="opportunity_id")
        .select(
            F.lit("stage_change").alias("event"),
            F.to_date("entered_at").alias("event_date"),
            kind,
            F.lit(None).cast("double").alias("cycle_days"),
        )
    )
    return wins.unionByName(changes)


if __name__ == "__main__":
    from lakehouse.submit import submit

    submit(table)
