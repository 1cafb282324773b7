"""How customers use the product up to a moment: one row per customer and moment.

Use is unknown before the first event of anybody, logins before the first login; from then on a customer without any
used nothing.
"""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.window import Window

from lakehouse.metrics.moments import MOMENT, in_window

# The window in which users and days count as active.
USE_DAYS = 30

# What is zero for who has no event while others have some.
USE_COUNTS = ("events_30d", "events_prior_30d", "active_days_30d", "active_users_30d", "categories_30d")


def with_usage_signals(moments: DataFrame, usage_daily: DataFrame, user_days: DataFrame) -> DataFrame:
    """Add the signals of :func:`usage_signals` and :func:`last_use`, days_since_last_event and days_since_last_login.

    ``moments`` has first_paid_date, from which the days count for who never used the product; ``usage_daily`` and
    ``user_days`` are the silver tables.
    """
    keys = moments.select(MOMENT)
    first_days = usage_daily.agg(
        F.min("usage_date").alias("_first_used_date"), F.min(_login_date()).alias("_first_login_date")
    )
    signals = (
        moments.crossJoin(first_days)
        .join(usage_signals(keys, usage_daily, user_days), how="left", on=MOMENT)
        .join(last_use(keys, usage_daily), how="left", on=MOMENT)
    )
    return _with_use_known(signals).drop("_first_used_date", "_first_login_date")


def usage_signals(moments: DataFrame, usage_daily: DataFrame, user_days: DataFrame) -> DataFrame:
    """Events of 30 days and of the 30 before; active_days_30d, categories_30d and active_users_30d.

    Active means an event other than a login.
    """
    is_recent, events = F.col("age_days") < USE_DAYS, F.col("events")
    use = (
        in_window(usage_daily, moments, day="usage_date", days=2 * USE_DAYS)
        .groupBy(MOMENT)
        .agg(
            F.sum(F.when(is_recent, events).otherwise(0)).alias("events_30d"),
            F.sum(F.when(~is_recent, events).otherwise(0)).alias("events_prior_30d"),
            F.count_if(is_recent & (F.col("active_events") > 0)).alias("active_days_30d"),
            F.bit_count(F.bit_or(F.when(is_recent, F.col("category_mask")))).alias("categories_30d"),
        )
    )
    users = (
        in_window(user_days.filter("is_active"), moments, day="activity_date", days=USE_DAYS)
        .groupBy(MOMENT)
        .agg(F.count_distinct("user_id").alias("active_users_30d"))
    )
    return use.join(users, how="left", on=MOMENT)


def last_use(moments: DataFrame, usage_daily: DataFrame) -> DataFrame:
    """last_used_date and last_login_date: the last days with an event, and with a login, up to each moment."""
    used = usage_daily.select(
        "customer_id",
        F.col("usage_date").alias("_day"),
        F.col("usage_date").alias("last_used_date"),
        _login_date().alias("last_login_date"),
    )
    asked = moments.select(*MOMENT, F.col("as_of_date").alias("_day"))
    # Rows of the same day are in the window, too.
    so_far = Window.partitionBy("customer_id").orderBy("_day").rangeBetween(Window.unboundedPreceding, 0)
    return (
        used.unionByName(asked, allowMissingColumns=True)
        .withColumns({name: F.max(name).over(so_far) for name in ("last_used_date", "last_login_date")})
        .filter(F.col("as_of_date").isNotNull())
        .drop("_day")
    )


def _login_date() -> Column:
    return F.when(F.col("logged_in_users") > 0, F.col("usage_date"))


def _with_use_known(signals: DataFrame) -> DataFrame:
    is_known = F.col("_first_used_date") <= F.col("as_of_date")
    are_logins_known = F.col("_first_login_date") <= F.col("as_of_date")
    counts = {name: F.when(is_known, F.coalesce(name, F.lit(0))) for name in USE_COUNTS}
    return signals.withColumns(
        {
            **counts,
            "days_since_last_event": F.when(is_known, _days_since("last_used_date")),
            "days_since_last_login": F.when(are_logins_known, _days_since("last_login_date")),
        }
    )


def _days_since(last_date: str) -> Column:
    return F.date_diff("as_of_date", F.coalesce(last_date, "first_paid_date"))
