"""A disk that is full, and one that is read-only: real ones, so that these tests need the right to mount."""

from __future__ import annotations

import shutil
import subprocess

import pytest
from typer.testing import CliRunner

from lakehouse import delta
from lakehouse.cli import app
from lakehouse.errors import LakehouseError, UsageError
from lakehouse.failures import as_paragraph
from lakehouse.lake import Lake
from lakehouse.ops import RUNS

CHUNK = bytes(2**16)


def command(lake, *arguments):
    result = CliRunner().invoke(app, [*arguments, "--root", str(lake.root)], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


@pytest.fixture
def disk(tmp_path):
    """A disk of 48 MiB in memory."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = shutil.which("mount")
    if (
        mount is None
        or subprocess.run([mount, "-t", "tmpfs", "-o", "size=48m", "tmpfs", folder], check=False).returncode
    ):
        pytest.skip("this user may not mount a disk")
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


@pytest.fixture
def lake(small_lake, disk):
    shutil.copytree(small_lake.root, disk / "lake")
    return Lake(disk / "lake")


def fill(disk):
    """Leave no room on the disk, and return the file that takes it."""
    with (disk / "filler").open("wb", buffering=0) as file:
        while shutil.disk_usage(disk).free:
            file.write(CHUNK)
    return disk / "filler"


def test_a_full_disk_is_what_the_person_hears_of_and_nothing_published_changes(lake, disk):
    before, runs = lake.published(), delta.arrow(lake, RUNS.name)
    filler = fill(disk)

    part = ["run", "--select", "gold.top_features", "--full"]
    with pytest.raises(LakehouseError, match=r"The job of gold\.top_features failed: found a full disk") as failed:
        command(lake, *part)
    assert "Nor could the run be recorded" in failed.value.__notes__[0]
    assert lake.published() == before
    assert delta.arrow(lake, RUNS.name).equals(runs)
    with pytest.raises(Exception, match="No space left") as unreceived:
        command(lake, "generate", "--through", "2025-01-31")
    assert "found a full disk" in str(as_paragraph(unreceived.value, "The command failed"))

    filler.unlink()
    assert "Published" in command(lake, *part)


def test_a_lake_on_a_read_only_disk_can_be_read_and_says_why_it_cannot_be_written(lake, disk):
    subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
    for writing in ("run", "export", "rollback"):
        with pytest.raises(UsageError, match="found Read-only file system"):
            command(lake, writing)
    assert "ltv_cac_ratio" in command(lake, "show", "gold.unit_economics_by_segment", "--limit", "1")
    assert lake.published().run_id in command(lake, "runs", "--json")
