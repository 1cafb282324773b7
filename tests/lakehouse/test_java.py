"""A missing or wrong Java is told in one paragraph."""

from __future__ import annotations

import pytest

from lakehouse.errors import UsageError
from lakehouse.java import require_java


def java_printing(folder, version):
    (folder / "bin").mkdir()
    program = folder / "bin" / "java"
    program.write_text(f"#!/bin/sh\necho 'openjdk version \"{version}\"' >&2\n")
    program.chmod(0o755)


def test_a_supported_java_is_accepted(tmp_path, monkeypatch):
    java_printing(tmp_path, "21.0.4")
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    assert require_java() == "21.0.4"


@pytest.mark.parametrize("version", ["1.8.0_412", "11.0.2", "25"])
def test_another_java_is_refused_by_its_version(tmp_path, monkeypatch, version):
    java_printing(tmp_path, version)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    with pytest.raises(UsageError, match=f"{version}.*expected Java 17 or 21"):
        require_java()


def test_no_java_is_refused_with_what_to_do(tmp_path, monkeypatch):
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UsageError, match=r"no `java` on the PATH.*Install a Java 17 or 21"):
        require_java()
