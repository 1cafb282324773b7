"""Fingerprints are computed by two threads at once."""

from __future__ import annotations

import gc
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from lakehouse import fingerprint
from lakehouse.project import PROJECT


@pytest.fixture
def restless():
    """Let threads take turns as often as they can, and objects be collected as often."""
    interval, thresholds = sys.getswitchinterval(), gc.get_threshold()
    sys.setswitchinterval(1e-6)
    gc.set_threshold(50)
    yield
    sys.setswitchinterval(interval)
    gc.set_threshold(*thresholds)


class Circle:
    """Garbage that runs Python when it is collected, and so lets another thread in."""

    def __init__(self):
        self.itself = self

    def __del__(self):
        sum(range(50))


@pytest.mark.usefixtures("restless")
def test_two_threads_may_read_code_at_once():
    def parsed(path):
        Circle()
        return fingerprint._module.__wrapped__(path)

    files = 3 * sorted((PROJECT / "jobs").rglob("*.py"))[:40]
    with ThreadPoolExecutor(4) as pool:
        assert len(list(pool.map(parsed, files))) == len(files) > 100
