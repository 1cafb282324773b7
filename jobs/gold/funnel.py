"""How leads become customers: one row per cohort of leads (week or month in which they came) and value of a dimension.

A person counts once, in the cohort of the first lead and with the furthest stage that any lead of theirs reached, which
implies the earlier ones; later leads of the same person are listed as re-entries where they came. Who bought without an
opportunity is listed apart and is no win. A rate or cost of a step is given once the cohort has had the time for it.
Costs are the month's programmes (marketing spend by channel and campaign) by the people whom they brought, without the
salaries of marketing and sales, which gold.acquisition_costs adds; spend that brought nobody has its row too.
"""

from __future__ import annotations

from datetime import date

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.bronze.exchange_rates import table as received_rates
from jobs.bronze.marketing_spend import table as received_spend
from lakehouse.cleaning import kept
from lakehouse.funnel_settings import Funnel
from lakehouse.metrics.funnel import (
    COST_STATUSES,
    COSTS,
    COUNTS,
    DIMENSIONS,
    GRAINS,
    RATES,
    cost_statuses,
    costs,
    people,
    programmes,
    rates,
)
from lakehouse.metrics.leads import MATURITY, maturity
from lakehouse.metrics.spending import spending
from lakehouse.rules import Constant, Part, Reconciliation
from lakehouse.table import MONEY, Check, Column, Table

table = Table(
    name="gold.funnel",
    description=__doc__,
    grain="cohort × dimension × value",
    key=("cohort_grain", "cohort_start", "dimension", "dimension_value"),
    inputs={
        "leads": "silver.leads",
        "marketing_spend": "bronze.marketing_spend",
        "exchange_rates": "bronze.exchange_rates",
    },
    settings=("as_of", "reporting_currency", "min_observations", "funnel"),
    columns=(
        Column("cohort_grain", "string", "Length of the cohort", nullable=False, values=GRAINS),
        Column("cohort_start", "date", "First day of the month, or Monday, in which the leads came", nullable=False),
        Column("dimension", "string", "What the leads are split by; weeks only all and lead_source", False,
               values=tuple(DIMENSIONS)),
        Column("dimension_value", "string", "Value of the dimension; none without a campaign", nullable=False),
        Column("leads", "bigint", "People whose first lead came", nullable=False, minimum=0),
        Column("reentries", "bigint", "Leads of people who had come before; in no other count", False, minimum=0),
        Column("mqls", "bigint", "Those of the people whom marketing qualified, or who came further", False, minimum=0),
        Column("sqls", "bigint", "Those whom sales accepted, or who came further", nullable=False, minimum=0),
        Column("opportunities", "bigint", "Those who became an opportunity", nullable=False, minimum=0),
        Column("wins", "bigint", "Those with a won opportunity", nullable=False, minimum=0),
        Column("self_service", "bigint", "Those who bought without an opportunity", nullable=False, minimum=0),
        *(
            column
            for rate, (count, base, _) in RATES.items()
            for column in (
                Column(rate, "double", f"{count} ÷ {base}", minimum=0, maximum=1),
                Column(f"{rate}_low", "double", "Lower 95 % bound (Wilson)", minimum=0, maximum=1),
                Column(f"{rate}_high", "double", "Upper 95 % bound (Wilson)", minimum=0, maximum=1),
                Column(f"{rate}_status", "string", f"Whether the cohort is old enough and {base} are enough", False,
                       values=MATURITY),
            )
        ),
        Column("currency", "string", "Reporting currency of the amounts, ISO 4217", nullable=False),
        Column("programme_spend", MONEY, "Programmes of the month that aimed at the value; null where none is known",
               minimum=0),
        *(
            column
            for cost, count in zip(COSTS, COUNTS, strict=True)
            for column in (
                Column(cost, MONEY, f"programme_spend ÷ {count}: programmes only, no people", minimum=0),
                Column(f"{cost}_status", "string", "Why it is null: no_data of any spend; not_split by the dimension, or"
                       " by week; no_spend of the month and value; too_young a cohort; nobody came so far", False,
                       values=COST_STATUSES),
            )
        ),
    ),
    checks=(
        Check("stages_are_nested",
              "mqls <= leads AND sqls <= mqls AND opportunities <= sqls AND wins <= opportunities"),
        Check("who_bought_alone_is_a_lead", "self_service <= leads"),
        Check("spend_by_month_channel_and_campaign", "programme_spend IS NULL OR"
              " (cohort_grain = 'month' AND dimension IN ('all', 'lead_source', 'campaign'))"),
        Check("a_cost_needs_spend", "cost_per_lead IS NULL OR programme_spend IS NOT NULL"),
        *(Check(f"{cost}_when_ok", f"({cost}_status = 'ok') = ({cost} IS NOT NULL)") for cost in COSTS),
        *(
            Check(f"{rate}_within_its_bounds",
                  f"IF({rate}_status IN ('ok', 'small'), {rate} BETWEEN {rate}_low AND {rate}_high, {rate} IS NULL)")
            for rate in RATES
        ),
    ),
    audits=(
        Reconciliation(
            "every_lead_is_counted_once",
            "sum(leads + reentries)",
            (Part("silver.leads", "count(*)", by=("date_trunc('month', created_date)",)),),
            by=("cohort_start",),
            where="cohort_grain = 'month' AND dimension = 'all'",
        ),
        Reconciliation(
            "every_person_who_won_is_a_win",
            "sum(wins)",
            (Part("silver.leads", "count(DISTINCT first_lead_id)", where="won_at IS NOT NULL"),),
            where="cohort_grain = 'month' AND dimension = 'all'",
        ),
        Constant("dimensions_have_the_same_people", "sum(leads)", ("dimension",), within=("cohort_grain", "cohort_start")),
        Constant("dimensions_have_the_same_wins", "sum(wins)", ("dimension",), within=("cohort_grain", "cohort_start")),
        Constant("weeks_have_the_people_of_the_months", "sum(IF(dimension = 'all', leads, 0))", ("cohort_grain",)),
        Reconciliation(
            "channels_spend_all",
            "sum(CASE dimension WHEN 'all' THEN programme_spend WHEN 'lead_source' THEN -programme_spend END)",
            (),
            by=("cohort_start",),
        ),
        Reconciliation(
            "campaigns_spend_all",
            "sum(CASE dimension WHEN 'all' THEN programme_spend WHEN 'campaign' THEN -programme_spend END)",
            (),
            by=("cohort_start",),
        ),
        # That one rounds the month's sum, this one each record, so that it adds up over channels and over campaigns.
        Reconciliation(
            "programmes_are_those_of_acquisition",
            "sum(programme_spend)",
            (Part("gold.acquisition_costs", "sum(programme_spend)", by=("month",)),),
            by=("cohort_start",),
            where="dimension = 'all'",
            tolerance=0.05,
            severity="warn",
            action="mark",
        ),
    ),
)  # fmt: skip


