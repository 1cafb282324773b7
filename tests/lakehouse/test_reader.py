"""Readers see the published version, whatever else lies in the lake."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pandas as pd
import pytest

from lakehouse import delta
from lakehouse.errors import BrokenLakeError, UsageError
from lakehouse.lake import Lake
from lakehouse.manifest import Entry, Manifest, Quality
from lakehouse.publish import publish
from lakehouse.reader import for_plots, published
from tests.lakehouse.tables import ACCOUNTS, CONFIG, accounts


@pytest.fixture
def root(tmp_path):
    """A lake whose published run has one account, and whose newest version has two."""
    lake = Lake(tmp_path)
    delta.append(accounts(("a", "small", "1.00", "2.00", 0.5)), lake, ACCOUNTS, CONFIG, {"run_id": "run1"})
    manifest = Manifest(
        run_id="run1",
        published_at=datetime(2026, 7, 1, tzinfo=UTC),
        as_of=date(2026, 6, 30),
        code="c",
        configuration="f",
        batch={},
        tables={ACCOUNTS.name: Entry(version=0, rows=1, fingerprint="x")},
        quality=Quality(checks=1, failed=0),
    )
    publish(lake, manifest)
    delta.append(accounts(("b", "small", "3.00", "4.00", 0.5)), lake, ACCOUNTS, CONFIG, {"run_id": "run2"})
    return tmp_path


def test_the_published_version_is_read_and_not_the_newest(root):
    run = published(root)
    assert run.as_of == date(2026, 6, 30)
    assert run.tables == [ACCOUNTS.name]
    assert len(run.table(ACCOUNTS.name)) == 1


def test_the_root_comes_from_the_environment(root, monkeypatch):
    monkeypatch.setenv("LAKEHOUSE_ROOT", str(root))
    assert published().lake.root == root


def test_a_lake_without_a_run_says_what_to_do(tmp_path):
    with pytest.raises(BrokenLakeError, match="Run `lakehouse run` first"):
        published(tmp_path)


def test_a_table_that_is_not_published_is_refused_with_those_that_are(root):
    with pytest.raises(UsageError, match=ACCOUNTS.name):
        published(root).table("gold.nothing")


def test_money_stays_decimal_until_it_is_plotted():
    exact = pd.DataFrame({"a": ["x", "y"], "m": [Decimal("0.10"), None], "n": [1, 2]})
    floats = for_plots(exact)
    assert exact["m"][0] == Decimal("0.10")
    assert floats["m"].dtype == float
    assert floats["m"][0] == 0.1
    assert floats["m"].isna().tolist() == [False, True]
    assert floats["a"].tolist() == ["x", "y"]
    assert floats["n"].dtype == exact["n"].dtype
