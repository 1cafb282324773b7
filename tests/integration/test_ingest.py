"""A person's own files through the jobs: what became of every row, and what four columns already tell."""

from __future__ import annotations

from datetime import date

import pytest

from lakehouse import delta
from lakehouse.config import load
from lakehouse.console import Silence
from lakehouse.errors import UsageError
from lakehouse.ingest.batches import account
from lakehouse.ingest.delivery import deliver
from lakehouse.lake import Lake
from lakehouse.ops import BATCHES
from lakehouse.project import PROJECT
from lakehouse.registry import jobs
from lakehouse.runner import execute

LINES = """customer_id,start_date,end_date,amount
a,2025-01-15,,100
a,2025-01-15,,100
a,2025-06-01,,50
b,2025-02-01,2025-09-01,240.50
c,2025-13-01,,10
d,2025-03-01,2025-02-01,10
e,2025-04-30,,
f,2026-01-31,,9.99
"""


@pytest.fixture(scope="module")
def lake(spark, tmp_path_factory):  # noqa: ARG001 - its session
    """A lake of one file with a repeated row, three that cannot be used and two customers who stay."""
    folder = tmp_path_factory.mktemp("exports")
    (folder / "subscriptions.csv").write_text(LINES, encoding="utf-8")
    lake = Lake(tmp_path_factory.mktemp("ingested"))
    done = execute(
        lake,
        load(PROJECT / "conf"),
        dict(jobs()),
        Silence(),
        receive=lambda run: deliver(run, folder, as_of=None, replace=False),
        selectors=["+gold.mrr_movements", "+gold.retention_cohorts", "+silver.quarantine"],
    )
    account(done)
    return lake


def test_every_row_of_the_file_is_kept_superseded_or_quarantined(lake):
    (batch,) = delta.arrow(lake, BATCHES.name).to_pylist()
    counts = {name: batch[name] for name in ("received", "kept", "superseded", "quarantined")}
    assert counts == {"received": 8, "kept": 4, "superseded": 1, "quarantined": 3}
    rejected = delta.arrow(lake, "silver.quarantine").sort_by("_row").to_pylist()
    assert [(row["_row"], row["rule"]) for row in rejected] == [
        (6, "cell_unreadable"),
        (7, "end_before_start"),
        (8, "amount_missing_or_negative"),
    ]


def test_four_columns_give_the_ledger_by_hand(lake):
    months = [row for row in delta.arrow(lake, "gold.mrr_movements").to_pylist() if row["dimension"] == "all"]
    closing = {row["month"]: row["closing_mrr"] for row in months}
    assert closing[date(2025, 1, 1)] == 100
    # 100 of a and 240.50 of b, who leaves in September; a takes 50 more in June.
    assert [float(closing[date(2025, month, 1)]) for month in (2, 6, 8, 9, 12)] == [340.5, 390.5, 390.5, 150, 150]
    assert float(closing[date(2026, 1, 1)]) == 159.99
    last = max(months, key=lambda row: row["month"])
    assert (last["month"], last["customers_closing"], last["is_complete"]) == (date(2026, 1, 1), 2, True)


def test_four_columns_give_the_cohorts(lake):
    rows = delta.arrow(lake, "gold.retention_cohorts").to_pylist()
    assert {row["cohort_month"] for row in rows} == {date(2025, 1, 1), date(2025, 2, 1), date(2026, 1, 1)}


def test_a_generated_company_is_never_mixed_with_files(small_lake, tmp_path):
    (tmp_path / "subscriptions.csv").write_text(LINES, encoding="utf-8")
    with pytest.raises(UsageError, match="holds a generated company"):
        execute(
            small_lake,
            load(PROJECT / "conf"),
            dict(jobs()),
            Silence(),
            receive=lambda run: deliver(run, tmp_path, as_of=None, replace=False),
        )
