"""A run over the whole graph that is killed leaves what is published as it was, and the lake free: tests/crash has the rest."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lakehouse import delta
from lakehouse.lake import Lake

DEADLINE_SECONDS = 120


@pytest.mark.soak
@pytest.mark.parametrize("first", ["silver.subscriptions", "gold.customer_usage", "gold.unit_economics"])
def test_a_run_killed_between_two_tables_leaves_the_published_run_as_it_was(small_lake, tmp_path, first):
    shutil.copytree(small_lake.root, tmp_path / "lake")
    lake = Lake(tmp_path / "lake")
    before = lake.published()
    rows = delta.arrow(lake, "gold.unit_economics", before.versions["gold.unit_economics"])

    command = [str(Path(sys.executable).parent / "lakehouse"), "run", "--root", str(lake.root)]
    part = ["--full", "--select", f"{first}+"]  # a table and those that are computed from it
    process = subprocess.Popen(
        [*command, *part], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    rewritten = _wait_for_a_rewritten_table(lake, before.versions)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()

    assert rewritten, "the run was killed before it had written anything"
    assert lake.published() == before
    assert delta.arrow(lake, "gold.unit_economics", before.versions["gold.unit_economics"]).equals(rows)

    # The lock went with its holders; what the killed run wrote is taken over, and the rest is built.
    again = subprocess.run(command, capture_output=True, text=True, check=False)
    assert again.returncode == 0, again.stdout + again.stderr
    after = lake.published()
    assert delta.arrow(lake, "gold.unit_economics", after.versions["gold.unit_economics"]).equals(rows)


def _wait_for_a_rewritten_table(lake, published):
    deadline = time.monotonic() + DEADLINE_SECONDS
    while time.monotonic() < deadline:
        rewritten = [name for name in published if lake.existing(name).version != published[name]]
        if rewritten:
            return rewritten
        time.sleep(0.05)
    return []
