"""How well support keeps its service levels: one row per month of opening, priority and segment, each also as `all`.

A ticket is measured by a target once the outcome is certain: it was answered (resolved) or its hours have passed. One
that still waits on the as-of day past its target is a breach; one that still has time is pending and in no rate. The
hours are those of tickets that were answered (resolved), so the last month's may still grow.
"""

from __future__ import annotations

from pyspark.sql import Column as SparkColumn
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lakehouse.metrics.breakdown import ALL, UNKNOWN, with_totals
from lakehouse.metrics.ratios import safe_ratio, wilson_interval
from lakehouse.table import Check, Column, Table
from lakehouse.vocabulary import SEGMENTS

GRAIN = ("month", "priority", "segment")

# Each rate with its counts (measured, within target, breaches) and the ticket's columns that tell breached and done.
SERVICE_LEVELS = {
    "response_adherence_rate": (
        ("measured_responses", "responses_within_target", "response_breaches"),
        ("is_first_response_breached", "is_answered"),
    ),
    "resolution_adherence_rate": (
        ("measured_resolutions", "resolutions_within_target", "resolution_breaches"),
        ("is_resolution_breached", "is_resolved"),
    ),
    "sla_adherence_rate": (
        ("measured_tickets", "tickets_within_targets", "breaches"),
        ("is_breached", "is_resolved"),
    ),
}

table = Table(
    name="gold.sla_adherence",
    description=__doc__,
    grain="month × priority × segment",
    key=GRAIN,
    inputs={
        "tickets": "silver.tickets",
        "customers": "silver.customers",
        "customer_months": "silver.customer_months",
    },
    settings=("min_observations",),
    columns=(
        Column("month", "date", "First day of the month in which the tickets were opened", nullable=False),
        Column("priority", "string", "Priority; all for every one, unknown where none was given", nullable=False),
        Column(
            "segment",
            "string",
            "Segment at the close of the month, of who had no MRR in it as of now; all for every one",
            nullable=False,
            values=(*SEGMENTS, UNKNOWN, ALL),
        ),
        Column("tickets", "bigint", "Tickets opened", nullable=False, minimum=1),
        Column("resolved_tickets", "bigint", "Those of them that are resolved", nullable=False, minimum=0),
        Column("pending_tickets", "bigint", "Those not resolved that missed no target yet", nullable=False, minimum=0),
        Column("measured_responses", "bigint", "Tickets answered, or past the target to", nullable=False, minimum=0),
        Column("responses_within_target", "bigint", "Those of them answered in time", nullable=False, minimum=0),
        Column("response_breaches", "bigint", "The others", nullable=False, minimum=0),
        Column("response_adherence_rate", "double", "responses_within_target ÷ measured_responses", True, (), 0, 1),
        Column("response_adherence_rate_low", "double", "Lower 95 % bound (Wilson)", minimum=0, maximum=1),
        Column("response_adherence_rate_high", "double", "Upper 95 % bound (Wilson)", minimum=0, maximum=1),
        Column("measured_resolutions", "bigint", "Tickets resolved, or past the target to", nullable=False, minimum=0),
        Column("resolutions_within_target", "bigint", "Those of them resolved in time", nullable=False, minimum=0),
        Column("resolution_breaches", "bigint", "The others", nullable=False, minimum=0),
        Column(
            "resolution_adherence_rate", "double", "resolutions_within_target ÷ measured_resolutions", True, (), 0, 1
        ),
        Column("resolution_adherence_rate_low", "double", "Lower 95 % bound (Wilson)", minimum=0, maximum=1),
        Column("resolution_adherence_rate_high", "double", "Upper 95 % bound (Wilson)", minimum=0, maximum=1),
        Column("measured_tickets", "bigint", "Tickets resolved, or past either target", nullable=False, minimum=0),
        Column("tickets_within_targets", "bigint", "Those of them that kept both targets", nullable=False, minimum=0),
        Column("breaches", "bigint", "Those of them that missed one or both", nullable=False, minimum=0),
        Column("sla_adherence_rate", "double", "tickets_within_targets ÷ measured_tickets", minimum=0, maximum=1),
        Column("sla_adherence_rate_low", "double", "Lower 95 % bound (Wilson)", minimum=0, maximum=1),
        Column("sla_adherence_rate_high", "double", "Upper 95 % bound (Wilson)", minimum=0, maximum=1),
        Column("is_small", "boolean", "Fewer measured tickets than min_observations", nullable=False),
        Column("median_first_response_hours", "double", "Exact median, interpolated; calendar hours", minimum=0),
        Column("p90_first_response_hours", "double", "Exact 90th percentile, interpolated", minimum=0),
        Column("median_resolution_hours", "double", "Exact median, interpolated; calendar hours", minimum=0),
        Column("p90_resolution_hours", "double", "Exact 90th percentile, interpolated", minimum=0),
    ),
    checks=(
        Check("responses_are_kept_or_missed", "responses_within_target + response_breaches = measured_responses"),
        Check(
            "resolutions_are_kept_or_missed", "resolutions_within_target + resolution_breaches = measured_resolutions"
        ),
        Check("tickets_are_kept_or_missed", "tickets_within_targets + breaches = measured_tickets"),
        Check("a_ticket_is_measured_or_pending_or_has_no_target", "measured_tickets + pending_tickets <= tickets"),
        Check(
            "a_breach_misses_one_target_or_both",
            "breaches BETWEEN greatest(response_breaches, resolution_breaches) AND response_breaches + resolution_breaches",
        ),
        Check(
            "rate_within_its_bounds",
            "measured_tickets = 0 OR sla_adherence_rate BETWEEN sla_adherence_rate_low AND sla_adherence_rate_high",
        ),
    ),
)


