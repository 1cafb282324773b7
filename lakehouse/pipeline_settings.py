"""Parameters of the pipeline and its forecasts."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

from lakehouse.setting_types import Model, PositiveInt


def _ascending(edges: list[int]) -> list[int]:
    if not edges or sorted(set(edges)) != edges:
        raise ValueError("must be ascending")
    return edges


Edges = Annotated[list[PositiveInt], AfterValidator(_ascending)]


class DealRisk(Model):
    """From which on an open opportunity is at risk."""

    stalled_quantile: Annotated[float, Field(gt=0, lt=1)]
    no_activity_days: PositiveInt
    pushes: PositiveInt


class Forecast(Model):
    """When the pipeline is forecast, and how it is simulated.

    ``shock_sigma`` is the standard deviation of the quarters' common shock, in log-odds, that is assumed at first, with
    the weight of ``shock_quarters`` observed quarters.
    """

    weeks: Edges
    history_quarters: PositiveInt
    draws: Annotated[int, Field(ge=100)]
    seed: Annotated[int, Field(ge=0)]
    shock_sigma: Annotated[float, Field(ge=0)]
    shock_quarters: PositiveInt


class Pipeline(Model):
    """Bands of deals and ages (lower ends), the coverage that is aimed at, thresholds of risk, and the forecasts."""

    """Bands of deals and ages (lower ends), the coverage that is aimed at, months of ramp, and the thresholds of risk."""

    deal_sizes: Edges
    age_bands_days: Edges
    coverage_target: Annotated[float, Field(gt=0)]
    ramp_months: PositiveInt
    deal_risk: DealRisk
    forecast: Forecast
