"""From the ARR of all orders signed by a month's close to the ledger's ARR at that close, with what lies between: one row per month.

Each order that is not in force and each customer whose orders do not come to its ARR has one reason; the totals lead to
one another exactly. What an order comes to at the close is its ARR at the rate of the close. Where no order was ever
received, only the ledger is known.
"""

from __future__ import annotations

from datetime import date

from pyspark.sql import Column as SparkColumn
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.bronze.exchange_rates import table as received_rates
from lakehouse.cleaning import kept
from lakehouse.metrics.orders_in_force import (
    ADD_ON_REASONS,
    CUSTOMER_REASONS,
    ORDER_REASONS,
    add_ons_apart,
    by_customer,
    orders_at_close,
)
from lakehouse.metrics.presence import zero_where_received
from lakehouse.rules import Part, Reconciliation
from lakehouse.table import MONEY, Check, Column, Table

DESCRIPTIONS = {
    "exchange_rate": "From the rates of the signatures to those of the close",
    "without_customer": "Less orders of which billing does not tell the customer",
    "not_started": "Less orders that begin after the close",
    "superseded": "Less orders that a later renewal or new order of the product line replaced",
    "cancelled_add_on": "Less add-ons that have ended, of orders in force",
    "running_on": "Add-ons that such orders sold and no renewal orders anew",
    "ended": "Less orders of customers without ARR at the close: ended, cut off or paused",
    "self_service": "ARR of customers who never signed an order",
    "changed_without_order": "ARR of other customers that terms nobody ordered changed: contractions, prices, discounts",
    "rounding": "Cents of the ledger's monthly amounts, twelve times",
    "unexplained": "What has no known reason",
}
OF_ORDERS = ("orders", "ordered_arr", *DESCRIPTIONS, "unexplained_customers")

table = Table(
    name="gold.bookings_reconciliation",
    description=__doc__,
    grain="month",
    key=("month",),
    inputs={
        "orders": "silver.billing_orders",
        "customer_months": "silver.customer_months",
        "subscriptions": "silver.subscriptions",
        "exchange_rates": "bronze.exchange_rates",
    },
    settings=("as_of", "reporting_currency"),
    columns=(
        Column("month", "date", "First day of the month", nullable=False),
        Column("currency", "string", "Reporting currency, ISO 4217", nullable=False),
        Column("is_complete", "boolean", "The month is over on the as-of day, at which it closes else", nullable=False),
        Column("orders", "bigint", "Orders signed by the close; null where none was ever received", minimum=0),
        Column("ordered_arr", MONEY, "Their ARR, at the rates of the signatures", minimum=0),
        *(Column(name, MONEY, description) for name, description in DESCRIPTIONS.items()),
        Column("ledger_arr", MONEY, "ARR of the ledger at the close", nullable=False, minimum=0),
        Column("unexplained_customers", "bigint", "Customers without a known reason", minimum=0),
    ),
    checks=(
        Check("adds_up", f"orders IS NULL OR ledger_arr <=> ordered_arr + {' + '.join(DESCRIPTIONS)}"),
        Check("orders_that_do_not_count_are_taken_off", "orders IS NULL OR greatest(without_customer, not_started, superseded, cancelled_add_on, ended) <= 0"),
    ),
    audits=(
        Reconciliation(
            "ledger_is_the_customers",
            "sum(ledger_arr)",
            (Part("silver.customer_months", "sum(arr)", by=("month",)),),
            by=("month",),
        ),
        Reconciliation(
            "every_order_is_in_the_last_month",
            "coalesce(max_by(orders, month), 0)",
            (Part("silver.billing_orders", "count(*)"),),
        ),
        Reconciliation(
            "everything_has_a_reason", "sum(unexplained_customers)", (), by=("month",), severity="warn", action="mark"
        ),
    ),
)  # fmt: skip


def transform(
    *,
    orders: DataFrame,
    customer_months: DataFrame,
    subscriptions: DataFrame,
    exchange_rates: DataFrame,
    as_of: date,
    reporting_currency: str,
) -> DataFrame:
    closed_on = F.least(F.last_day("month"), F.lit(as_of))
    closes = customer_months.select("month", closed_on.alias("closed_on")).distinct()
    rates = kept(exchange_rates, received_rates)
    signed = orders_at_close(orders, closes, rates, reporting_currency)
    add_ons = add_ons_apart(signed, subscriptions, rates, reporting_currency)
    customers = by_customer(signed, add_ons, customer_months, subscriptions)
    summed = customers.groupBy("month").agg(
        *(F.sum(name).alias(name) for name in ("orders", "ordered_arr", "exchange_rate", *ADD_ON_REASONS)),
        *(F.sum(-F.col(name)).alias(name) for name in ORDER_REASONS),
        *(_because_of(reason).alias(reason) for reason in CUSTOMER_REASONS),
        F.sum("arr").alias("ledger_arr"),
        F.count_if((F.col("reason") == "unexplained") & (F.col("arr") != F.col("in_force"))).alias(
            "unexplained_customers"
        ),
    )
    known = zero_where_received(summed, orders, OF_ORDERS)
    return table.select(
        known.withColumns({"currency": F.lit(reporting_currency), "is_complete": F.last_day("month") <= F.lit(as_of)})
    )


def _because_of(reason: str) -> SparkColumn:
    difference = F.when(F.col("reason") == reason, F.col("arr") - F.col("in_force"))
    return F.coalesce(F.sum(difference), F.lit(0))


if __name__ == "__main__":
    from lakehouse.submit import submit

    submit(table)
