"""Slices of two amounts that belong together, each with the reason why its parts differ.

A slice has ``customer_id``, ``month``, ``step``, ``reason``, ``from_amount`` and ``to_amount`` (before tax unless the
reason is tax, in the reporting currency). All slices of a step add up to the two totals that it leads from and to.
"""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from lakehouse.types import AMOUNT

UNEXPLAINED = "unexplained"

# What can lie between the two amounts of each step; "agreed" is the part in which they are the same.
STEP_REASONS = {
    "terms_to_invoices": ("credit_note", "voided", "timing_invoice", "fx", "rounding", UNEXPLAINED),
    "invoices_to_payments": (
        "tax",
        "timing_payment",
        "unpaid",
        "past_due",
        "written_off",
        "refund",
        "credit_note",
        "fx",
        "rounding",
        UNEXPLAINED,
    ),
    "terms_to_revenue": (
        "timing_annual_prepayment",
        "timing_billing_period",
        "one_time",
        "day_count",
        "ended_early",
        "fx",
        "rounding",
        UNEXPLAINED,
    ),
    "revenue_to_mrr": ("one_time", "change_within_month", "rounding"),
}

REASONS = ("agreed", *dict.fromkeys(reason for reasons in STEP_REASONS.values() for reason in reasons))

CENT = 0.01


def part(reason: Column, *, from_amount: Column | None = None, to_amount: Column | None = None) -> Column:
    """Return a slice's reason and amounts as a struct; an amount that is missing is 0."""
    amounts = {"from_amount": from_amount, "to_amount": to_amount}
    zero = F.lit(0).cast(AMOUNT)
    return F.struct(
        reason.alias("reason"),
        *(
            (zero if amount is None else F.coalesce(amount.cast(AMOUNT), zero)).alias(name)
            for name, amount in amounts.items()
        ),
    )


def slices_of(step: str, parts: DataFrame) -> DataFrame:
    """Return ``parts``, which have the columns of a slice but its step, as slices of ``step``."""
    amounts = (F.col(name).cast(AMOUNT).alias(name) for name in ("from_amount", "to_amount"))
    return parts.select("customer_id", "month", F.lit(step).alias("step"), "reason", *amounts)
