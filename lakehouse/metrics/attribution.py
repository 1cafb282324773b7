"""Sharing a won opportunity among the marketing touches before it."""

from __future__ import annotations

from functools import partial

from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql.window import Window

from lakehouse.metrics.allocation import shared_by_weight
from lakehouse.metrics.leads import NO_CAMPAIGN
from lakehouse.types import AMOUNT, MONEY

MODELS = ("first_touch", "last_touch", "linear")
"""All to the first touch, all to the last one before the win, or the same to each."""

UNATTRIBUTED = "unattributed"

_WIN_PARTS = 10_000
"""A win is shared in whole millionths: ten thousand times the cents of an amount."""


def touched_wins(wins: DataFrame, leads: DataFrame, touches: DataFrame) -> DataFrame:
    """Return one row per won opportunity and touch of its person up to the win: opportunity_id, touch_id and its kind.

    ``wins`` are rows of silver.opportunities, ``leads`` and ``touches`` the silver tables. The person's touches are
    those of all leads with the same first lead. A win without any has one row, whose channel is ``unattributed``.
    """
    person = leads.select("lead_id", F.col("first_lead_id").alias("_person"))
    all_leads = person.withColumnRenamed("lead_id", "_lead_id")
    led_to = wins.join(person, on="lead_id", how="left").join(all_leads, on="_person", how="left")
    seen = touches.select(F.col("lead_id").alias("_lead_id"), "touch_id", "occurred_at", "channel", "campaign_id")
    with_touches = F.broadcast(led_to.select("opportunity_id", "_lead_id", "closed_at")).join(
        seen, on="_lead_id", how="inner"
    )
    in_time = with_touches.filter(F.col("occurred_at") <= F.col("closed_at")).drop("_lead_id", "closed_at")
    return wins.join(in_time, on="opportunity_id", how="left").withColumns(
        {
            "channel": F.coalesce("channel", F.lit(UNATTRIBUTED)),
            "campaign_id": F.coalesce("campaign_id", F.lit(NO_CAMPAIGN)),
        }
    )


def attributed(touched: DataFrame) -> DataFrame:
    """Return one row per won opportunity, model, channel and campaign with a part of it.

    ``touched`` are the rows of :func:`touched_wins` with ``month`` and ``arr_reporting``. ``attributed_wins`` is in
    millionths and ``attributed_arr`` in cents, both by largest remainder, so that the parts of a win sum to it.
    """
    win = Window.partitionBy("opportunity_id")
    in_order = win.orderBy("occurred_at", "touch_id")
    weights = {
        "first_touch": F.row_number().over(in_order) == 1,
        "last_touch": F.row_number().over(in_order) == F.count("*").over(win),
        "linear": F.lit(True),
    }
    models = F.array(
        *(F.struct(F.lit(model).alias("model"), weights[model].cast("int").alias("weight")) for model in MODELS)
    )
    parts = (
        touched.withColumn("models", models)
        .select("opportunity_id", "month", "arr_reporting", "channel", "campaign_id", F.inline("models"))
        .groupBy("opportunity_id", "month", "arr_reporting", "model", "channel", "campaign_id")
        .agg(F.sum("weight").alias("weight"))
        .withColumn("_win", F.lit(_WIN_PARTS).cast(MONEY))
    )
    by_touches = partial(
        shared_by_weight, weight="weight", within=["opportunity_id", "model"], order=["channel", "campaign_id"]
    )
    wins = by_touches(parts, total="_win", share="_win_share")
    shared = by_touches(wins, total="arr_reporting", share="attributed_arr")
    return shared.filter(F.col("weight") > 0).withColumn(
        "attributed_wins", (F.col("_win_share") / _WIN_PARTS).cast(AMOUNT)
    )
