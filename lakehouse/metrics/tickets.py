"""What was known of a support ticket at a moment."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F


def as_known(tickets: DataFrame, until: Column) -> DataFrame:
    """Leave out the tickets opened from the moment ``until`` on, and of the others what happened from then on.

    Hides first_responded_at, resolved_at, and status and csat, which come with the resolution.
    """
    is_resolved_later = F.coalesce(F.col("resolved_at") >= until, F.lit(False))
    return tickets.filter(F.col("opened_at") < until).withColumns(
        {
            "first_responded_at": F.when(F.col("first_responded_at") < until, F.col("first_responded_at")),
            "resolved_at": F.when(~is_resolved_later, F.col("resolved_at")),
            "status": F.when(is_resolved_later, "open").otherwise(F.col("status")),
            "csat": F.when(~is_resolved_later & F.col("csat").between(1, 5), F.col("csat")),
        }
    )
