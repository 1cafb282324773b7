"""How far the records reach: a month counts only when it is complete."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from lakehouse.errors import UsageError
from lakehouse.lake import Lake

# Written last, so that it tells of whole batches.
RECEIVED_BY = "bronze.subscriptions"
# The source of records that come in files.
FILES = "files"


def received(lake: Lake) -> dict[str, Any]:
    """Return what the newest batch of records said of itself: source, batch_id, covered_to and the source's own.

    Where the table that is written last is missing, another one tells, so that no second company is mixed with it.
    """
    others = (name for name in lake.tables() if name.startswith("bronze."))
    heads = (lake.head(name) for name in (RECEIVED_BY, *others))
    batches = (dict(head.metadata["batch"]) for head in heads if head and head.metadata.get("batch"))
    first = next(batches, {})
    if first.get("source") != FILES:
        return first
    # Files come for one table or another; the end of the last delivery tells.
    return max((first, *batches), key=_newest_end)


def _newest_end(batch: dict[str, Any]) -> tuple[str, bool, str]:
    return batch.get("run_id", ""), batch.get("ends_delivery", True), batch["covered_to"] or ""


def as_of(lake: Lake) -> date:
    """Return the last day of the last month that the subscription records cover to its end.

    Raises:
        UsageError: if the lake holds no records.
    """
    batch = received(lake)
    if not batch.get("covered_to"):
        raise UsageError(
            f"The lake {lake.root} has nothing to compute from",
            found="a delivery that was cut short" if batch else "no records",
            expected="a generated company, or the records of your own",
            do="Run `lakehouse run` for a generated one, or `lakehouse ingest` with the folder of your own.",
        )
    return last_complete_month_end(date.fromisoformat(batch["covered_to"]))


def last_complete_month_end(day: date) -> date:
    """Return the last month end that is not after ``day``."""
    next_day = day + timedelta(days=1)
    return next_day.replace(day=1) - timedelta(days=1)
