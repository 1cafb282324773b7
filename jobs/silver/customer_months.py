"""The ledger of recurring revenue: one row per customer and month with MRR or a movement.

From the month of the first MRR to that of the as-of day, under the policy `board`; :mod:`lakehouse.metrics.ledger` has
the rules, and :mod:`lakehouse.metrics.split` those of what a change is made of. Everything is in the reporting currency.
The customer's dimensions are those of the month's close; plan and cadence are those of its largest item then, or on its
last day with MRR.
"""

from __future__ import annotations

from datetime import date

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.bronze.customers import table as received_customers
from jobs.bronze.exchange_rates import table as received_rates
from jobs.bronze.plans import table as received_plans
from lakehouse.cleaning import kept, kept_by_day
from lakehouse.metrics.dimensions import with_dimensions
from lakehouse.metrics.ledger import month_balances, one_time_amounts, with_movements
from lakehouse.metrics.split import with_split
from lakehouse.metrics.terms import counted_terms
from lakehouse.policies import Policy
from lakehouse.rules import Constant, Freshness, Sequence, Volume
from lakehouse.settings import Segments
from lakehouse.table import MONEY, Check, Column, Table
from lakehouse.vocabulary import BILLING_CADENCES, CHANNELS, COMPANY_SIZES, SEGMENTS

table = Table(
    name="silver.customer_months",
    description=__doc__,
    grain="customer and month with MRR or a movement",
    key=("customer_id", "month"),
    inputs={
        "subscriptions": "silver.subscriptions",
        "customers": "bronze.customers",
        "exchange_rates": "bronze.exchange_rates",
        "plans": "bronze.plans",
    },
    settings=("as_of", "reporting_currency", "segments", "policy"),
    foreign_keys={"customer_id": "silver.customers"},
    export_as="fct_revenue",
    columns=(
        Column("customer_id", "string", "Billing customer", nullable=False),
        Column("month", "date", "First day of the month", nullable=False),
        Column("account_id", "string", "CRM account at the month's close; without one its own id", nullable=False),
        Column("plan_id", "string", "Plan of the largest item"),
        Column("billing_cadence", "string", "Cadence of the largest item", nullable=False, values=BILLING_CADENCES),
        Column("billing_currency", "string", "ISO 4217 code in which the largest item is billed", nullable=False),
        Column("company_size", "string", "Size class at the month's close", values=COMPANY_SIZES),
        Column("segment", "string", "Segment by employees at the month's close", values=SEGMENTS),
        Column("industry", "string", "Industry at the month's close"),
        Column("region", "string", "Sales region at the month's close"),
        Column("acquisition_channel", "string", "Channel that won the customer", values=CHANNELS),
        Column("opening_mrr", MONEY, "MRR at the close of the month before", nullable=False, minimum=0),
        Column("new_mrr", MONEY, "First MRR ever, at the closing rate", nullable=False, minimum=0),
        Column("expansion_mrr", MONEY, "Increase at the opening rate", nullable=False, minimum=0),
        Column("contraction_mrr", MONEY, "Decrease at the opening rate", nullable=False, minimum=0),
        Column("churned_mrr", MONEY, "MRR that ended, at the opening rate", nullable=False, minimum=0),
        Column("reactivation_mrr", MONEY, "MRR that came back, at the closing rate", nullable=False, minimum=0),
        Column("fx_mrr", MONEY, "What changed rates did to the MRR that closes; signed", nullable=False),
        Column("closing_mrr", MONEY, "MRR at the month's close", nullable=False, minimum=0),
        Column(
            "change_add_ons",
            MONEY,
            "Change of terms: add-ons bought and dropped, at list price; signed",
            nullable=False,
        ),
        Column(
            "change_plan", MONEY, "Change of terms: another plan, at the old number of seats; signed", nullable=False
        ),
        Column("change_seats", MONEY, "Change of terms: more or fewer seats, or plans beside; signed", nullable=False),
        Column(
            "change_price", MONEY, "Change of terms: the rest of the list price, such as a rise; signed", nullable=False
        ),
        Column("change_discount", MONEY, "Change of terms: discounts begun and ended; signed", nullable=False),
        Column(
            "change_currency",
            MONEY,
            "What changed rates did; with the other changes expansion - contraction + fx, and 0 for who comes or goes",
            nullable=False,
        ),
        Column(
            "closing_mrr_at_year_ago_rates",
            MONEY,
            "closing_mrr at the rates of the close twelve months before; a currency without one then: at the closing rate",
            nullable=False,
            minimum=0,
        ),
        Column(
            "closing_mrr_at_cohort_rates",
            MONEY,
            "closing_mrr at the rates of the close of the customer's first month",
            nullable=False,
            minimum=0,
        ),
        Column(
            "notice_mrr",
            MONEY,
            "Part of closing_mrr whose cancellation was said by the close (canceled_at) and whose end_date lies after it",
            nullable=False,
            minimum=0,
        ),
        Column("arr", MONEY, "12 x closing_mrr", nullable=False, minimum=0),
        Column(
            "movement",
            "string",
            "What happened in the month, by the sum of the changes at constant currency",
            nullable=False,
            values=("new", "expansion", "contraction", "churn", "reactivation", "none"),
        ),
        Column("is_active", "boolean", "Has MRR at the month's close", nullable=False),
        Column("is_complete", "boolean", "The as-of day is not before the month's end", nullable=False),
        Column("seats", "bigint", "Seats of the plans at the month's close", nullable=False, minimum=0),
        Column("cohort_month", "date", "First month with MRR, at its close or inside", nullable=False),
        Column("age_months", "int", "Months since cohort_month", nullable=False, minimum=0),
        Column(
            "average_daily_mrr", MONEY, "Mean MRR of the month's days, at its closing rate", nullable=False, minimum=0
        ),
        Column("one_time_amount", MONEY, "One-time items that start in the month", nullable=False, minimum=0),
        Column("revenue", MONEY, "average_daily_mrr + one_time_amount", nullable=False, minimum=0),
    ),
    checks=(
        Check(
            "movements_lead_from_opening_to_closing",
            "closing_mrr = opening_mrr + new_mrr + reactivation_mrr + expansion_mrr - contraction_mrr - churned_mrr"
            " + fx_mrr",
        ),
        Check(
            "changes_of_terms_add_up_to_the_change_of_who_stays",
            "change_add_ons + change_plan + change_seats + change_price + change_discount + change_currency"
            " = closing_mrr - opening_mrr - new_mrr - reactivation_mrr + churned_mrr",
        ),
        Check("active_has_mrr", "is_active = (closing_mrr > 0)"),
        Check("notice_is_part_of_what_closes", "notice_mrr <= closing_mrr"),
        Check("arr_is_twelve_months", "arr = 12 * closing_mrr"),
        Check("revenue_is_the_sum_of_its_parts", "revenue = average_daily_mrr + one_time_amount"),
        Check("new_only_in_the_cohort_month", "(new_mrr > 0) = (month = cohort_month)"),
        Check("churn_leaves_nothing", "(movement = 'churn') = (closing_mrr = 0)"),
        Check("month_is_a_first_day", "month = trunc(month, 'month')"),
        Check("age_counts_from_the_cohort_month", "age_months = months_between(month, cohort_month)"),
        Check("no_month_before_the_cohort", "month >= cohort_month"),
        Check("reactivation_opens_with_nothing", "reactivation_mrr = 0 OR opening_mrr = 0"),
    ),
    audits=(
        Sequence(
            "opens_with_what_the_month_before_closed_with",
            "opening_mrr = IF(month = previous.month + INTERVAL 1 MONTH, previous.closing_mrr, 0)",
            order=("month",),
            within=("customer_id",),
        ),
        Sequence(
            "no_month_is_missing_while_there_is_mrr",
            "previous IS NULL OR previous.closing_mrr = 0 OR month = previous.month + INTERVAL 1 MONTH",
            order=("month",),
            within=("customer_id",),
        ),
        Constant("cohort_never_changes", "max(cohort_month)", by=("month",), within=("customer_id",)),
        Freshness("recent", "month", days=31),
        Volume("usual_volume", least=0.9, most=2.0),
    ),
)


