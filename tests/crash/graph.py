"""A lake of six tables in which every way of writing occurs: what kills and faults are tried on, since a run takes seconds.

Between the first delivery and the second one a file is appended and another replaced, a table is overwritten, one by
month, one declared anew, and one made.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import reduce
from pathlib import Path

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lakehouse.cleaning import kept, rejected, with_corrections
from lakehouse.registry import Job
from lakehouse.rules import QUARANTINE, Part, Reconciliation
from lakehouse.table import AMOUNT, PROVENANCE, Check, Column, Table

SUBSCRIPTIONS = Table(
    name="bronze.subscriptions",
    description="Terms: one row per item.",
    grain="item",
    key=("item_id",),
    columns=(
        Column("item_id", "string", "Item"),
        Column("customer_id", "string", "Customer"),
        Column("start_date", "date", "First day"),
        Column("amount", AMOUNT, "Amount per month", minimum=0),
        *PROVENANCE,
    ),
    rejects=(Check("amount_missing", "amount IS NOT NULL"),),
)

USAGE_EVENTS = Table(
    name="bronze.usage_events",
    description="Usage: one row per event.",
    grain="event",
    key=("event_id", "event_month"),
    by_month="event_month",
    columns=(
        Column("event_id", "string", "Event"),
        Column("customer_id", "string", "Customer"),
        Column("occurred_at", "timestamp", "When it happened"),
        Column("event_month", "date", "Its month", default="CAST(date_trunc('month', occurred_at) AS DATE)"),
        *PROVENANCE,
    ),
    rejects=(Check("moment_missing", "occurred_at IS NOT NULL"),),
)

REJECTED = Table(
    name=QUARANTINE,
    description="What cannot be used: one row per rejected row.",
    grain="rejected row",
    key=("table_name", "_source", "_batch_id", "_row"),
    inputs={"subscriptions": SUBSCRIPTIONS.name, "events": USAGE_EVENTS.name},
    columns=(
        Column("table_name", "string", "Table that received the row", nullable=False),
        Column("rule", "string", "First rule that the row breaks", nullable=False),
        Column("reason", "string", "Every rule that the row breaks", nullable=False),
        Column("row_json", "string", "The row", nullable=False),
        Column("is_corrected", "boolean", "Whether it was corrected", nullable=False),
        Column("_source", "string", "File", nullable=False),
        Column("_batch_id", "string", "Batch", nullable=False),
        Column("_row", "bigint", "Line", nullable=False),
    ),
)

CUSTOMERS = Table(
    name="silver.customers",
    description="Customers: one row per customer.",
    grain="customer",
    key=("customer_id",),
    inputs={"subscriptions": SUBSCRIPTIONS.name},
    columns=(
        Column("customer_id", "string", "Customer", nullable=False),
        Column("items", "bigint", "Items", nullable=False, minimum=1),
        Column("amount", AMOUNT, "Amount per month", nullable=False, minimum=0),
    ),
)

USAGE_MONTHLY = Table(
    name="silver.usage_monthly",
    description="Usage by month: one row per customer and month.",
    grain="customer × month",
    key=("customer_id", "event_month"),
    inputs={"events": USAGE_EVENTS.name},
    by_month="event_month",
    columns=(
        Column("customer_id", "string", "Customer", nullable=False),
        Column("event_month", "date", "Month", nullable=False),
        Column("events", "bigint", "Events", nullable=False, minimum=1),
    ),
)

REVENUE = Table(
    name="gold.revenue",
    description="Revenue and usage: one row per customer.",
    grain="customer",
    key=("customer_id",),
    inputs={"customers": CUSTOMERS.name, "usage": USAGE_MONTHLY.name},
    columns=(
        Column("customer_id", "string", "Customer", nullable=False),
        Column("amount", AMOUNT, "Amount per month", nullable=False, minimum=0),
        Column("events", "bigint", "Events", nullable=False, minimum=0),
    ),
    audits=(Reconciliation("amounts_are_those_of_customers", "sum(amount)", (Part(CUSTOMERS.name, "sum(amount)"),)),),
)


def quarantine(subscriptions: DataFrame, events: DataFrame) -> DataFrame:
    of_both = (rejected(subscriptions, SUBSCRIPTIONS), rejected(events, USAGE_EVENTS))
    return REJECTED.select(with_corrections(reduce(DataFrame.unionByName, of_both)))


def customers(subscriptions: DataFrame) -> DataFrame:
    per_customer = kept(subscriptions, SUBSCRIPTIONS).groupBy("customer_id")
    return CUSTOMERS.select(per_customer.agg(F.count("*").alias("items"), F.sum("amount").alias("amount")))


def usage_monthly(events: DataFrame) -> DataFrame:
    per_month = kept(events, USAGE_EVENTS).groupBy("customer_id", "event_month")
    return USAGE_MONTHLY.select(per_month.agg(F.count("*").alias("events")))


def revenue(customers: DataFrame, usage: DataFrame) -> DataFrame:
    events = usage.groupBy("customer_id").agg(F.sum("events").alias("events"))
    return REVENUE.select(customers.join(events, "customer_id", how="left").fillna(0, subset=["events"]))


def jobs() -> dict[str, Job]:
    """Return the six."""
    computed: list[tuple[Table, Callable[..., DataFrame] | None]] = [
        (SUBSCRIPTIONS, None),
        (USAGE_EVENTS, None),
        (REJECTED, quarantine),
        (CUSTOMERS, customers),
        (USAGE_MONTHLY, usage_monthly),
        (REVENUE, revenue),
    ]
    return {table.name: Job(table, transform, Path(__file__)) for table, transform in computed}


def earlier_jobs() -> dict[str, Job]:
    """Return the jobs as they were before: without the last one, and with another word in the declaration of one."""
    earlier = jobs()
    del earlier[REVENUE.name]
    columns = tuple(replace(one, description=f"{one.description}, as it was") for one in CUSTOMERS.columns)
    earlier[CUSTOMERS.name] = replace(earlier[CUSTOMERS.name], table=replace(CUSTOMERS, columns=columns))
    return earlier


def first_delivery(folder: Path) -> Path:
    """Write the files of the first delivery, in which two rows cannot be used."""
    subscriptions = ["i1,a,2025-01-15,100", "i2,a,2025-02-01,50.25", "i3,b,2025-02-01,240.50", "i4,c,2025-02-11,"]
    events = [f"e{n},{'abc'[n % 3]},2025-0{1 + n % 3}-0{1 + n % 9}T10:00:00Z" for n in range(40)]
    return _written(folder, subscriptions, {"usage_events-1.csv": [*events, "e99,a,"]})


def second_delivery(folder: Path) -> Path:
    """Write the files of the second: a changed one, which replaces the first one's, and a further one."""
    subscriptions = ["i1,a,2025-01-15,120", "i3,b,2025-02-01,240.50", "i5,d,2025-03-31,33.10", "i6,d,2025-03-31,"]
    events = [f"f{n},{'abd'[n % 3]},2025-0{2 + n % 3}-1{n % 9}T11:00:00Z" for n in range(30)]
    return _written(folder, subscriptions, {"usage_events-2.csv": [*events, "e1,b,2025-02-02T10:00:00Z"]})


def _written(folder: Path, subscriptions: list[str], events: dict[str, list[str]]) -> Path:
    folder.mkdir()
    lines = {"subscriptions.csv": ["item_id,customer_id,start_date,amount", *subscriptions]}
    lines |= {name: ["event_id,customer_id,occurred_at", *rows] for name, rows in events.items()}
    for name, of_file in lines.items():
        (folder / name).write_text("\n".join(of_file) + "\n", encoding="utf-8")
    return folder
