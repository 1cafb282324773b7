"""Where the project's own files are."""

from __future__ import annotations

import os
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
JARS = PROJECT / ".jars"
JARS_LOCK = PROJECT / "jars.lock"
REQUIREMENTS_LOCK = PROJECT / "requirements.lock"
DEFAULT_ROOT = PROJECT / "data"


def conf_dir() -> Path:
    """Return the folder of the configuration: ``LAKEHOUSE_CONF`` if it is set, else the project's ``conf/``."""
    return Path(os.environ.get("LAKEHOUSE_CONF", PROJECT / "conf")).resolve()
