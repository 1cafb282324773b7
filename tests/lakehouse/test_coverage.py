"""A month counts only when it is complete."""

from __future__ import annotations

from datetime import date

import pytest

from lakehouse.coverage import as_of, last_complete_month_end
from lakehouse.errors import UsageError
from lakehouse.lake import Lake


@pytest.mark.parametrize(
    ("covered_to", "month_end"),
    [
        (date(2026, 6, 30), date(2026, 6, 30)),
        (date(2026, 6, 29), date(2026, 5, 31)),
        (date(2026, 7, 1), date(2026, 6, 30)),
        (date(2024, 2, 29), date(2024, 2, 29)),
        (date(2024, 2, 28), date(2024, 1, 31)),
        (date(2026, 1, 15), date(2025, 12, 31)),
    ],
)
def test_the_last_complete_month_ends_on_or_before_the_last_covered_day(covered_to, month_end):
    assert last_complete_month_end(covered_to) == month_end


def test_a_lake_without_records_says_what_to_do(tmp_path):
    with pytest.raises(UsageError, match="lakehouse ingest"):
        as_of(Lake(tmp_path))
