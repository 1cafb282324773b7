"""One job of each layer through spark-submit, as a process of its own, with the same lock, checks and publishing.

On this machine alone, and on a cluster whose workers have the libraries but not the project.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from functools import partial
from pathlib import Path
from typing import NamedTuple

import pytest

from lakehouse import delta
from lakehouse.config import load
from lakehouse.console import Silence
from lakehouse.ingest.delivery import deliver
from lakehouse.lake import Lake
from lakehouse.lock import writer_lock
from lakehouse.project import JARS, PROJECT
from lakehouse.registry import jobs
from lakehouse.runner import execute
from tests.standalone_cluster import QUICK_START, SPARK, WORKERS, standalone_cluster


def spark_submit(job, root, *options, **variables):
    """Submit a job as a shell in the project's environment does, on a machine in another time zone."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    conf = {"SPARK_CONF_DIR": str(PROJECT / "conf"), "SPARK_HOME": str(SPARK)}
    environment = os.environ | conf | {"PATH": path, "TZ": "Pacific/Auckland"} | variables
    command = [str(SPARK / "bin" / "spark-submit"), *options, job, "--root", str(root)]
    return subprocess.run(command, cwd=PROJECT, env=environment, capture_output=True, text=True, check=False)


def rows_in_order(lake, table, version):
    rows = delta.arrow(lake, table, version).sort_by([(name, "ascending") for name in jobs()[table].table.key])
    assert rows.num_rows > 0
    return rows


@pytest.fixture
def lake(small_lake, tmp_path):
    shutil.copytree(small_lake.root, tmp_path / "lake")
    return Lake(tmp_path / "lake")


@pytest.mark.parametrize(
    "table", ["silver.tickets", pytest.param("gold.unit_economics_by_segment", marks=pytest.mark.soak)]
)
def test_a_submitted_job_computes_its_table_and_only_that_the_same_in_another_time_zone(lake, table):
    before = {name: lake.existing(name).version for name in lake.published().tables}
    done = spark_submit(f"jobs/{table.replace('.', '/')}.py", lake.root)
    assert done.returncode == 0, done.stdout + done.stderr
    after = {name: lake.existing(name).version for name in before}
    assert {name for name in after if after[name] != before[name]} == {table}
    assert rows_in_order(lake, table, after[table]) == rows_in_order(lake, table, before[table])
    # Nothing depends on the segments, so they are published; other tables depend on the tickets, so those are not.
    is_published = lake.published().versions[table] == after[table]
    assert is_published == (table == "gold.unit_economics_by_segment")
    assert ("Published" in done.stdout) == is_published


@pytest.mark.soak
@pytest.mark.usefixtures("spark")
@pytest.mark.parametrize("table", ["bronze.subscriptions", "silver.subscriptions"])
def test_a_submitted_job_computes_its_table_of_ingested_files_too(tmp_path, table):
    lake, folder = Lake(tmp_path / "lake"), tmp_path / "exports"
    folder.mkdir()
    (folder / "subscriptions.csv").write_text("customer_id,start_date,end_date,amount\na,2025-01-15,,100\n")
    received = partial(deliver, folder=folder, as_of=None, replace=False)
    execute(
        lake, load(PROJECT / "conf"), dict(jobs()), Silence(), receive=received, selectors=["+silver.subscriptions"]
    )
    before = delta.arrow(lake, table)
    done = spark_submit(f"jobs/{table.replace('.', '/')}.py", lake.root)
    assert done.returncode == 0, done.stdout + done.stderr
    assert delta.arrow(lake, table) == before


@pytest.mark.soak
def test_a_submitted_bronze_job_brings_the_records_that_its_table_lacks(lake):
    shutil.rmtree(lake.table_path("bronze.plans"))
    done = spark_submit("jobs/bronze/plans.py", lake.root)
    assert done.returncode == 0, done.stdout + done.stderr
    assert delta.arrow(lake, "bronze.plans").num_rows == 4


def test_a_submitted_job_finds_the_lake_busy_and_says_so_without_a_trace(lake):
    with writer_lock(lake.root):
        done = spark_submit("jobs/gold/top_features.py", lake.root)
    assert done.returncode == 75
    said = done.stdout + done.stderr  # spark-submit joins what the job says to its own output
    assert "is busy" in said
    assert "Traceback" not in said


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    """The packages as `make package` builds them."""
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "-w", folder, "."]
    subprocess.run(command, cwd=PROJECT, check=True)
    return next(folder.glob("lakehouse-*.whl")).rename(folder / "lakehouse.zip")


@pytest.fixture(scope="module")
def libraries(tmp_path_factory):
    """A Python that has the project's libraries and not the project, and leaves a mark when it is used."""
    folder = tmp_path_factory.mktemp("python")
    venv.create(folder)
    # A path that a .pth file adds is not searched for further .pth files, such as the one of an editable install.
    pth = Path(sysconfig.get_path("purelib", vars={"base": str(folder)})) / "libraries.pth"
    mark = f"import pathlib; pathlib.Path({str(folder / 'used')!r}).touch()"
    pth.write_text(sysconfig.get_path("purelib") + f"\n{mark}\n")
    return folder


class Cluster(NamedTuple):
    options: list[str]
    folder: Path
    libraries: Path


@pytest.fixture(scope="module")
def cluster(tmp_path_factory, package, libraries):
    """What spark-submit is told to run a job on a cluster, and where the cluster and its Python leave their traces."""
    folder = tmp_path_factory.mktemp("cluster")
    jars = ",".join(map(str, sorted(JARS.glob("*.jar"))))
    python = f"spark.pyspark.python={libraries / 'bin/python'}"
    java = f"spark.executor.extraJavaOptions=-Duser.timezone=UTC {QUICK_START}"
    with standalone_cluster(folder) as master:
        code = ["--jars", jars, "--py-files", str(package)]
        yield Cluster(["--master", master, *code, "--conf", python, "--conf", java], folder, libraries)


@pytest.mark.soak
@pytest.mark.parametrize(
    ("table", "has_python_functions"),
    [
        ("silver.tickets", True),
        ("gold.pipeline_forecast", True),
        ("silver.usage_daily", False),
        ("gold.unit_economics_by_segment", False),
    ],
)
def test_a_cluster_computes_the_same_table_from_the_same_job(lake, cluster, table, has_python_functions):
    (cluster.libraries / "used").unlink(missing_ok=True)
    before, earlier = lake.existing(table).version, set(cluster.folder.glob("*/app-*"))
    job = f"jobs/{table.replace('.', '/')}.py"
    done = spark_submit(job, lake.root, *cluster.options, LAKEHOUSE_HOME=str(PROJECT))
    assert done.returncode == 0, done.stdout + done.stderr
    after = lake.existing(table).version
    assert after > before
    assert rows_in_order(lake, table, after) == rows_in_order(lake, table, before)
    assert {work.parent.name for work in set(cluster.folder.glob("*/app-*")) - earlier} == set(WORKERS)
    assert (cluster.libraries / "used").exists() == has_python_functions
