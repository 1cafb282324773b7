"""What the models of the configuration are made of."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

Share = Annotated[float, Field(ge=0, le=1)]
PositiveInt = Annotated[int, Field(ge=1)]
Points = Annotated[int, Field(ge=0, le=100)]
Text = Annotated[str, Field(min_length=1)]
Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
LEAP_YEAR = 2024  # has every day


def _in_some_year(month_day: str) -> str:
    try:
        date.fromisoformat(f"{LEAP_YEAR}-{month_day}")
    except ValueError:
        raise ValueError("no year has this day") from None
    return month_day


MonthDay = Annotated[str, Field(pattern=r"^\d\d-\d\d$"), AfterValidator(_in_some_year)]


class Model(BaseModel):
    """Base of every configuration model: immutable; an unknown key is an error, and so is a number that is none."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)
