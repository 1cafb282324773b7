"""What customers owed at the ends of months, as it stood then and not as it stands today."""

from __future__ import annotations

from datetime import date

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

# Upper ends, in days past due, of the ageing buckets; what is open longer is over the last.
AGEING_BUCKETS = {"not_due": 0, "1-30": 30, "31-60": 60, "61-90": 90}
OVERDUE_LONGEST = "over_90"

BILLED_DAYS = 90
"""Days of billing against which days sales outstanding are measured."""


def ageing_bucket(days_past_due: Column) -> Column:
    """Return the ageing bucket: ``not_due`` up to the due day itself (and without one), then 1-30 and so on.

    Example: 0 days are not_due, 1 day is 1-30, 90 days are 61-90, 91 days over_90.
    """
    bucket = F.when(days_past_due.isNull(), "not_due")
    for name, last_day in AGEING_BUCKETS.items():
        bucket = bucket.when(days_past_due <= last_day, name)
    return bucket.otherwise(OVERDUE_LONGEST)


def balances_at_month_ends(invoices: DataFrame, as_of: date) -> DataFrame:
    """Return one row per invoice or credit note and month-end at which it was open or billed in the 90 days before.

    Of silver.invoices, void ones only until they were voided; the month of ``as_of`` ends with that day. Amounts are
    with tax, in the reporting currency at the rate of the day of issue, those of credit notes negative:
    ``open_amount`` (0 unless ``is_open``) and ``billed_amount`` (0 outside the 90 days); ``bucket`` is its age then.
    """
    is_void = F.col("status").eqNullSafe("void")
    amount = F.when(F.col("invoice_type") == "credit_note", -F.col("total_reporting")).otherwise(
        F.col("total_reporting")
    )
    dated = invoices.withColumns(
        {"_issued_date": F.to_date("issued_at"), "_closed_date": F.to_date("closed_at"), "_amount": amount}
    )
    last_counted = F.greatest(
        F.coalesce("_closed_date", F.lit(as_of)), F.when(~is_void, F.date_add("_issued_date", BILLED_DAYS))
    )
    months = F.sequence(
        F.trunc("_issued_date", "month"),
        F.trunc(F.greatest("_issued_date", F.least(last_counted, F.lit(as_of))), "month"),
        F.expr("INTERVAL 1 MONTH"),
    )
    at_ends = dated.withColumn("month", F.explode(months)).withColumn(
        "month_end", F.least(F.last_day("month"), F.lit(as_of))
    )
    is_open = F.coalesce(F.col("_closed_date") > F.col("month_end"), F.lit(True))
    is_billed = (F.date_diff("month_end", "_issued_date") < BILLED_DAYS) & (~is_void | is_open)
    return at_ends.withColumns(
        {
            "is_open": is_open,
            "open_amount": F.when(is_open, F.col("_amount")).otherwise(0),
            "billed_amount": F.when(is_billed, F.col("_amount")).otherwise(0),
            "bucket": ageing_bucket(F.date_diff("month_end", F.to_date("due_at"))),
        }
    )
