"""Orders that were signed by the end of the as-of day, with the opportunity and the customer behind them: one row per order.

Amounts in the reporting currency are at the rate of the day on which the order was signed, else the currency's first
one. What describes the buyer is what the opportunity says. An account may have several customers: an order belongs to
the one whose terms name its opportunity, before there are any to the account's only one, and else to none.
"""

from __future__ import annotations

from datetime import date

from pyspark.sql import Column as SparkColumn
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.bronze.billing_orders import table as received
from jobs.bronze.exchange_rates import table as received_rates
from lakehouse.cleaning import kept
from lakehouse.metrics.currency import convertible, to_reporting, with_first_rate_at_least, with_rate_known
from lakehouse.metrics.order_types import ORDER_TYPES
from lakehouse.rules import Freshness, ParentCheck, Part, Received, Reconciliation, Volume
from lakehouse.table import AMOUNT, MONEY, Check, Column, Table
from lakehouse.vocabulary import CHANNELS, SEGMENTS

FROM_OPPORTUNITY = ("owner_rep_id", "lead_source", "segment", "industry", "region", "closed_at")

table = Table(
    name="silver.billing_orders",
    description=__doc__,
    grain="order",
    key=("order_id",),
    inputs={
        "orders": "bronze.billing_orders",
        "exchange_rates": "bronze.exchange_rates",
        "opportunities": "silver.opportunities",
        "subscriptions": "silver.subscriptions",
        "customers": "silver.customers",
    },
    settings=("as_of", "reporting_currency"),
    foreign_keys={
        "account_id": "silver.accounts",
        "customer_id": "silver.customers",
        "opportunity_id": "silver.opportunities",
        "owner_rep_id": "silver.sales_reps",
    },
    may_be_orphans=("account_id", "customer_id", "opportunity_id", "owner_rep_id"),
    columns=(
        Column("order_id", "string", "Order; invoices name the one that they bill", nullable=False),
        Column("account_id", "string", "Account that ordered", nullable=False),
        Column("customer_id", "string", "Customer who is billed; null where billing does not tell which it is"),
        Column("opportunity_id", "string", "Opportunity that was won"),
        Column("order_type", "string", "What kind of business it is", values=ORDER_TYPES),
        Column("product_line", "string", "Product line, as in plans and add_ons"),
        Column("owner_rep_id", "string", "Rep who owns the opportunity"),
        Column("lead_source", "string", "Channel that brought the account", values=CHANNELS),
        Column("segment", "string", "Segment of the account", values=SEGMENTS),
        Column("industry", "string", "Industry of the account"),
        Column("region", "string", "Sales region of the account"),
        Column("ordered_at", "timestamp", "When it was signed", nullable=False),
        Column("ordered_date", "date", "Day on which it was signed", nullable=False),
        Column("closed_at", "timestamp", "When its opportunity was closed"),
        Column("order_lag_days", "int", "Days from the opportunity's close to the order; below 0 if it came first"),
        Column("start_date", "date", "First day of what was ordered", nullable=False),
        Column("renewal_date", "date", "First day after the commitment; null without one"),
        Column("term_months", "int", "Months of the customer's commitment; null without one", minimum=1),
        Column("ordered_months", "decimal(18,6)", "Months from start_date to renewal_date, of an expansion the rest of"
               " the term; term_months where no renewal_date is known", minimum=0),
        Column("total_amount", AMOUNT, "What the commitment, or without one the period paid ahead, comes to", False,
               minimum=0),
        Column("arr", AMOUNT, "ARR of the items that the order began, or added by it", nullable=False, minimum=0),
        Column("currency", "string", "ISO 4217 code of total_amount and arr", nullable=False),
        Column("total_reporting", MONEY, "total_amount in the reporting currency", nullable=False, minimum=0),
        Column("acv_reporting", MONEY, "total_reporting by the year of ordered_months; arr_reporting without a term",
               False, minimum=0),
        Column("arr_reporting", MONEY, "arr in the reporting currency", nullable=False, minimum=0),
        Column("opportunity_arr_reporting", MONEY, "ARR of the opportunity at the rate of its opening; null without it",
               minimum=0),
        Column("is_arr_as_won", "boolean", "The opportunity has the same arr and currency; null without it"),
    ),
    checks=(
        Check("ordered_date_agrees", "ordered_date = to_date(ordered_at)"),
        Check("lag_with_a_close", "(order_lag_days IS NULL) = (closed_at IS NULL)"),
        Check("acv_without_a_term_is_the_arr", "ordered_months IS NOT NULL OR acv_reporting = arr_reporting"),
        Check("ordered_after_the_close", "order_lag_days IS NULL OR order_lag_days >= 0", severity="warn",
              action="mark"),
        Check("compared_with_an_opportunity", "(is_arr_as_won IS NULL) = (opportunity_arr_reporting IS NULL)"),
        Check("term_with_its_end", "(term_months IS NULL) = (renewal_date IS NULL)", severity="warn", action="mark"),
    ),
    audits=(
        Received("received_is_accounted_for", "bronze.billing_orders", known_from="ordered_at"),
        ParentCheck("opportunity_is_won", "silver.opportunities", "opportunities.is_won", severity="warn",
                    action="mark"),
        ParentCheck("opportunity_is_of_the_account", "silver.opportunities",
                    "opportunities.account_id = account_id", severity="warn", action="mark"),
        Reconciliation(
            "won_opportunities_have_one_order",
            "count(*)",
            (Part("silver.opportunities", "count(*)", where="is_won"),),
            by=("opportunity_id",),
            severity="warn",
            action="mark",
        ),
        Freshness("recent", "ordered_at", days=31),
        Volume("usual_volume", least=0.9, most=2.0),
    ),
)  # fmt: skip


