"""The Java that Spark will use: 17 or 21."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

from lakehouse.errors import UsageError

SUPPORTED = (17, 21)
_DO = "Install a Java 17 or 21 (a JDK or a full JRE) and let JAVA_HOME name its folder, or put its `java` on the PATH."


def require_java() -> str:
    """Return the version of the Java that Spark will start.

    Raises:
        UsageError: if there is none or it is neither 17 nor 21.
    """
    home = os.environ.get("JAVA_HOME")
    java = str(Path(home) / "bin" / "java") if home else shutil.which("java")
    if java is None or not os.access(java, os.X_OK):
        raise UsageError(
            "Spark cannot start without Java",
            found=f"no program {java} (JAVA_HOME is {home})" if home else "no `java` on the PATH and no JAVA_HOME",
            expected="Java 17 or 21",
            do=_DO,
        )
    printed = subprocess.run([java, "-version"], capture_output=True, text=True, check=False).stderr
    version = re.search(r'version "([^"]+)"', printed)
    if version is None or int(version.group(1).split(".")[0]) not in SUPPORTED:
        raise UsageError(
            "Spark cannot start with this Java",
            found=f"{java} of version {version.group(1) if version else 'unknown'}",
            expected="Java 17 or 21",
            do=_DO,
        )
    return version.group(1)
