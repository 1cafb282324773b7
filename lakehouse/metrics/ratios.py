"""Ratios that are null where there is nothing to divide by, and the interval of a proportion."""

from __future__ import annotations

from pyspark.sql import Column
from pyspark.sql import functions as F

Z_95 = 1.959964
"""Standard normal quantile of a two-sided interval of 95 %."""


def safe_ratio(numerator: Column, denominator: Column) -> Column:
    """Return numerator ÷ denominator as a double; null where either is missing or the denominator is zero.

    Example: 3 ÷ 4 = 0.75; 3 ÷ 0 is null.
    """
    return F.try_divide(numerator.cast("double"), denominator.cast("double"))


def wilson_interval(successes: Column, trials: Column) -> tuple[Column, Column]:
    """Return the lower and upper end of Wilson's 95 % interval of the proportion successes ÷ trials.

    Ends lie in 0–1 and are null without trials. Example: 1 of 10 gives 0.0179 and 0.4042.
    Wilson, E. B. (1927), Probable inference, the law of succession, and statistical inference.
    """
    n, z2 = trials.cast("double"), Z_95**2
    share = safe_ratio(successes, trials)
    centre = safe_ratio(successes + F.lit(z2 / 2), n + F.lit(z2))
    half_width = F.lit(Z_95) * F.sqrt(share * (F.lit(1.0) - share) * n + F.lit(z2 / 4)) / (n + F.lit(z2))
    # Where none or all succeeded, an end touches 0 or 1; rounding must not carry it past.
    low, high = F.greatest(F.lit(0.0), centre - half_width), F.least(F.lit(1.0), centre + half_width)
    return F.when(n > 0, low), F.when(n > 0, high)
