"""What the terms of subscriptions say is to be billed: one row per subscription item and billing period it touches.

Up to the as-of day and independent of the invoices; :mod:`lakehouse.metrics.billing_schedule` has the rules. A change
inside a period is a line of its own with the difference for the rest of the period, negative where it is a credit and
0 where the price stays.
"""

from __future__ import annotations

from datetime import date

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.bronze.exchange_rates import table as received_rates
from lakehouse.cleaning import kept
from lakehouse.metrics.billing_schedule import billing_lines
from lakehouse.metrics.currency import to_reporting
from lakehouse.table import AMOUNT, Check, Column, Table

table = Table(
    name="silver.billing_schedule",
    description=__doc__,
    grain="subscription item × billing period",
    key=("subscription_item_id", "period_start"),
    inputs={"subscriptions": "silver.subscriptions", "exchange_rates": "bronze.exchange_rates"},
    settings=("as_of", "reporting_currency"),
    foreign_keys={"customer_id": "silver.customers"},
    columns=(
        Column("subscription_item_id", "string", "Item that is billed", nullable=False),
        Column("period_start", "date", "First day that the line bills", nullable=False),
        Column("period_end", "date", "First day after what the line bills", nullable=False),
        Column("held_until", "date", "First day in the period without the item, or period_end", nullable=False),
        Column(
            "served_until",
            "date",
            "First day in the period without the item and what replaced it, or period_end",
            nullable=False,
        ),
        Column("customer_id", "string", "Customer who is billed", nullable=False),
        Column("subscription_id", "string", "Subscription that is billed"),
        Column("billing_month", "date", "First day of the month of period_start", nullable=False),
        Column(
            "line_type",
            "string",
            "All of a period, the difference that a change inside a period makes, or something sold once",
            nullable=False,
            values=("period", "proration", "one_time"),
        ),
        Column("months_in_interval", AMOUNT, "Months in one billing interval", nullable=False, minimum=0),
        Column("amount", AMOUNT, "To be billed before tax; negative for a credit", nullable=False),
        Column("monthly_amount", AMOUNT, "What the item is worth per month; 0 for one-time items", False, minimum=0),
        Column("currency", "string", "ISO 4217 code of the amounts", nullable=False),
        Column("amount_reporting", AMOUNT, "amount in the reporting currency, at the rate of period_start", False),
    ),
    checks=(
        Check("days_are_in_order", "period_start < held_until AND held_until <= served_until"),
        Check("service_ends_with_the_period", "served_until <= period_end"),
        Check("only_a_change_gives_credit", "line_type = 'proration' OR amount >= 0"),
    ),
)


def transform(subscriptions: DataFrame, exchange_rates: DataFrame, as_of: date, reporting_currency: str) -> DataFrame:
    lines = billing_lines(subscriptions, as_of).withColumn("billing_month", F.trunc("period_start", "month"))
    return table.select(
        to_reporting(
            lines.drop("amount_reporting"),
            kept(exchange_rates, received_rates),
            day="period_start",
            amounts={"amount": "amount_reporting"},
            reporting_currency=reporting_currency,
        )
    )


if __name__ == "__main__":
    from lakehouse.submit import submit

    submit(table)
