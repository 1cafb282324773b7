"""Parameters of the funnel."""

from __future__ import annotations

from itertools import pairwise

from pydantic import model_validator

from lakehouse.setting_types import Model, PositiveInt


class MaturityDays(Model):
    """Days after a cohort's last one from which on it has had the time to come as far as each step."""

    first_touch: PositiveInt
    mql: PositiveInt
    sql: PositiveInt
    opportunity: PositiveInt
    won: PositiveInt

    @model_validator(mode="after")
    def _later_steps_take_longer(self) -> MaturityDays:
        if any(later < earlier for earlier, later in pairwise((self.mql, self.sql, self.opportunity, self.won))):
            raise ValueError("mql, sql, opportunity and won must not descend")
        return self


class Funnel(Model):
    """When a cohort of leads is old enough for a rate or a duration."""

    maturity_days: MaturityDays
