"""Parameters of the dirt that ``--dirt`` plants among the records."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from lakehouse.setting_types import Model, Share


class _Shares(Model):
    exact_duplicate: Share
    changed_duplicate: Share
    missing_field: Share
    broken_value: Share
    orphan: Share
    clock_skew: Share

    @model_validator(mode="after")
    def _leave_sound_rows(self) -> _Shares:
        if sum(self.by_kind.values()) > 1:
            raise ValueError("the shares must not sum to more than 1: a row gets one kind at most")
        return self

    @property
    def by_kind(self) -> dict[str, float]:
        """The share of each kind."""
        return self.model_dump()


class RecordShares(_Shares):
    """Shares of the rows of a table of which a soiled copy is added, by kind."""

    unknown_currency: Share
    negative_amount: Share
    end_before_start: Share
    unknown_interval: Share


class EventShares(_Shares):
    """The same for product events; the ``late_event`` ones are not copied but arrive late."""

    late_event: Share


class Dirt(Model):
    """``dirt``: what goes wrong with records on their way; ``late_days`` is the longest delay of an event."""

    records: RecordShares
    events: EventShares
    # A month's late events arrive by the end of the next one.
    late_days: Annotated[int, Field(ge=1, le=28)]