def transform(
    *,
    leads: DataFrame,
    marketing_spend: DataFrame,
    exchange_rates: DataFrame,
    as_of: date,
    reporting_currency: str,
    min_observations: int,
    funnel: Funnel,
) -> DataFrame:
    spend = spending(marketing_spend, received_spend, kept(exchange_rates, received_rates), reporting_currency)
    spent = spend.filter(F.col("month") <= F.lit(as_of))
    counts = ("reentries", *COUNTS, "self_service")
    cohorts = (
        people(leads)
        .unionByName(programmes(spent), allowMissingColumns=True)
        .groupBy(
            "cohort_grain", F.expr("trunc(day, cohort_grain)").alias("cohort_start"), "dimension", "dimension_value"
        )
        .agg(*(F.sum(name).alias(name) for name in (*counts, "programme_spend")))
        .fillna(0, subset=list(counts))
        .crossJoin(spent.limit(1).agg((F.count("*") > 0).alias("is_spend_known")))
    )
    is_week = F.col("cohort_grain") == "week"
    cohort_end = F.when(is_week, F.date_add("cohort_start", 6)).otherwise(F.last_day("cohort_start"))
    days = funnel.maturity_days.model_dump()
    statuses = {
        f"{rate}_status": maturity(F.col(base), cohort_end, days[step], as_of, min_observations)
        for rate, (_, base, step) in RATES.items()
    }
    return table.select(
        cohorts.withColumns(statuses)
        .withColumns(cost_statuses())
        .withColumns({**rates(), **costs(), "currency": F.lit(reporting_currency)})
    )


if __name__ == "__main__":
    from lakehouse.submit import submit

    submit(table)
