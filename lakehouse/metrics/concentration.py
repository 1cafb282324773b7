"""How unevenly an amount is spread over those who bring it: aggregates of a group, exact until the last division."""

from __future__ import annotations

from pyspark.sql import Column
from pyspark.sql import functions as F

from lakehouse.metrics.ratios import safe_ratio

# Sums of squared cents need all the digits that there are.
_WHOLE = "decimal(38,0)"


def largest_percent(members: Column, percent: int) -> Column:
    """Return how many of ``members`` are the largest ``percent`` %, a part of one counted as one.

    Example: 5 % of 30 are 2; 20 % of 10 are 2.
    """
    return F.ceil(members * percent / 100)


def gini(amount: Column, rank: Column) -> Column:
    """Aggregate the Gini coefficient of a group's amounts of money; ``rank`` counts from 1 for the largest.

    (n + 1 − 2 Σ rank × amount ÷ Σ amount) ÷ n: 0 where all are equal, 1 − 1/n where one has all, null where all are 0.
    Example: 3, 1 give (2 + 1 − 2 × 5 ÷ 4) ÷ 2 = 0.25.
    """
    members = F.count("*")
    mean_rank = safe_ratio(F.sum(_cents(amount) * rank), F.sum(_cents(amount)))
    # Equal amounts give exactly 0; rounding must not carry it past.
    return F.when(mean_rank.isNotNull(), F.greatest(F.lit(0.0), (members + 1 - 2 * mean_rank) / members))


def herfindahl_index(amount: Column) -> Column:
    """Aggregate the Herfindahl–Hirschman index of a group's amounts of money: Σ share², null where all are 0.

    Example: 3, 1 give (9 + 1) ÷ 16 = 0.625.
    """
    total = F.sum(_cents(amount))
    return F.try_divide(safe_ratio(F.sum((_cents(amount) * _cents(amount)).cast(_WHOLE)), total), total.cast("double"))


def _cents(amount: Column) -> Column:
    return (amount * 100).cast("decimal(18,0)")
