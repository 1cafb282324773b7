"""The options that several commands share."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from lakehouse.cli import app
from lakehouse.errors import UsageError


@pytest.mark.parametrize("address", ["s3a://bucket/lake", "abfss://lake@account.dfs.core.windows.net/", "gs://bucket"])
def test_the_address_of_an_object_store_is_refused_before_a_folder_of_that_name_is_made(address, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match=r"found the address .*; expected a path of a file system"):
        CliRunner().invoke(app, ["generate", "--root", address], catch_exceptions=False)
    assert not list(tmp_path.iterdir())


def test_a_folder_with_a_colon_in_its_name_is_a_folder(tmp_path):
    result = CliRunner().invoke(app, ["runs", "--json", "--root", str(tmp_path / "a:b")], catch_exceptions=False)
    assert result.exit_code == 0, result.output
