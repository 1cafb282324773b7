"""Sharing an amount of money so that the parts are whole cents and add up to it exactly."""

from __future__ import annotations

from collections.abc import Sequence

from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql.window import Window

from lakehouse.types import MONEY

EXACT = "decimal(18,0)"


def shared_by_weight(
    frame: DataFrame, *, total: str, weight: str, within: Sequence[str], order: Sequence[str], share: str
) -> DataFrame:
    """Add ``share``: each row's part of its group's ``total``, in whole cents by the method of largest remainder.

    ``within`` names the columns of a group, on whose rows ``total`` (decimal(18,2), not negative) is the same;
    ``weight`` is a whole number ≥ 0; ``order`` tells rows of a group apart and gives the odd cents when remainders
    are equal. The shares of a group sum to its total; a group without any weight gets null.
    Example: 100.00 over three equal weights is 33.34, 33.33, 33.33.
    """
    group = Window.partitionBy(*within)
    largest_first = group.orderBy(F.desc("_remainder"), *order)
    cents = (F.col(total) * 100).cast(EXACT)
    all_weights = F.nullif(F.sum(F.col(weight).cast(EXACT)).over(group).cast(EXACT), F.lit(0))
    parted = frame.withColumns({"_product": cents * F.col(weight).cast(EXACT), "_all": all_weights}).withColumns(
        {"_cents": F.expr("_product div _all"), "_remainder": F.col("_product") % F.col("_all")}
    )
    missing_cents = cents - F.sum("_cents").over(group)
    gets_odd_cent = F.row_number().over(largest_first) <= missing_cents
    part = (F.col("_cents") + gets_odd_cent.cast("int")).cast(EXACT) / 100
    return parted.withColumn(share, part.cast(MONEY)).drop("_product", "_all", "_cents", "_remainder")
