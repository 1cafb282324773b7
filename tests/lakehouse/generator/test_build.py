"""One lake holds one company, whatever is asked for and whatever was lost."""

from __future__ import annotations

import shutil
from datetime import date

import pytest

from lakehouse import delta
from lakehouse.config import load
from lakehouse.console import Silence
from lakehouse.coverage import received
from lakehouse.errors import UsageError
from lakehouse.generator.build import LAST, Request, receive
from lakehouse.lake import Lake
from lakehouse.project import PROJECT
from lakehouse.registry import jobs
from lakehouse.run import Run
from lakehouse.table import PROVENANCE

SMALL = Request(customers=3, months=2)


@pytest.fixture
def run(tmp_path):
    return Run(Lake(tmp_path), load(PROJECT / "conf"), dict(jobs()), Silence())


def records(lake, name):
    return delta.arrow(lake, name).sort_by("_row").drop_columns([column.name for column in PROVENANCE])


def test_a_seed_of_zero_is_a_seed_like_any_other(run):
    receive(run, Request(customers=3, months=2, seed=0))
    assert received(run.lake)["seed"] == 0


@pytest.mark.parametrize("through", [date(2020, 1, 1), date(2023, 7, 30)])
def test_records_that_would_end_within_the_first_month_are_refused(run, through):
    with pytest.raises(UsageError, match=f"cannot end on {through}.* first month ends on 2023-07-31"):
        receive(run, Request(through=through))
    assert not (run.lake.root / "bronze").exists()


@pytest.mark.parametrize("lost", [LAST, "bronze.add_ons"])
def test_a_table_that_was_lost_is_made_again_of_the_same_company(run, lost):
    receive(run, SMALL)
    before = records(run.lake, lost)
    shutil.rmtree(run.lake.table_path(lost))
    with pytest.raises(UsageError, match="holds another company: found a lake made with customers 3"):
        receive(run, Request(customers=5))
    receive(run, Request())
    assert records(run.lake, lost).equals(before)
    assert received(run.lake)["customers"] == 3
