"""Delta's jars, fetched once by Spark's own resolver and verified against ``jars.lock``."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import pyspark

from lakehouse.errors import UsageError
from lakehouse.project import JARS, JARS_LOCK


@dataclass(frozen=True)
class Jar:
    """A jar's Maven coordinate and its SHA-256."""

    coordinate: str
    sha256: str

    @property
    def path(self) -> Path:
        """Where the project keeps it."""
        _, artifact, version = self.coordinate.split(":")
        return JARS / f"{artifact}-{version}.jar"

    @property
    def is_intact(self) -> bool:
        """Whether it is there with the locked content."""
        return self.path.is_file() and hashlib.sha256(self.path.read_bytes()).hexdigest() == self.sha256


def locked() -> list[Jar]:
    """Return the jars that the lock names."""
    lines = JARS_LOCK.read_text(encoding="utf-8").splitlines()
    return [Jar(*line.split()) for line in lines if line and not line.startswith("#")]


def ensure_jars() -> list[Path]:
    """Return the paths of all locked jars, fetching them if one is missing or altered.

    Raises:
        UsageError: if they cannot be fetched, or are not what the lock says.
    """
    jars = locked()
    if not all(jar.is_intact for jar in jars):
        _fetch(jars)
    return [jar.path for jar in jars]


def _fetch(jars: list[Jar]) -> None:
    JARS.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as ivy:
        output = _resolve(",".join(jar.coordinate for jar in jars), Path(ivy))
        for jar in jars:
            group, artifact, version = jar.coordinate.split(":")
            fetched = Path(ivy) / "jars" / f"{group}_{artifact}-{version}.jar"
            if fetched.is_file():
                shutil.copyfile(fetched, jar.path)
    wrong = [jar.coordinate for jar in jars if not jar.is_intact]
    if wrong:
        raise UsageError(
            "Delta's jars could not be fetched",
            found=f"{', '.join(wrong)} missing or with another hash; the resolver ended with: {output[-300:]}",
            expected="the jars and hashes of jars.lock",
            do="Check that this machine reaches Maven Central and run `lakehouse setup` again.",
        )


def _resolve(coordinates: str, ivy: Path) -> str:
    home = Path(pyspark.__file__).parent
    nothing = ivy / "nothing.py"
    nothing.write_text("")
    command = [str(home / "bin" / "spark-submit"), "--master", "local[1]", "--packages", coordinates]
    # Delta asks for older versions of what PySpark brings itself.
    excluded = (
        "org.apache.hadoop:*",
        "org.apache.parquet:*",
        "org.apache.logging.log4j:*",
        "com.fasterxml.jackson.*:*",
    )
    command += ["--exclude-packages", ",".join(excluded)]
    command += ["--conf", f"spark.jars.ivy={ivy}", "--conf", "spark.ui.enabled=false", str(nothing)]
    environment = os.environ | {"SPARK_HOME": str(home), "PYSPARK_PYTHON": sys.executable, "SPARK_CONF_DIR": str(ivy)}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    return " ".join((done.stdout + done.stderr).split())