def transform(tickets: DataFrame, customers: DataFrame, customer_months: DataFrame, min_observations: int) -> DataFrame:
    described = _described(tickets, customers, customer_months)
    groups = (
        with_totals(described, ("priority", "segment"))
        .groupBy(*GRAIN)
        .agg(
            F.count("*").alias("tickets"),
            F.count_if("is_resolved").alias("resolved_tickets"),
            F.count_if(~F.col("is_resolved") & ~F.col("is_breached")).alias("pending_tickets"),
            *(count for counts, outcome in SERVICE_LEVELS.values() for count in _counts(counts, *outcome)),
            *(
                F.percentile(hours, F.lit(share)).alias(f"{name}_{hours}")
                for hours in ("first_response_hours", "resolution_hours")
                for name, share in (("median", 0.5), ("p90", 0.9))
            ),
        )
        .withColumn("is_small", F.col("measured_tickets") < min_observations)
    )
    rates: dict[str, SparkColumn] = {}
    for rate, ((measured, within, _), _) in SERVICE_LEVELS.items():
        low, high = wilson_interval(F.col(within), F.col(measured))
        rates |= {rate: safe_ratio(F.col(within), F.col(measured)), f"{rate}_low": low, f"{rate}_high": high}
    return table.select(groups.withColumns(rates))


def _described(tickets: DataFrame, customers: DataFrame, customer_months: DataFrame) -> DataFrame:
    """The tickets with month, priority, segment (``unknown`` where it is missing) and whether they were answered."""
    at_close = customer_months.select("customer_id", "month", F.col("segment").alias("segment_at_close"))
    return (
        tickets.withColumn("month", F.col("opened_month"))
        .join(at_close, how="left", on=["customer_id", "month"])
        .join(customers.select("customer_id", "segment"), how="left", on="customer_id")
        .withColumns(
            {
                "priority": F.coalesce("priority", F.lit(UNKNOWN)),
                "segment": F.coalesce("segment_at_close", "segment", F.lit(UNKNOWN)),
                # As in lakehouse.metrics.sla: what was resolved without a recorded answer was answered by that.
                "is_answered": F.col("first_responded_at").isNotNull() | F.col("is_resolved"),
            }
        )
    )


def _counts(names: tuple[str, str, str], breached: str, done: str) -> tuple[SparkColumn, ...]:
    """How many outcomes are certain, within target and breached; a ticket without a target is in none of them."""
    is_breached, is_done = F.col(breached), F.col(done)
    measured, within, breaches = names
    return (
        F.count_if(is_breached | (is_done & is_breached.isNotNull())).alias(measured),
        F.count_if(is_done & ~is_breached).alias(within),
        F.count_if(is_breached).alias(breaches),
    )


if __name__ == "__main__":
    from lakehouse.submit import submit

    submit(table)
