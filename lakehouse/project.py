"""Where the project's own files are.

The packages may lie apart from them, in an archive that ``spark-submit --py-files`` brings to every machine, or installed
from a wheel. ``LAKEHOUSE_HOME`` then names the checkout that has the rest.
"""

from __future__ import annotations

import os
from pathlib import Path

CODE = Path(__file__).resolve().parents[1]
PROJECT = Path(os.environ.get("LAKEHOUSE_HOME", CODE)).resolve()
JARS = PROJECT / ".jars"
JARS_LOCK = PROJECT / "jars.lock"
REQUIREMENTS_LOCK = PROJECT / "requirements.lock"
DEFAULT_ROOT = PROJECT / "data"


def conf_dir() -> Path:
    """Return the folder of the configuration: ``LAKEHOUSE_CONF`` if it is set, else the project's ``conf/``."""
    return Path(os.environ.get("LAKEHOUSE_CONF", PROJECT / "conf")).resolve()
