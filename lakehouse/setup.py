"""Set-up of a machine: Java checked, jars fetched, ``conf/spark-defaults.conf`` written for this machine."""

from __future__ import annotations

import os
import sys

from lakehouse.files import replacing
from lakehouse.jars import ensure_jars
from lakehouse.java import require_java
from lakehouse.project import PROJECT

CONF = PROJECT / "conf"
TEMPLATE = CONF / "spark-defaults.template.conf"
DEFAULTS = CONF / "spark-defaults.conf"
LOGS = PROJECT / "logs"

# What the driver leaves to Python, the page cache and the rest of the machine.
DRIVER_MEMORY_SHARE = 0.6


def ensure_setup() -> None:
    """Set this machine up, as far as it is not yet.

    Raises:
        UsageError: if Java is missing or wrong, or the jars cannot be fetched.
    """
    require_java()
    defaults = TEMPLATE.read_text(encoding="utf-8").format(
        driver_memory=f"{_driver_memory_mib()}m",
        jars=":".join(map(str, ensure_jars())),
        python=sys.executable,
        conf=CONF,
        logs=LOGS,
    )
    LOGS.mkdir(exist_ok=True)
    if not DEFAULTS.is_file() or DEFAULTS.read_text(encoding="utf-8") != defaults:
        with replacing(DEFAULTS) as draft:
            draft.write_text(defaults, encoding="utf-8")


def memory_mib() -> int:
    """Return the machine's memory in MiB."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20


def _driver_memory_mib() -> int:
    return int(memory_mib() * DRIVER_MEMORY_SHARE)
