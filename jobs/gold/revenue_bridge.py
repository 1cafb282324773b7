"""From what the terms bill to invoices, cash, revenue and MRR, with what lies between: one row per month.

The sums of gold.revenue_reconciliation over customers, each rounded to the cent; the cents that this leaves over are
with the rounding of their step. Each total is the one it comes from plus its differences, exactly. A total, and what
leads to it, is null where nothing of the kind was received.
"""

from __future__ import annotations

from pyspark.sql import Column as SparkColumn
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lakehouse.metrics.presence import zero_where_received
from lakehouse.metrics.slices import STEP_REASONS
from lakehouse.table import MONEY, Check, Column, Table

# Of each step: the totals that it leads from and to, and what its differences are called by.
TOTALS = {
    "terms_to_invoices": ("expected_billings", "invoiced", "invoiced"),
    "invoices_to_payments": ("invoiced", "net_cash", "cash"),
    "terms_to_revenue": ("expected_billings", "revenue", "revenue"),
    "revenue_to_mrr": ("revenue", "closing_mrr", "mrr"),
}

DIFFERENCES = {step: [f"{prefix}_{reason}" for reason in STEP_REASONS[step]] for step, (_, _, prefix) in TOTALS.items()}

# Steps to what may never have been received: their totals and differences are null then.
RECORDED = ("terms_to_invoices", "invoices_to_payments")
RECORDED_TOTALS = [TOTALS[step][1] for step in RECORDED]

DESCRIPTIONS = {
    "expected_billings": "What the terms bill in the month, before tax",
    "invoiced": "What was invoiced less credit notes, before tax",
    "net_cash": "What was collected less refunds, with tax",
    "revenue": "Revenue of the ledger",
    "closing_mrr": "MRR at the month's close",
}

table = Table(
    name="gold.revenue_bridge",
    description=__doc__,
    grain="month",
    key=("month",),
    inputs={"reconciliation": "gold.revenue_reconciliation"},
    settings=("reporting_currency",),
    columns=(
        Column("month", "date", "First day of the month", nullable=False),
        Column("currency", "string", "Reporting currency, ISO 4217", nullable=False),
        *(Column(name, MONEY, text, nullable=name in RECORDED_TOTALS) for name, text in DESCRIPTIONS.items()),
        *(
            Column(name, MONEY, f"Part of {end} − {start}: see the reason", nullable=step in RECORDED)
            for step, (start, end, _) in TOTALS.items()
            for name in DIFFERENCES[step]
        ),
        Column("unexplained_rows", "bigint", "Rows of the month without a known reason", nullable=False, minimum=0),
    ),
    checks=tuple(
        Check(f"{step}_adds_up", f"{start} IS NULL OR {end} <=> {start} + {' + '.join(DIFFERENCES[step])}")
        for step, (start, end, _) in TOTALS.items()
    ),
)


def transform(reconciliation: DataFrame, reporting_currency: str) -> DataFrame:
    summed = reconciliation.groupBy("month").agg(
        _total("from_amount", "terms_to_revenue", "expected_billings"),
        *(_total("to_amount", step, end) for step, (_, end, _) in TOTALS.items()),
        *(_difference(step, reason, name) for step in TOTALS for reason, name in _explicit(step)),
        F.count_if(~F.col("is_explained")).alias("unexplained_rows"),
    )
    for step in RECORDED:
        told = [TOTALS[step][1], *(name for _, name in _explicit(step))]
        summed = zero_where_received(summed, reconciliation.filter(F.col("step") == step), told)
    return table.select(
        summed.withColumns({f"{TOTALS[step][2]}_rounding": _left_over(step) for step in TOTALS}).withColumn(
            "currency", F.lit(reporting_currency)
        )
    )


def _explicit(step: str) -> list[tuple[str, str]]:
    """The reasons of a step but rounding, with their columns."""
    named = zip(STEP_REASONS[step], DIFFERENCES[step], strict=True)
    return [(reason, name) for reason, name in named if reason != "rounding"]


def _total(amount: str, step: str, name: str) -> SparkColumn:
    return _money(F.when(F.col("step") == step, F.col(amount))).alias(name)


def _difference(step: str, reason: str, name: str) -> SparkColumn:
    is_meant = (F.col("step") == step) & (F.col("reason") == reason)
    return _money(F.when(is_meant, F.col("difference"))).alias(name)


def _money(amount: SparkColumn) -> SparkColumn:
    return F.coalesce(F.sum(amount), F.lit(0)).cast(MONEY)


def _left_over(step: str) -> SparkColumn:
    start, end, _ = TOTALS[step]
    rest = F.col(end) - F.col(start)
    for _, name in _explicit(step):
        rest -= F.col(name)
    return rest


if __name__ == "__main__":
    from lakehouse.submit import submit

    submit(table)
