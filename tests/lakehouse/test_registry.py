"""The jobs that run are those of the project, of whose files the fingerprints are taken."""

from __future__ import annotations

import shutil

import pytest

from lakehouse.errors import UsageError
from lakehouse.fingerprint import PACKAGES
from lakehouse.project import PROJECT
from lakehouse.registry import _require_code_of


@pytest.fixture
def checkout(tmp_path):
    for package in PACKAGES:
        shutil.copytree(PROJECT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def test_packages_apart_from_a_checkout_of_the_same_code_are_accepted(checkout):
    _require_code_of(checkout)


def test_packages_of_other_code_than_the_checkout_are_refused_by_name(checkout):
    (checkout / "lakehouse/scope.py").write_text("OTHER = True\n")
    (checkout / "jobs/gold/another.py").write_text("table = None\n")
    with pytest.raises(UsageError, match=r"other code in jobs/gold/another\.py, lakehouse/scope\.py; expected"):
        _require_code_of(checkout)
