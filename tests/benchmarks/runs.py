"""Whole runs of the command: the default company by phase, a second run with nothing new, and one more month.

python -m tests.benchmarks.runs [--runs 3]

Wall times of processes, so they say as much of the machine as of the code; the phases are comparable within one run.
"""

from __future__ import annotations

import argparse
import json
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

LAKEHOUSE = str(Path(sys.executable).parent / "lakehouse")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    measured = [_measured() for _ in range(options.runs)]
    print(f"{platform.machine()}, Python {platform.python_version()}, medians of {options.runs}")
    for name in measured[0]:
        print(f"{name:32} {median(run[name] for run in measured):8.1f} s")


def _measured() -> dict[str, float]:
    root = Path(tempfile.mkdtemp(prefix="lakehouse-benchmark-"))
    try:
        full, outcome = _timed(root)
        second, _ = _timed(root)
        month, _ = _timed(root, "--through", "2026-07-31")
    finally:
        shutil.rmtree(root)
    layers = {"bronze": 0.0, "silver": 0.0, "gold": 0.0}
    for step in outcome["steps"]:
        layers[step["table_name"].partition(".")[0]] += step["duration_seconds"]
    phases = {f"jobs of {layer}, added up": seconds for layer, seconds in layers.items()}
    return {"default run": full, **phases, "second run, nothing new": second, "one more month": month}


def _timed(root: Path, *arguments: str) -> tuple[float, dict]:
    started = time.perf_counter()
    command = [LAKEHOUSE, "run", "--root", str(root), "--json", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return time.perf_counter() - started, json.loads(done.stdout)


if __name__ == "__main__":
    main()
