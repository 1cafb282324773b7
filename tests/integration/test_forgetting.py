"""A customer of a whole company is forgotten: found in every layer before, in no file after, and no total has changed."""

from __future__ import annotations

import shutil

import pyarrow as pa
import pytest
from deltalake import DeltaTable
from typer.testing import CliRunner

from lakehouse import delta
from lakehouse import forget as forgetting
from lakehouse.cli import app
from lakehouse.errors import UsageError
from lakehouse.lake import Lake
from lakehouse.registry import jobs
from tests.lakehouse.search import places

CUSTOMER = "C0000020"  # pays, has people and wrote to support


def command(lake, *arguments):
    result = CliRunner().invoke(app, [*arguments, "--root", str(lake.root)], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def who_is(lake, customer=CUSTOMER):
    """Return every name and address of the customer and of the people of its account that nobody else bears."""
    names = set()
    account = "A" + customer[1:]  # the generator numbers both alike
    for table, subject, mine, columns in (
        ("bronze.customers", "customer_id", customer, ("company_name", "contact_name", "email")),
        ("bronze.contacts", "account_id", account, ("full_name", "email")),
    ):
        rows = delta.arrow(lake, table).to_pylist()
        others = {row[name] for row in rows if row[subject] not in (mine, None) for name in columns}
        names |= {row[name] for row in rows if row[subject] == mine for name in columns} - others
    return sorted(names)


def money(lake):
    """Return for every published table how many rows it has, and every column of amounts, sorted."""
    amounts = {}
    for name, entry in lake.published().tables.items():
        table = delta.arrow(lake, name, entry.version)
        amounts[name] = [table.num_rows] + [
            sorted(filter(None, table[field.name].to_pylist()))
            for field in table.schema
            # Sums of scores are decimals too, and go with the words that they were scored from.
            if pa.types.is_decimal(field.type) and "sentiment" not in field.name
        ]
    return amounts


@pytest.mark.soak
def test_a_customer_is_forgotten(small_lake, tmp_path, monkeypatch):
    shutil.copytree(small_lake.root, tmp_path / "lake")
    monkeypatch.setattr(forgetting, "LOGS", tmp_path)
    lake = Lake(tmp_path / "lake")
    names, before, published = who_is(lake), money(lake), lake.published()
    assert len(names) >= 3
    found = places(lake.root, names)
    assert {"bronze", "silver", "gold", "exports"} <= {place.split("/")[0] for place in found}

    assert f"{CUSTOMER} is forgotten" in command(lake, "forget", CUSTOMER)

    assert places(lake.root, names) == []
    assert lake.published().run_id != published.run_id
    after = money(lake)
    assert {name for name in before if before[name] != after[name]} == set()
    with pytest.raises(UsageError, match="from before a customer was forgotten"):
        command(lake, "rollback", published.run_id)
    assert '"unchanged"' in command(lake, "run", "--json"), "no job is due"

    command(lake, "generate", "--through", "2025-02-28")
    assert places(lake.root, names) == []
    command(lake, "run", "--select", "+silver.customers")
    row = next(row for row in delta.arrow(lake, "silver.customers").to_pylist() if row["customer_id"] == CUSTOMER)
    assert [row[name] for name in ("company_name", "contact_name", "email")] == [None, None, None]
    assert row["account_id"] == "A" + CUSTOMER[1:]


@pytest.mark.parametrize("name", [name for name, job in jobs().items() if job.table.erasable])
def test_the_log_of_a_table_with_names_tells_no_extremes(small_lake, name):
    files = pa.table(DeltaTable(str(small_lake.table_path(name))).get_add_actions(flatten=True))
    assert files.num_rows or not delta.arrow(small_lake, name).num_rows
    assert not [column for column in files.column_names if column.startswith(("min.", "max."))]
