"""What counts as recurring revenue, and when: the switches in which tools differ, and how to get from one set to another."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from lakehouse.setting_types import Model

# The profile under which every table is computed.
BOARD = "board"


class Policy(Model):
    """One profile of ``policies`` in ``conf/metrics.yml``.

    Two profiles are compared switch by switch in the order of these fields: first what counts, then at which amount,
    then from when to when, then how months are shown.
    """

    counts_trials: bool
    counts_free_plans: bool
    counts_paused: bool
    counts_past_due: bool
    counts_finite_discounts: bool
    weeks_per_year: Literal[48, 52]
    churn_dated: Literal["period_end", "cancellation"]
    late_renewal_days: Annotated[int, Field(ge=0, le=366)]
    converted_at: Literal["month_end", "movement"]
    shows_new_and_churn_in_month: bool
    reactivation_in_nrr: bool

    @property
    def statuses(self) -> tuple[str, ...]:
        """The statuses of terms that count; canceled terms counted until they ended."""
        optional = {"past_due": self.counts_past_due, "paused": self.counts_paused, "trialing": self.counts_trials}
        return "active", "canceled", *(status for status, counts in optional.items() if counts)


def completed(profiles: object) -> object:
    """Return the received profiles with each switch that one does not name as it is in ``board``.

    Raises:
        ValueError: if there is no ``board``, or not one under which the tables can be computed.
    """
    if not isinstance(profiles, dict):
        return profiles
    if BOARD not in profiles:
        raise ValueError(f"{BOARD} must be there, with every switch: the tables are computed under it")
    board = profiles[BOARD] if isinstance(profiles[BOARD], dict) else {}
    if board.get("counts_free_plans") is True:
        raise ValueError(f"{BOARD} must not count free plans: in the tables a customer is who has MRR")
    return {name: {**board, **own} if isinstance(own, dict) else own for name, own in profiles.items()}


def steps(first: Policy, second: Policy) -> dict[str, Policy]:
    """Return the policies on the way from ``first`` to ``second``, each by the switch that leads to it."""
    reached, way = first, {}
    for switch in Policy.model_fields:
        target = getattr(second, switch)
        if getattr(first, switch) != target:
            reached = reached.model_copy(update={switch: target})
            way[switch] = reached
    return way