def transform(
    *,
    subscriptions: DataFrame,
    customers: DataFrame,
    exchange_rates: DataFrame,
    plans: DataFrame,
    as_of: date,
    reporting_currency: str,
    segments: Segments,
    policy: Policy,
) -> DataFrame:
    balances = month_balances(
        counted_terms(subscriptions, policy),
        kept(exchange_rates, received_rates),
        kept(plans, received_plans),
        as_of=as_of,
        reporting_currency=reporting_currency,
    )
    moved = with_movements(balances, shows_new_and_churn=F.lit(policy.shows_new_and_churn_in_month))
    ledger = (
        with_split(moved)
        .join(one_time_amounts(subscriptions), on=["customer_id", "month"], how="left")
        .transform(with_dimensions, kept_by_day(customers, received_customers), segments)
    )
    one_time_amount = F.coalesce("one_time_amount", F.lit(0))
    totals = ledger.withColumns(
        {
            "account_id": F.coalesce("account_id", "customer_id"),
            "arr": 12 * F.col("closing_mrr"),
            "is_complete": F.last_day("month") <= F.lit(as_of),
            "one_time_amount": one_time_amount,
            "revenue": F.col("average_daily_mrr") + one_time_amount,
        }
    )
    return table.select(totals)


if __name__ == "__main__":
    from lakehouse.submit import submit

    submit(table)
