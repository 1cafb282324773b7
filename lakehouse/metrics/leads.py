"""How far leads have come, as it was known at a moment."""

from __future__ import annotations

from datetime import date

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.window import Window

STEPS = ("mql", "sql", "opportunity", "won")
"""What a lead becomes, in order."""

FUNNEL_STAGES = ("lead", *STEPS)

NO_CAMPAIGN = "none"
"""Stands for the campaign of what came or was spent without one."""

MATURITY = ("ok", "small", "nobody", "too_young")
"""Whether a cohort may speak of a step: see :func:`maturity`."""

# The status that a lead has by the moments alone, the last that has come.
_STATUS_BY_MOMENT = {"created_at": "new", "first_touched_at": "working", "mql_at": "mql", "sql_at": "sql"}


def as_known(leads: DataFrame, opportunities: DataFrame, until: Column) -> DataFrame:
    """Leave out the leads that came from the moment ``until`` on, and of the others what happened from then on.

    ``leads`` are the versions of :func:`lakehouse.cleaning.kept_as_of`, ``opportunities`` silver.opportunities. Adds
    ``opportunity_at`` and ``won_at``. What a later version says of its end (status, reason, an opportunity that was not
    there yet) is not known; its status is then the one that its moments prove.
    """
    deals = opportunities.select(
        "opportunity_id",
        F.col("created_at").alias("opportunity_at"),
        F.when(F.col("is_won"), F.col("closed_at")).alias("won_at"),
    )
    moments = ("first_touched_at", "mql_at", "sql_at")
    is_later = F.col("_is_later")
    proven = F.coalesce(
        *(F.when(F.col(at).isNotNull(), F.lit(name)) for at, name in [*_STATUS_BY_MOMENT.items()][::-1])
    )
    has_deal = F.col("opportunity_at").isNotNull()
    return (
        leads.filter(F.col("created_at") < until)
        .withColumns({name: F.when(F.col(name) < until, F.col(name)) for name in moments})
        .join(deals, on="opportunity_id", how="left")
        .withColumns(
            {
                "status": F.when(is_later, F.when(has_deal, "converted").otherwise(proven)).otherwise(F.col("status")),
                "disqualified_reason": F.when(~is_later, F.col("disqualified_reason")),
                "opportunity_id": F.when(~is_later | has_deal, F.col("opportunity_id")),
            }
        )
    )


def with_first_lead(leads: DataFrame) -> DataFrame:
    """Add ``first_lead_id``, the first lead of the same contact (its own without a contact), and ``is_reentry``."""
    own = F.when(F.col("contact_id").isNull(), F.col("lead_id"))
    person = Window.partitionBy("contact_id", own).orderBy("created_at", "lead_id")
    return leads.withColumn("first_lead_id", F.first("lead_id").over(person)).withColumn(
        "is_reentry", F.col("lead_id") != F.col("first_lead_id")
    )


def furthest_stage() -> Column:
    """Return the last of the ``FUNNEL_STAGES`` that a lead reached; it implies the earlier ones, skipped or not."""
    return (
        F.when(F.col("won_at").isNotNull(), "won")
        .when(F.col("opportunity_id").isNotNull(), "opportunity")
        .when(F.col("sql_at").isNotNull(), "sql")
        .when(F.col("mql_at").isNotNull(), "mql")
        .otherwise("lead")
    )


def maturity(base: Column, cohort_end: Column, days: int, as_of: date, min_observations: int) -> Column:
    """Return whether a cohort that ended on ``cohort_end`` may speak of a step that takes up to ``days``.

    ``too_young`` until so many days have passed by ``as_of``, ``nobody`` without anybody in ``base``, of whom the rate
    or duration is; both leave it null. ``small`` for fewer than ``min_observations``, else ``ok``.
    """
    return (
        F.when(F.date_add(cohort_end, days) > F.lit(as_of), "too_young")
        .when(base == 0, "nobody")
        .when(base < min_observations, "small")
        .otherwise("ok")
    )


def may_speak(status: str) -> Column:
    """Return whether a status of :func:`maturity` lets the rate or duration be given."""
    return F.col(status).isin("ok", "small")
