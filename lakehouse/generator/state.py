"""What the simulation knows of the paying and trying customers in one month: the bridge from behaviour to records."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from lakehouse.generator.streams import Floats, Ints


@dataclass(frozen=True)
class MonthState:
    """Customers with product access in one month; every array has one element per customer, in order of ``customer``.

    ``customer`` is the ordinal of the customer in order of arrival, for ever the same. ``first_day`` and ``last_day``
    are inclusive days of the month (1-based) between which the customer has access. ``engagement`` multiplies usage
    (1 is normal), ``satisfaction`` is the latent state that also drives churn (mean 0, standard deviation about 1),
    ``incident`` multiplies tickets (1 is normal), ``utc_offset_hours`` shifts working hours.
    """

    month: date
    customer: Ints
    first_day: Ints
    last_day: Ints
    tenure_months: Ints
    seats: Ints
    plan_rank: Ints
    segment: Ints
    engagement: Floats
    satisfaction: Floats
    incident: Floats
    utc_offset_hours: Floats
    is_trial: NDArray[np.bool_]


def customer_ids(customer: Ints) -> list[str]:
    """Return the customer_id of each ordinal."""
    return [f"C{ordinal:07d}" for ordinal in customer.tolist()]