def transform(
    *,
    orders: DataFrame,
    exchange_rates: DataFrame,
    opportunities: DataFrame,
    subscriptions: DataFrame,
    customers: DataFrame,
    as_of: date,
    reporting_currency: str,
) -> DataFrame:
    rates = kept(exchange_rates, received_rates)
    signed = (
        kept(with_rate_known(orders, rates, reporting_currency), convertible(received))
        .withColumn("ordered_date", F.to_date("ordered_at"))
        .filter(F.col("ordered_date") <= F.lit(as_of))
        .withColumn("ordered_months", _ordered_months())
        .withColumn("_acv", _acv())
    )
    rated = to_reporting(
        with_first_rate_at_least(signed, rates, day="ordered_date", rated_on="_rated_on"),
        rates,
        day="_rated_on",
        amounts={"total_amount": "total_reporting", "_acv": "acv_reporting", "arr": "arr_reporting"},
        reporting_currency=reporting_currency,
    )
    won = opportunities.select(
        "opportunity_id",
        *FROM_OPPORTUNITY,
        F.struct("arr", "currency").alias("_won"),
        F.col("arr_reporting").alias("opportunity_arr_reporting"),
    )
    return table.select(
        _with_customer(rated.join(won, on="opportunity_id", how="left"), subscriptions, customers).withColumns(
            {
                "order_lag_days": F.date_diff("ordered_date", F.to_date("closed_at")),
                "is_arr_as_won": F.struct("arr", "currency") == F.col("_won"),
            }
        )
    )


def _ordered_months() -> SparkColumn:
    months = F.months_between("renewal_date", "start_date").cast("decimal(18,6)")
    return F.coalesce(months, F.col("term_months").cast("decimal(18,6)"))


def _acv() -> SparkColumn:
    a_year = F.try_divide(12 * F.col("total_amount"), F.col("ordered_months")).cast(AMOUNT)
    return F.when(F.col("ordered_months").isNull(), F.col("arr")).otherwise(a_year)


def _with_customer(orders: DataFrame, subscriptions: DataFrame, customers: DataFrame) -> DataFrame:
    by_terms = _only_customer(subscriptions, "opportunity_id", "_by_terms")
    by_account = _only_customer(customers, "account_id", "_by_account")
    return (
        orders.join(by_terms, on="opportunity_id", how="left")
        .join(by_account, on="account_id", how="left")
        .withColumn("customer_id", F.coalesce("_by_terms", "_by_account"))
    )


def _only_customer(frame: DataFrame, of: str, name: str) -> DataFrame:
    first, last = F.min("customer_id"), F.max("customer_id")
    return frame.filter(F.col(of).isNotNull()).groupBy(of).agg(F.when(first == last, first).alias(name))


if __name__ == "__main__":
    from lakehouse.submit import submit

    submit(table)
