"""The funnel from lead to win: who counts in which stage, and what becomes of the counts."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.window import Window

from lakehouse.metrics.breakdown import by_dimension
from lakehouse.metrics.leads import FUNNEL_STAGES, NO_CAMPAIGN, STEPS, may_speak
from lakehouse.metrics.ratios import safe_ratio, wilson_interval
from lakehouse.types import MONEY

GRAINS = ("week", "month")
DIMENSIONS = {
    name: () if name == "all" else (name,)
    for name in ("all", "lead_source", "industry", "segment", "campaign", "region")
}
OF_WEEKS = ("all", "lead_source")
OF_SPEND = ("all", "lead_source", "campaign")

# Who reached each stage of the funnel, and what one of them costs.
COUNTS = ("leads", "mqls", "sqls", "opportunities", "wins")
COSTS = tuple(f"cost_per_{name}" for name in ("lead", *STEPS[:-1], "win"))
COST_STATUSES = ("ok", "no_data", "not_split", "no_spend", "too_young", "nobody")
# Each rate with whom it counts, of whom, and the step that takes the time.
RATES = {
    "lead_to_mql_rate": ("mqls", "leads", "mql"),
    "mql_to_sql_rate": ("sqls", "mqls", "sql"),
    "sql_to_opportunity_rate": ("opportunities", "sqls", "opportunity"),
    "opportunity_to_win_rate": ("wins", "opportunities", "won"),
    "lead_to_win_rate": ("wins", "leads", "won"),
}


def people(leads: DataFrame) -> DataFrame:
    """Return 1 for each of ``COUNTS`` that a lead is in, else 0: one row per lead, length of cohort and dimension.

    ``leads`` are silver.leads. A person's first lead counts, with the furthest stage of all of them; others are
    ``reentries``. Adds ``day``, on which it came.
    """
    person = Window.partitionBy("first_lead_id")
    reached = F.array_position(F.array(*map(F.lit, FUNNEL_STAGES)), F.col("furthest_stage"))
    counted = leads.withColumns(
        {
            "campaign": F.coalesce("campaign_id", F.lit(NO_CAMPAIGN)),
            "furthest": F.max(reached).over(person),
            "bought_alone": F.bool_or("is_self_service").over(person),
        }
    )
    is_first = ~F.col("is_reentry")
    counts = {
        **{name: is_first & (F.col("furthest") > place) for place, name in enumerate(COUNTS)},
        "self_service": is_first & F.col("bought_alone"),
        "reentries": F.col("is_reentry"),
    }
    has_weeks = F.col("dimension").isin(*OF_WEEKS)
    grains = F.when(has_weeks, F.array(*map(F.lit, GRAINS))).otherwise(F.array(F.lit("month")))
    return by_dimension(counted, DIMENSIONS).select(
        F.col("created_date").alias("day"),
        F.explode(grains).alias("cohort_grain"),
        *("dimension", "dimension_value"),
        *(is_counted.cast("int").alias(name) for name, is_counted in counts.items()),
    )


def programmes(spend: DataFrame) -> DataFrame:
    """Return ``programme_spend``: one row per record of spend and dimension, in the months (``day``) of the spend.

    ``spend`` is what :func:`lakehouse.metrics.spending.spending` gives; each record is rounded to the cent.
    """
    campaign = F.coalesce("campaign_id", F.lit(NO_CAMPAIGN))
    named = spend.withColumns({"lead_source": F.col("channel"), "campaign": campaign})
    return by_dimension(named, {name: DIMENSIONS[name] for name in OF_SPEND}).select(
        F.col("month").alias("day"),
        F.lit("month").alias("cohort_grain"),
        *("dimension", "dimension_value"),
        F.col("spend").cast(MONEY).alias("programme_spend"),
    )


def rates() -> dict[str, Column]:
    """Return the ``RATES`` with the bounds of each, null where its status says so."""
    found: dict[str, Column] = {}
    for rate, (count, base, _) in RATES.items():
        low, high = wilson_interval(F.col(count), F.col(base))
        values = {rate: safe_ratio(F.col(count), F.col(base)), f"{rate}_low": low, f"{rate}_high": high}
        found |= {name: F.when(may_speak(f"{rate}_status"), value) for name, value in values.items()}
    return found


def cost_statuses() -> dict[str, Column]:
    """Return the status of each of ``COSTS``, which says why it is null.

    ``no_data`` where no spend was recorded at all (not ``is_spend_known``), ``not_split`` where it is not known by the
    dimension, or by week, ``no_spend`` where none was recorded for the month and value, ``too_young`` as the rate to the
    step is (who came is known at once), ``nobody`` where none reached it.
    """
    has_split = (F.col("cohort_grain") == "month") & F.col("dimension").isin(*OF_SPEND)
    is_young = {cost: F.col(f"{rate}_status") == "too_young" for cost, rate in zip(COSTS[1:], RATES, strict=False)}
    return {
        f"{cost}_status": F.when(~F.col("is_spend_known"), "no_data")
        .when(~has_split, "not_split")
        .when(F.isnull("programme_spend"), "no_spend")
        .when(is_young.get(cost, F.lit(False)), "too_young")
        .when(F.col(count) == 0, "nobody")
        .otherwise("ok")
        for cost, count in zip(COSTS, COUNTS, strict=True)
    }


def costs() -> dict[str, Column]:
    """Return what one of each count costs, null where its status says why."""
    return {
        cost: F.when(F.col(f"{cost}_status") == "ok", F.try_divide(F.col("programme_spend"), F.col(count)))
        for cost, count in zip(COSTS, COUNTS, strict=True)
    }
