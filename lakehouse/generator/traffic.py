"""Visitors of the company's web site."""

from __future__ import annotations

from datetime import date

import numpy as np
import pyarrow as pa

from lakehouse.generator import arrays
from lakehouse.generator.draws import negative_binomial, poisson
from lakehouse.generator.product_parameters import Product
from lakehouse.generator.streams import stream, uniform
from lakehouse.vocabulary import CHANNELS


def month_traffic(
    parameters: Product, seed: int, month: date, expected_arrivals: float, *, schema: pa.Schema
) -> pa.Table:
    """Return the visitors of each day and channel of the month that begins on ``month``, as rows of ``schema``.

    ``expected_arrivals`` is the number of customers that the month's arrival curve stands at.
    """
    traffic = parameters.traffic
    days = np.arange(arrays.month_days(month))
    weights = np.array(traffic.weekdays)[(month.weekday() + days) % 7]
    visitors = traffic.visitors_floor + traffic.visitors_per_arrival * expected_arrivals
    shares = np.array([traffic.channel_shares[channel] for channel in CHANNELS])
    mean = visitors * np.outer(weights / weights.sum(), shares / shares.sum())

    day_number = arrays.day_number(month) + days
    cell = day_number[:, None], np.arange(len(CHANNELS))
    unique_visitors = negative_binomial(uniform(stream(seed, "visitors"), *cell), mean, traffic.dispersion)
    returns = poisson(
        uniform(stream(seed, "visits"), *cell), np.asarray(unique_visitors * (traffic.sessions_per_visitor - 1))
    )
    return arrays.table(
        schema,
        {
            "traffic_date": arrays.days(np.repeat(day_number, len(CHANNELS))),
            "channel": arrays.labels(CHANNELS, np.tile(np.arange(len(CHANNELS)), len(days))),
            "unique_visitors": unique_visitors.reshape(-1),
            "sessions": (unique_visitors + returns).reshape(-1),
        },
    )
