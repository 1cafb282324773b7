"""Opportunities as they stood at the end of the as-of day: one row per opportunity.

Segment, industry and region are the account's of the day on which it was opened. What a version says that came after the
as-of day yields to what the stage history said on it.
"""

from __future__ import annotations

from datetime import date, timedelta

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.bronze.accounts import table as received_accounts
from jobs.bronze.exchange_rates import table as received_rates
from jobs.bronze.opportunities import table as received
from lakehouse.cleaning import kept, kept_as_of
from lakehouse.metrics.bands import band
from lakehouse.metrics.currency import convertible, to_reporting, with_first_rate_at_least, with_rate_known
from lakehouse.metrics.moments import days_between
from lakehouse.metrics.opportunities import as_known, with_account
from lakehouse.metrics.stages import LOST, WON, is_open
from lakehouse.pipeline_settings import Pipeline
from lakehouse.rules import Freshness, Part, Received, Reconciliation, Volume
from lakehouse.settings import Segments
from lakehouse.table import AMOUNT, MONEY, Check, Column, Table
from lakehouse.vocabulary import CHANNELS, OPPORTUNITY_TYPES, SEGMENTS, STAGES

table = Table(
    name="silver.opportunities",
    description=__doc__,
    grain="opportunity",
    key=("opportunity_id",),
    inputs={
        "opportunities": "bronze.opportunities",
        "states": "silver.opportunity_states",
        "accounts": "bronze.accounts",
        "exchange_rates": "bronze.exchange_rates",
    },
    settings=("as_of", "reporting_currency", "segments", "pipeline"),
    foreign_keys={
        "account_id": "silver.accounts",
        "owner_rep_id": "silver.sales_reps",
        "lead_id": "silver.leads",
    },
    may_be_orphans=("account_id", "owner_rep_id", "lead_id"),
    columns=(
        Column("opportunity_id", "string", "Opportunity; subscriptions name the one that sold their terms", False),
        Column("account_id", "string", "Account that would buy", nullable=False),
        Column("lead_id", "string", "Lead that it came from; null for business with customers"),
        Column("owner_rep_id", "string", "Rep who owns it"),
        Column("opportunity_type", "string", "What kind of business it is", values=OPPORTUNITY_TYPES),
        Column("product_line", "string", "Product line, as in plans and add_ons"),
        Column("lead_source", "string", "Channel that brought the account", values=CHANNELS),
        Column("segment", "string", "Segment of the account; null where it is unknown", values=SEGMENTS),
        Column("industry", "string", "Industry of the account"),
        Column("region", "string", "Sales region of the account"),
        Column("stage", "string", "Stage", nullable=False, values=STAGES),
        Column("arr", AMOUNT, "ARR that it would add, or for a renewal keep", nullable=False, minimum=0),
        Column("currency", "string", "ISO 4217 code of arr", nullable=False),
        Column("arr_reporting", MONEY, "arr at the rate of the day on which it was opened", False, minimum=0),
        Column("deal_size", "string", "Band of arr_reporting", nullable=False),
        Column("term_months", "int", "Months of commitment; null without one", minimum=1),
        Column("created_at", "timestamp", "When it was opened", nullable=False),
        Column("created_date", "date", "Day on which it was opened", nullable=False),
        Column("expected_close_date", "date", "Day on which the rep expects to close; once closed, the day it was"),
        Column("closed_at", "timestamp", "When it was won or lost; null while it is open"),
        Column("closed_date", "date", "Day on which it was won or lost"),
        Column("rep_probability", "double", "Probability of winning, as the rep gives it", minimum=0, maximum=1),
        Column("loss_reason", "string", "Why it was lost"),
        Column("is_open", "boolean", "Neither won nor lost", nullable=False),
        Column("is_won", "boolean", "Won", nullable=False),
        Column("is_lost", "boolean", "Lost", nullable=False),
        Column("cycle_days", "double", "Days from opening to closing; null while it is open", minimum=0),
        Column("updated_at", "timestamp", "When this version came to hold", nullable=False),
    ),
    checks=(
        Check("open_won_or_lost", "int(is_open) + int(is_won) + int(is_lost) = 1"),
        Check("closed_with_a_moment", "is_open = (closed_at IS NULL)", severity="warn", action="mark"),
        Check("cycle_when_closed", "(closed_at IS NULL) = (cycle_days IS NULL)"),
        Check("created_date_agrees", "created_date = to_date(created_at)"),
        Check("lost_has_a_reason", "is_lost OR loss_reason IS NULL", severity="warn", action="mark"),
        Check("customers_have_no_lead", "opportunity_type = 'new_business' OR lead_id IS NULL", severity="warn",
              action="mark"),
    ),
    audits=(
        Received("received_is_accounted_for", "bronze.opportunities", known_from="created_at"),
        Reconciliation(
            "stage_is_that_of_the_history",
            "count(*)",
            (Part("silver.opportunity_states", "count(*)", where="valid_to_at IS NULL"),),
            by=("opportunity_id", "stage"),
            severity="warn",
            action="mark",
        ),
        Freshness("recent", "updated_at", days=31),
        Volume("usual_volume", least=0.9, most=2.0),
    ),
)  # fmt: skip


def transform(
    *,
    opportunities: DataFrame,
    states: DataFrame,
    accounts: DataFrame,
    exchange_rates: DataFrame,
    as_of: date,
    reporting_currency: str,
    segments: Segments,
    pipeline: Pipeline,
) -> DataFrame:
    until = F.lit(as_of + timedelta(days=1)).cast("timestamp")
    rates = kept(exchange_rates, received_rates)
    sound = kept_as_of(with_rate_known(opportunities, rates, reporting_currency), convertible(received), until)
    known = as_known(sound, states, until).withColumn("created_date", F.to_date("created_at"))
    rated = to_reporting(
        with_first_rate_at_least(known, rates, day="created_date", rated_on="_rated_on"),
        rates,
        day="_rated_on",
        amounts={"arr": "_arr_reporting"},
        reporting_currency=reporting_currency,
    )
    cycle_days = days_between(F.col("created_at"), F.col("closed_at"))
    return table.select(
        with_account(rated, accounts, received_accounts, segments).withColumns(
            {
                "arr_reporting": F.col("_arr_reporting").cast(MONEY),
                "deal_size": band(F.col("_arr_reporting").cast(MONEY), pipeline.deal_sizes),
                "closed_date": F.to_date("closed_at"),
                "is_open": is_open(F.col("stage")),
                "is_won": F.col("stage") == WON,
                "is_lost": F.col("stage") == LOST,
                "cycle_days": cycle_days,
            }
        )
    )


if __name__ == "__main__":
    from lakehouse.submit import submit

    submit(table)
