"""The truth behind the CRM's records, kept apart: no job reads it; estimates can be scored against it."""

from __future__ import annotations

import pyarrow as pa

from lakehouse.generator import arrays
from lakehouse.generator.crm.deals import Deals
from lakehouse.generator.crm.force import Force
from lakehouse.generator.crm.ids import opportunity_ids, rep_ids
from lakehouse.generator.crm.leads import shock_factor
from lakehouse.generator.crm.tables import Rows
from lakehouse.generator.months import Months
from lakehouse.generator.world import World


def truth(world: World, months: Months, deals: Deals, force: Force) -> dict[str, Rows]:
    """Return what no record says.

    ``crm_deals``: one row per opportunity, with its latent ``quality``, the probability that one of that quality is
    won, and how and when it ends. ``crm_reps``: one row per rep, with the logarithms of the odds by which it wins more
    than others and by which the probabilities it gives are too high. ``crm_quarters``: one row per quarter, with the
    planted factor on the deals that are lost in it.
    """
    quarter = months.first_day[(months.month_of_year - 1) % 3 == 0]
    return {
        "crm_deals": Rows(
            {
                "opportunity_id": opportunity_ids(deals),
                "quality": pa.array(deals.quality),
                "win_probability": pa.array(deals.win_probability),
                "is_won": pa.array(deals.is_won),
                "closed_at": arrays.instants(deals.closed_at),
            },
            world.clock.moments(deals.opened),
        ),
        "crm_reps": Rows(
            {"rep_id": rep_ids(force), "quality": pa.array(force.quality), "bias": pa.array(force.bias)},
            force.hired * arrays.MICROSECONDS_PER_DAY,
        ),
        "crm_quarters": Rows(
            {"quarter": arrays.days(quarter), "lost_factor": pa.array(shock_factor(world, months, quarter + 0.0))},
            quarter * arrays.MICROSECONDS_PER_DAY,
        ),
    }
