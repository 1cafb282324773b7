"""The truth behind the records, kept apart: no job reads it; estimates can be scored against it."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from lakehouse.generator import arrays
from lakehouse.generator.step import Happened
from lakehouse.generator.world import World

_EPISODE = pa.schema(
    [
        ("name", pa.string()),
        ("month", pa.date32()),
        ("months", pa.int64()),
        ("share", pa.float64()),
        ("shock", pa.float64()),
    ]
)


def month_of_truth(world: World, month: int, happened: Happened) -> dict[str, pa.Table]:
    """Return the month's truth.

    ``customer_months``: one row per customer who could decide to leave in the month, with its state and
    ``churn_probability_90_days`` (null when no boundary within three months lets it leave).
    ``churns``: one row per customer who decided to leave in the month, or whose payment failed for good in it.
    ``champions_left``: one row per customer who lost its champion in the month.
    ``episodes``: one row per planted episode that begins in the month.
    """
    who = happened.deciding
    state = world.accounts
    leaves = np.isin(who, happened.left)
    first = world.months.dates[month]
    return {
        "customer_months": pa.table(
            {
                "month": pa.repeat(first, len(who)),
                "customer_id": arrays.customer_ids(who),
                "fit": world.people.fit[who],
                "satisfaction": state.satisfaction[who],
                "engagement": state.engagement[who],
                "churn_probability_90_days": pa.array(
                    happened.probability_90_days, mask=np.isnan(happened.probability_90_days)
                ),
                "gives_notice": leaves,
            }
        ),
        "churns": pa.table(
            {
                "month": pa.repeat(first, len(happened.left) + len(happened.lost)),
                "customer_id": arrays.customer_ids(np.concatenate([happened.left, happened.lost])),
                "is_voluntary": np.arange(len(happened.left) + len(happened.lost)) < len(happened.left),
            }
        ),
        "champions_left": pa.table(
            {
                "month": pa.repeat(first, len(happened.champions)),
                "customer_id": arrays.customer_ids(happened.champions),
            }
        ),
        "episodes": _episodes(world, month),
    }


def _episodes(world: World, month: int) -> pa.Table:
    """Return the planted episodes that begin in the month, and the price rise."""
    rise = world.company.price_rise
    planted = [(each.name, each.month, each.months, each.share, each.shock) for each in world.company.episodes]
    planted.append(("price_rise", rise.month, 1, 1.0, rise.shock))
    begun = [episode for episode in planted if episode[1] == world.months.dates[month]]
    columns = zip(*begun, strict=True) if begun else ([],) * len(_EPISODE)
    return pa.table([pa.array(column, field.type) for column, field in zip(columns, _EPISODE, strict=True)], _EPISODE)
