"""Which marketing brought the won new business: one row per attribution model, channel, campaign and month of the win.

First touch, last touch and linear share each win among the touches of the person who led to it, of all leads of that
person up to the win; a win without any touch is unattributed. Every model shares the same wins and ARR, to the cent. The
spend is the campaign's in the month of the win, though the touches may be older; campaigns that spent have a row too.
"""

from __future__ import annotations

from datetime import date

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.bronze.exchange_rates import table as received_rates
from jobs.bronze.marketing_spend import table as received_spend
from lakehouse.cleaning import kept
from lakehouse.metrics.attribution import MODELS, UNATTRIBUTED, attributed, touched_wins
from lakehouse.metrics.leads import NO_CAMPAIGN
from lakehouse.metrics.spending import spending
from lakehouse.rules import Constant, Part, Reconciliation
from lakehouse.table import AMOUNT, MONEY, Check, Column, Table
from lakehouse.vocabulary import CHANNELS

NEW_BUSINESS = "is_won AND opportunity_type = 'new_business' AND closed_date IS NOT NULL"
GRAIN = ("model", "channel", "campaign_id", "month")

table = Table(
    name="gold.attribution",
    description=__doc__,
    grain="model × channel × campaign × month of the win",
    key=GRAIN,
    inputs={
        "opportunities": "silver.opportunities",
        "leads": "silver.leads",
        "touches": "silver.marketing_events",
        "marketing_spend": "bronze.marketing_spend",
        "exchange_rates": "bronze.exchange_rates",
    },
    settings=("as_of", "reporting_currency"),
    columns=(
        Column("model", "string", "Which touches share a win", nullable=False, values=MODELS),
        Column("channel", "string", "Channel of the touches; unattributed for wins without any", False,
               values=(*CHANNELS, UNATTRIBUTED)),
        Column("campaign_id", "string", "Campaign of the touches; none without one", nullable=False),
        Column("month", "date", "First day of the month of the win", nullable=False),
        Column("attributed_wins", AMOUNT, "Parts of won new-business opportunities", nullable=False, minimum=0),
        Column("attributed_arr", MONEY, "Parts of their ARR", nullable=False, minimum=0),
        Column("currency", "string", "Reporting currency of the amounts, ISO 4217", nullable=False),
        Column("campaign_spend", MONEY, "What the campaign spent in the month; null where none is known", minimum=0),
        Column("cost_per_attributed_win", MONEY, "campaign_spend ÷ attributed_wins; null without either", minimum=0),
    ),
    checks=(
        Check("nothing_won_has_no_arr", "attributed_wins > 0 OR attributed_arr = 0"),
        Check("unattributed_has_no_campaign",
              f"channel <> '{UNATTRIBUTED}' OR (campaign_id = '{NO_CAMPAIGN}' AND campaign_spend IS NULL)"),
        Check("a_cost_needs_spend_and_a_win",
              "(cost_per_attributed_win IS NULL) = (campaign_spend IS NULL OR attributed_wins = 0)"),
    ),
    audits=(
        *(
            Reconciliation(
                f"{model}_shares_{what}",
                f"sum({shared})",
                (Part("silver.opportunities", total, where=NEW_BUSINESS, by=("date_trunc('month', closed_date)",)),),
                by=("month",),
                where=f"model = '{model}'",
            )
            for model in MODELS
            for what, shared, total in (
                ("every_win", "attributed_wins", "count(*)"),
                ("all_arr", "attributed_arr", "sum(arr_reporting)"),
            )
        ),
        Constant("models_have_the_same_spend", "coalesce(sum(campaign_spend), 0)", by=("model",), within=("month",)),
        Reconciliation(
            "spend_is_that_of_the_funnel",
            f"sum(campaign_spend) / {len(MODELS)}",
            (Part("gold.funnel", "sum(programme_spend)", where="dimension = 'all'", by=("cohort_start",)),),
            by=("month",),
        ),
    ),
)  # fmt: skip


def transform(
    *,
    opportunities: DataFrame,
    leads: DataFrame,
    touches: DataFrame,
    marketing_spend: DataFrame,
    exchange_rates: DataFrame,
    as_of: date,
    reporting_currency: str,
) -> DataFrame:
    wins = opportunities.filter(NEW_BUSINESS).select(
        *("opportunity_id", "lead_id", "closed_at", "arr_reporting"), F.trunc("closed_date", "month").alias("month")
    )
    spend = spending(marketing_spend, received_spend, kept(exchange_rates, received_rates), reporting_currency)
    of_every_model = spend.filter(F.col("month") <= F.lit(as_of)).select(
        F.explode(F.array(*map(F.lit, MODELS))).alias("model"),
        *("channel", "month"),
        F.coalesce("campaign_id", F.lit(NO_CAMPAIGN)).alias("campaign_id"),
        F.col("spend").cast(MONEY).alias("campaign_spend"),
    )
    shares = attributed(touched_wins(wins, leads, touches)).select(*GRAIN, "attributed_wins", "attributed_arr")
    summed = (
        shares.unionByName(of_every_model, allowMissingColumns=True)
        .groupBy(*GRAIN)
        .agg(*(F.sum(name).alias(name) for name in ("attributed_wins", "attributed_arr", "campaign_spend")))
        .fillna(0, subset=["attributed_wins", "attributed_arr"])
    )
    return table.select(
        summed.withColumns(
            {
                "currency": F.lit(reporting_currency),
                "cost_per_attributed_win": F.try_divide("campaign_spend", "attributed_wins"),
            }
        )
    )


if __name__ == "__main__":
    from lakehouse.submit import submit

    submit(table)
