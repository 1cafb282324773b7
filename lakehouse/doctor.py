"""What is right and wrong with this machine and this lake, in plain words."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version

from lakehouse import delta
from lakehouse.config import load
from lakehouse.errors import LakehouseError
from lakehouse.jars import locked
from lakehouse.java import require_java
from lakehouse.lake import Lake
from lakehouse.project import conf_dir
from lakehouse.setup import DEFAULTS, memory_mib

GIB = 2**30
MEMORY_GIB = 4
DISK_GIB = 5
EXACT_VERSIONS = {"pyspark": "4.2.0", "delta-spark": "4.4.0"}


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at: whether it is as it must be, and what was found."""

    subject: str
    is_good: bool
    found: str


def examine(lake: Lake) -> list[Finding]:
    """Look at Java, Python packages, jars, memory, disk, permissions, configuration and the lake."""
    looks: dict[str, Callable[[], str]] = {
        "Java": require_java,
        "Python": lambda: sys.version.split()[0],
        "Packages": _packages,
        "Delta jars": _jars,
        "Spark settings": _spark_settings,
        "Memory": _memory,
        "Disk": lambda: _disk(lake),
        "Configuration": _configuration,
        "Lake": lambda: _lake(lake),
        "Clock": lambda: time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime()),
    }
    return [_finding(subject, look) for subject, look in looks.items()]


def _finding(subject: str, look: Callable[[], str]) -> Finding:
    try:
        return Finding(subject, is_good=True, found=look())
    except (LakehouseError, OSError) as error:
        return Finding(subject, is_good=False, found=str(error))


def _packages() -> str:
    wrong = [
        f"{name} {version(name)} (needs {exact})" for name, exact in EXACT_VERSIONS.items() if version(name) != exact
    ]
    if wrong:
        raise OSError(f"{', '.join(wrong)}: install requirements.lock again")
    return ", ".join(f"{name} {version(name)}" for name in (*EXACT_VERSIONS, "deltalake", "pyarrow", "pandas"))


def _jars() -> str:
    missing = [jar.coordinate for jar in locked() if not jar.is_intact]
    if missing:
        raise OSError(f"{', '.join(missing)} missing or altered: run `lakehouse setup`")
    return f"{len(locked())} jars with the locked hashes"


def _spark_settings() -> str:
    if not DEFAULTS.is_file():
        raise OSError(f"no {DEFAULTS}: run `lakehouse setup`")
    return str(DEFAULTS)


def _memory() -> str:
    gib = memory_mib() / 1024
    if gib < MEMORY_GIB:
        raise OSError(f"{gib:.1f} GiB; the default company needs {MEMORY_GIB}")
    return f"{gib:.1f} GiB"


def _disk(lake: Lake) -> str:
    folder = next(path for path in (lake.root, *lake.root.resolve().parents) if path.exists())
    gib = shutil.disk_usage(folder).free / GIB
    if gib < DISK_GIB:
        raise OSError(f"{gib:.1f} GiB free at {folder}; the default company needs {DISK_GIB}")
    return f"{gib:.1f} GiB free at {folder}"


def _configuration() -> str:
    load(conf_dir())
    return f"{conf_dir()} is valid"


def _lake(lake: Lake) -> str:
    if lake.root.exists() and not (lake.root.is_dir() and os.access(lake.root, os.W_OK)):
        raise OSError(f"{lake.root} is no folder that can be written: name another with --root")
    if lake.current() is None:
        return f"{lake.root} has no published run yet"
    manifest = lake.published()
    lost = [name for name, version in manifest.versions.items() if delta.lacks_files(lake, name, version)]
    if lost:
        raise OSError(f"{lake.root} lacks files of {', '.join(lost)}: put them back, or remove their folders and run")
    return f"{lake.root} shows run {manifest.run_id} with {len(manifest.tables)} tables, all there"
