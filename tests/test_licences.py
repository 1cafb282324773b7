"""Every locked package may be used, changed and passed on by anyone, as its own metadata say."""

from __future__ import annotations

import re
from importlib.metadata import PackageNotFoundError, metadata

import pytest

from lakehouse.project import REQUIREMENTS_LOCK

PERMISSIVE = re.compile(
    r"MIT(-0)?( License)?|0?BSD.*|Apache.*|ISC.*|PSF.*|Python Software Foundation.*|Zlib|CC0-1\.0"
    # Its terms bind changes of the files themselves, and none of these is changed or passed on with the project.
    r"|Mozilla Public License 2\.0.*|MPL-2\.0"
)
# Only tests/benchmarks runs it, for comparison: its licence is for use with its maker's services.
MEASURED_BESIDE = {"dbldatagen": "Databricks License"}

LOCKED = re.findall(r"^([A-Za-z0-9._-]+)==", REQUIREMENTS_LOCK.read_text(encoding="utf-8"), re.MULTILINE)


def licences(name):
    told = metadata(name)
    classified = [line.rpartition(":: ")[2] for line in told.get_all("Classifier", []) if line.startswith("License ::")]
    expression = told["License-Expression"] or " AND ".join(classified) or told["License"] or ""
    # Of a choice, one is enough.
    return expression.partition(" OR ")[0].strip("()").split(" AND ")


@pytest.mark.parametrize("name", LOCKED)
def test_a_locked_package_has_a_permissive_licence(name):
    try:
        found = licences(name)
    except PackageNotFoundError:
        pytest.skip("not for this platform")
    if name in MEASURED_BESIDE:
        assert found == [MEASURED_BESIDE[name]]
    else:
        assert all(PERMISSIVE.fullmatch(licence) for licence in found), found


def test_a_licence_that_asks_for_more_is_none_of_them():
    for licence in (
        "GPL-3.0-only",
        "AGPL-3.0",
        "GNU General Public License v3 (GPLv3)",
        "Databricks License",
        "",
        "UNKNOWN",
    ):
        assert not PERMISSIVE.fullmatch(licence)
