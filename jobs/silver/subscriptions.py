"""What each customer pays by the month, under which terms: one row per subscription item and period of its terms.

Terms that begin after the as-of day are left out until it reaches them. Amounts in the reporting currency are at the
rate of the first day of the terms; MRR is not made of them but of the native amounts at each month's end.
"""

from __future__ import annotations

from datetime import date

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.bronze.exchange_rates import table as received_rates
from jobs.bronze.subscriptions import table as received
from lakehouse.cleaning import kept
from lakehouse.metrics.currency import convertible, to_reporting, with_rate_known
from lakehouse.metrics.money import with_monthly_amounts
from lakehouse.metrics.terms import bears_revenue, ends_on
from lakehouse.policies import Policy
from lakehouse.rules import Freshness, ParentCheck, Received, Sequence, Volume
from lakehouse.table import AMOUNT, Check, Column, Table
from lakehouse.vocabulary import BILLING_CADENCES, CHANGE_TYPES

table = Table(
    name="silver.subscriptions",
    description=__doc__,
    grain="subscription item and period of its terms",
    key=("subscription_item_id",),
    inputs={"subscriptions": "bronze.subscriptions", "exchange_rates": "bronze.exchange_rates"},
    settings=("as_of", "reporting_currency", "policy"),
    foreign_keys={"customer_id": "silver.customers", "plan_id": "silver.dim_plan"},
    may_be_orphans=("plan_id",),
    columns=(
        Column("subscription_item_id", "string", "One period of constant terms", nullable=False),
        Column("subscription_id", "string", "Subscription to which the item belongs"),
        Column("customer_id", "string", "Customer who is billed", nullable=False),
        Column("item_type", "string", "What is sold", values=("plan", "add_on", "one_time")),
        Column("plan_id", "string", "Plan of the item; for an add-on, the plan it hangs on"),
        Column("add_on_id", "string", "Add-on of the item; null for a plan"),
        Column("change_type", "string", "Why the terms began", values=CHANGE_TYPES),
        Column(
            "billing_interval",
            "string",
            "Unit of the billing interval",
            nullable=False,
            values=("day", "week", "month", "year"),
        ),
        Column("interval_count", "int", "Units in one billing interval", nullable=False, minimum=1),
        Column("months_in_interval", AMOUNT, "Months in one billing interval", nullable=False, minimum=0),
        Column(
            "billing_cadence",
            "string",
            "The longest usual cadence that the interval fills",
            nullable=False,
            values=BILLING_CADENCES,
        ),
        Column("term_months", "int", "Months of commitment; null without one"),
        Column("quantity", "int", "Seats, or pieces of an add-on"),
        Column("list_amount", AMOUNT, "Received amount per billing interval before discount and tax"),
        Column("discount_amount", AMOUNT, "Received discount per billing interval"),
        Column("discount_duration", "string", "How long the discount runs; null without one"),
        Column("amount", AMOUNT, "Amount per billing interval after discount, before tax", nullable=False, minimum=0),
        Column("currency", "string", "ISO 4217 code of the amounts", nullable=False),
        Column(
            "amount_reporting", AMOUNT, "Amount in the reporting currency, at the rate of start_date", nullable=False
        ),
        Column(
            "monthly_list_amount", AMOUNT, "Per month before discount; 0 for one-time items", nullable=False, minimum=0
        ),
        Column(
            "monthly_discount_amount", AMOUNT, "Discount per month, never above the price", nullable=False, minimum=0
        ),
        Column("monthly_amount", AMOUNT, "Per month after discount; 0 for one-time items", nullable=False, minimum=0),
        Column(
            "monthly_amount_reporting", AMOUNT, "monthly_amount at the rate of start_date", nullable=False, minimum=0
        ),
        Column("status", "string", "Status during the period"),
        Column("start_date", "date", "First day of the period", nullable=False),
        Column("end_date", "date", "First day after the period; null while it is open"),
        Column("canceled_at", "timestamp", "When the customer said so; end_date is when it took effect"),
        Column("cancel_reason", "string", "Reason given, or found by dunning"),
        Column("opportunity_id", "string", "Opportunity that sold the terms; null for self-service"),
        Column("is_recurring", "boolean", "Billed again each interval: not a one-time item", nullable=False),
        Column(
            "bears_revenue",
            "boolean",
            "Counts under the policy: recurring, paid for, and active, past_due or canceled",
            nullable=False,
        ),
        Column("is_active", "boolean", "Bears revenue on the as-of day", nullable=False),
        Column("duration_days", "int", "Days of the period up to the as-of day", nullable=False, minimum=0),
        Column("updated_at", "timestamp", "When the newest version came to hold"),
    ),
    checks=(
        Check("discount_is_list_less_net", "monthly_discount_amount = monthly_list_amount - monthly_amount"),
        Check("one_time_items_have_no_monthly_amount", "is_recurring OR monthly_list_amount = 0"),
        Check("active_terms_bear_revenue", "bears_revenue OR NOT is_active"),
        Check("terms_do_not_end_before_they_start", "end_date IS NULL OR end_date >= start_date"),
        Check(
            "amount_is_list_less_discount", "amount <= coalesce(list_amount, amount)", severity="warn", action="mark"
        ),
        Check(
            "notice_comes_before_the_end",
            "canceled_at IS NULL OR end_date IS NULL OR to_date(canceled_at) <= end_date",
            severity="warn",
            action="mark",
        ),
        Check(
            "add_on_is_named",
            "item_type IS DISTINCT FROM 'add_on' OR add_on_id IS NOT NULL",
            severity="warn",
            action="mark",
        ),
        Check("active_terms_are_open_or_end_later", "NOT is_active OR end_date IS NULL OR end_date > start_date"),
    ),
    audits=(
        Received("received_is_accounted_for", "bronze.subscriptions", known_from="start_date"),
        Sequence(
            "plan_terms_do_not_overlap",
            "previous IS NULL OR previous.end_date <= start_date",
            order=("start_date", "subscription_item_id"),
            within=("subscription_id",),
            where="bears_revenue AND item_type = 'plan'",
            severity="warn",
            action="mark",
        ),
        ParentCheck(
            "customer_is_on_record",
            "silver.customers",
            "customers.updated_at IS NOT NULL",
            severity="warn",
            action="mark",
        ),
        ParentCheck(
            "terms_begin_after_signup",
            "silver.customers",
            "customers.signup_at IS NULL OR start_date >= CAST(customers.signup_at AS DATE)",
            severity="warn",
            action="mark",
        ),
        Freshness("recent", "start_date", days=62),
        Volume("usual_volume", least=0.9, most=2.0),
    ),
)


def transform(
    subscriptions: DataFrame, exchange_rates: DataFrame, as_of: date, reporting_currency: str, policy: Policy
) -> DataFrame:
    rates = kept(exchange_rates, received_rates)
    terms = kept(with_rate_known(subscriptions, rates, reporting_currency), convertible(received))
    begun = terms.filter(F.col("start_date") <= F.lit(as_of))
    priced = to_reporting(
        with_monthly_amounts(begun, weeks_per_year=policy.weeks_per_year),
        rates,
        day="start_date",
        amounts={"amount": "amount_reporting", "monthly_amount": "monthly_amount_reporting"},
        reporting_currency=reporting_currency,
    )
    is_open = F.coalesce(ends_on(policy) > F.lit(as_of), F.lit(True))
    last_day = F.least(F.date_sub("end_date", 1), F.lit(as_of))
    flagged = priced.withColumns(
        {
            "bears_revenue": bears_revenue(policy),
            "is_active": bears_revenue(policy) & is_open,
            "duration_days": F.date_diff(last_day, "start_date") + 1,
        }
    )
    return table.select(flagged)


if __name__ == "__main__":
    from lakehouse.submit import submit

    submit(table)
