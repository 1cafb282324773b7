"""Where terms, invoices, payments, revenue and MRR differ, and why: one row per customer, month, step and reason.

Each step leads from one amount to another, all before tax and in the reporting currency; its rows of a customer and
month add up to both. ``terms_to_invoices``: from what the terms say is to be billed to what was invoiced less credit
notes. ``invoices_to_payments``: on to the cash collected less refunds, tax included. ``terms_to_revenue``: from what
is to be billed to the ledger's revenue. ``revenue_to_mrr``: on to the MRR at the month's close. What none of the known
reasons accounts for is ``unexplained``. A step to what was never received has no rows. Orders are not part of it:
gold.bookings_reconciliation has them.
"""

from __future__ import annotations

from datetime import date

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.bronze.exchange_rates import table as received_rates
from lakehouse.cleaning import kept
from lakehouse.metrics.presence import only_where_received
from lakehouse.metrics.recognition import revenue_to_mrr, terms_to_revenue
from lakehouse.metrics.reconciliation import invoices_to_payments, terms_to_invoices
from lakehouse.metrics.slices import REASONS, STEP_REASONS, UNEXPLAINED
from lakehouse.table import AMOUNT, Check, Column, Table

KEY = ("customer_id", "month", "step", "reason")

table = Table(
    name="gold.revenue_reconciliation",
    description=__doc__,
    grain="customer × month × step × reason",
    key=KEY,
    inputs={
        "billing_schedule": "silver.billing_schedule",
        "invoices": "silver.invoices",
        "payments": "silver.payments",
        "customer_months": "silver.customer_months",
        "exchange_rates": "bronze.exchange_rates",
    },
    settings=("as_of", "reporting_currency"),
    foreign_keys={"customer_id": "silver.customers"},
    may_be_orphans=("customer_id",),
    columns=(
        Column("customer_id", "string", "Customer", nullable=False),
        Column("month", "date", "First day of the month to which the amounts belong", nullable=False),
        Column("step", "string", "Between which two amounts", nullable=False, values=tuple(STEP_REASONS)),
        Column("reason", "string", "Why they differ, or that they agree", nullable=False, values=REASONS),
        Column("currency", "string", "Reporting currency, ISO 4217", nullable=False),
        Column("from_amount", AMOUNT, "Part of the amount from which the step leads", nullable=False),
        Column("to_amount", AMOUNT, "Part of the amount to which it leads", nullable=False),
        Column("difference", AMOUNT, "to_amount − from_amount", nullable=False),
        Column("is_explained", "boolean", "Has another reason than unexplained", nullable=False),
    ),
    checks=(
        Check("difference_is_to_less_from", "difference = to_amount - from_amount"),
        Check("what_agrees_does_not_differ", "reason <> 'agreed' OR abs(difference) < 0.01"),
        Check("rounding_is_a_matter_of_cents", "reason <> 'rounding' OR abs(difference) < 0.5"),
    ),
)


def transform(
    *,
    billing_schedule: DataFrame,
    invoices: DataFrame,
    payments: DataFrame,
    customer_months: DataFrame,
    exchange_rates: DataFrame,
    as_of: date,
    reporting_currency: str,
) -> DataFrame:
    rates = kept(exchange_rates, received_rates)
    slices = (
        only_where_received(terms_to_invoices(billing_schedule, invoices), invoices)
        .unionByName(only_where_received(invoices_to_payments(invoices, payments, as_of), payments))
        .unionByName(
            terms_to_revenue(
                billing_schedule, customer_months, rates, as_of=as_of, reporting_currency=reporting_currency
            )
        )
        .unionByName(revenue_to_mrr(customer_months))
    )
    summed = slices.groupBy(*KEY).agg(
        F.sum("from_amount").cast(AMOUNT).alias("from_amount"), F.sum("to_amount").cast(AMOUNT).alias("to_amount")
    )
    difference = F.col("to_amount") - F.col("from_amount")
    said = summed.filter((F.col("from_amount") != 0) | (F.col("to_amount") != 0))
    return table.select(
        said.withColumns(
            {
                "currency": F.lit(reporting_currency),
                "difference": difference,
                "is_explained": F.col("reason") != UNEXPLAINED,
            }
        )
    )


if __name__ == "__main__":
    from lakehouse.submit import submit

    submit(table)
