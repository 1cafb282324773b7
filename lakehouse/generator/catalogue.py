"""What is on sale, in the reporting currency: plans by version, and add-ons."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from lakehouse.generator import arrays
from lakehouse.generator.company import Company
from lakehouse.generator.market_parameters import AddOn
from lakehouse.generator.months import Months
from lakehouse.generator.outbox import NONE
from lakehouse.generator.records import money, plan_id
from lakehouse.vocabulary import PLAN_NAMES

_PRODUCT_LINE = "Analytics Platform"
_ADD_ON_LINE = "Extensions"


def plans(company: Company, months: Months, first: int, last: int) -> dict[str, pa.Array]:
    """Return the versions of ``bronze.plans`` that begin on the days from ``first`` to ``last``.

    The rise of all prices is announced from the start: the first version carries its end.
    """
    start, rise = int(months.first_day[0]), arrays.day_number(company.price_rise.month)
    versions = [(start, rise, 1.0), (rise, NONE, 1 + company.price_rise.rate)]
    rows = [
        (rank, plan, begins, ends, level)
        for begins, ends, level in versions
        if first <= begins <= last
        for rank, plan in enumerate(company.plans.values())
    ]
    rank = np.array([row[0] for row in rows], dtype=np.int64)
    sold = [row[1] for row in rows]
    level = np.array([row[4] for row in rows])
    ends = np.array([row[3] for row in rows], dtype=np.int64)
    return {
        "plan_id": arrays.labels([plan_id(name) for name in PLAN_NAMES], rank),
        "plan_name": arrays.labels(PLAN_NAMES, rank),
        "tier_rank": pa.array(rank + 1, pa.int32()),
        "product_line": pa.repeat(_PRODUCT_LINE, len(rows)),
        "base_price": _price(np.array([plan.base_price for plan in sold]) * level),
        "price_per_seat": _price(np.array([plan.price_per_seat for plan in sold]) * level),
        "included_seats": pa.array([plan.included_seats for plan in sold], pa.int32()),
        "annual_discount_rate": pa.array([plan.annual_discount for plan in sold], pa.float64()),
        "valid_from": arrays.days(np.array([row[2] for row in rows], dtype=np.int64)),
        "valid_to": pa.array([None if end == NONE else end for end in ends.tolist()], pa.int32()).cast(pa.date32()),
    }


def add_ons(company: Company, months: Months, first: int, last: int) -> dict[str, pa.Array]:
    """Return the rows of ``bronze.add_ons`` that begin on the days from ``first`` to ``last``: all on the first day."""
    start = int(months.first_day[0])
    sold: list[AddOn] = company.add_ons if first <= start <= last else []
    return {
        "add_on_id": pa.array([add_on.id for add_on in sold], pa.string()),
        "add_on_name": pa.array([add_on.name for add_on in sold], pa.string()),
        "product_line": pa.repeat(_ADD_ON_LINE, len(sold)),
        "price": _price(np.array([add_on.price for add_on in sold])),
        "billing": pa.array([add_on.billing for add_on in sold], pa.string()),
        "launched_on": arrays.days(np.full(len(sold), start)),
    }


def _price(dollars: np.ndarray) -> pa.Array:
    return money(np.rint(dollars * 100).astype(np.int64))
