"""One job of each layer through spark-submit, as a process of its own, with the same lock, checks and publishing."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pyspark
import pytest

from lakehouse import delta
from lakehouse.lake import Lake
from lakehouse.lock import writer_lock
from lakehouse.project import PROJECT
from lakehouse.registry import jobs

SPARK = Path(pyspark.__file__).parent


def spark_submit(job, root):
    """Submit a job as a shell in the project's environment does, on a machine in another time zone."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    conf = {"SPARK_CONF_DIR": str(PROJECT / "conf"), "SPARK_HOME": str(SPARK)}
    environment = os.environ | conf | {"PATH": path, "TZ": "Pacific/Auckland"}
    command = [str(SPARK / "bin" / "spark-submit"), job, "--root", str(root)]
    return subprocess.run(command, cwd=PROJECT, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture
def lake(small_lake, tmp_path):
    shutil.copytree(small_lake.root, tmp_path / "lake")
    return Lake(tmp_path / "lake")


@pytest.mark.parametrize("table", ["silver.tickets", "gold.unit_economics_by_segment"])
def test_a_submitted_job_computes_its_table_and_only_that_the_same_in_another_time_zone(lake, table):
    before = {name: lake.existing(name).version for name in lake.published().tables}
    done = spark_submit(f"jobs/{table.replace('.', '/')}.py", lake.root)
    assert done.returncode == 0, done.stdout + done.stderr
    after = {name: lake.existing(name).version for name in before}
    assert {name for name in after if after[name] != before[name]} == {table}
    in_order = [(name, "ascending") for name in jobs()[table].table.key]
    was, now = (delta.arrow(lake, table, versions[table]).sort_by(in_order) for versions in (before, after))
    assert now.num_rows > 0
    assert now == was
    # Nothing depends on the segments, so they are published; other tables depend on the tickets, so those are not.
    is_published = lake.published().versions[table] == after[table]
    assert is_published == (table == "gold.unit_economics_by_segment")
    assert ("Published" in done.stdout) == is_published


def test_a_submitted_bronze_job_brings_the_records_that_its_table_lacks(lake):
    shutil.rmtree(lake.table_path("bronze.plans"))
    done = spark_submit("jobs/bronze/plans.py", lake.root)
    assert done.returncode == 0, done.stdout + done.stderr
    assert lake.existing("bronze.plans").rows == 4


def test_a_submitted_job_finds_the_lake_busy_and_says_so_without_a_trace(lake):
    with writer_lock(lake.root):
        done = spark_submit("jobs/gold/top_features.py", lake.root)
    assert done.returncode == 75
    said = done.stdout + done.stderr  # spark-submit joins what the job says to its own output
    assert "is busy" in said
    assert "Traceback" not in said
