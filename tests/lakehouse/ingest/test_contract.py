"""What a file may hold, as it is documented and as a template has it."""

from __future__ import annotations

from datetime import date

import pytest

from lakehouse.errors import UsageError
from lakehouse.ingest.contract import DOCUMENT, document, example, given, received_table, required, write_template
from lakehouse.registry import jobs
from lakehouse.table import PROVENANCE

RECEIVED = [job.table for job in jobs().values() if job.table.layer == "bronze"]


def test_the_page_of_contracts_is_up_to_date():
    assert DOCUMENT.read_text(encoding="utf-8") == document(jobs())


def test_a_file_needs_what_no_row_can_be_without_and_no_default_gives():
    assert required(received_table("subscriptions")) == ["customer_id", "amount", "start_date"]
    assert required(received_table("customers")) == ["customer_id"]
    assert required(received_table("bronze.exchange_rates")) == ["currency", "rate_date", "rate"]


def test_files_of_examples_are_received_without_an_unreadable_cell(folder, ingest, received):
    columns = {table.short_name: [one for one in given(table) if one.name != "end_date"] for table in RECEIVED}
    for name, of_table in columns.items():
        lines = [",".join(column.name for column in of_table), ",".join(f'"{example(column)}"' for column in of_table)]
        (folder / f"{name}.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    ingest(as_of=date(2026, 6, 30))
    for name, of_table in columns.items():
        (row,) = received(name)
        assert row["_unread"] is None, name
        assert [column.name for column in of_table if row[column.name] is None] == [], name


def test_a_template_has_every_column_but_those_that_tell_where_a_row_came_from(tmp_path):
    path = write_template(received_table("subscriptions"), tmp_path)
    (header,) = path.read_text(encoding="utf-8").splitlines()
    assert path.name == "subscriptions.csv"
    assert header.startswith("subscription_item_id,subscription_id,customer_id,")
    assert not {column.name for column in PROVENANCE} & set(header.split(","))
    with pytest.raises(UsageError, match="The template cannot be written"):
        write_template(received_table("subscriptions"), tmp_path)
