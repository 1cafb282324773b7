"""What was received and cannot be used, with the reason: one row per rejected bronze row.

Together with the clean tables it accounts for everything: received = kept + superseded + quarantined. A row in whose
place a correction was released stays, marked as corrected; the correction is judged like every other row.
"""

from __future__ import annotations

from functools import reduce

from pyspark.sql import DataFrame

from jobs.bronze import (
    accounts,
    activities,
    add_ons,
    billing_orders,
    contacts,
    customers,
    exchange_rates,
    expenses,
    invoices,
    leads,
    marketing_events,
    marketing_spend,
    nps_responses,
    opportunities,
    opportunity_stage_history,
    payments,
    plans,
    quotas,
    sales_reps,
    subscriptions,
    support_interactions,
    usage_events,
    users,
    web_traffic,
)
from lakehouse.cleaning import kept, rejected, with_corrections
from lakehouse.metrics.currency import convertible, with_rate_known
from lakehouse.table import Column, Table

# Their amounts are worth nothing in a currency without any rate.
CONVERTED = (
    billing_orders.table,
    expenses.table,
    invoices.table,
    marketing_spend.table,
    opportunities.table,
    opportunity_stage_history.table,
    payments.table,
    quotas.table,
    subscriptions.table,
)
AS_RECEIVED = (
    accounts.table,
    activities.table,
    add_ons.table,
    contacts.table,
    customers.table,
    exchange_rates.table,
    leads.table,
    marketing_events.table,
    nps_responses.table,
    plans.table,
    sales_reps.table,
    support_interactions.table,
    usage_events.table,
    users.table,
    web_traffic.table,
)

table = Table(
    name="silver.quarantine",
    description=__doc__,
    grain="rejected bronze row",
    key=("table_name", "_source", "_batch_id", "_row"),
    inputs={bronze.short_name: bronze.name for bronze in (*CONVERTED, *AS_RECEIVED)},
    settings=("reporting_currency",),
    columns=(
        Column("table_name", "string", "Bronze table that received the row", nullable=False),
        Column("rule", "string", "First rule that the row breaks", nullable=False),
        Column("reason", "string", "Every rule that the row breaks, with what it requires", nullable=False),
        Column("row_json", "string", "The row as received", nullable=False, personal=True),
        Column("is_corrected", "boolean", "Whether a correction was released in its place", nullable=False),
        Column("_source", "string", "Where the row came from", nullable=False),
        Column("_batch_id", "string", "The batch that brought the row", nullable=False),
        Column("_row", "bigint", "Line or record number in the source", nullable=False),
    ),
)


def transform(*, reporting_currency: str, **received: DataFrame) -> DataFrame:
    rates = kept(received["exchange_rates"], exchange_rates.table)
    converted = (
        rejected(with_rate_known(received[bronze.short_name], rates, reporting_currency), convertible(bronze))
        for bronze in CONVERTED
    )
    unconverted = (rejected(received[bronze.short_name], bronze) for bronze in AS_RECEIVED)
    return table.select(with_corrections(reduce(DataFrame.unionByName, (*converted, *unconverted))))


if __name__ == "__main__":
    from lakehouse.submit import submit

    submit(table)
