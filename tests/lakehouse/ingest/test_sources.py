"""A vendor's export as it is, by its mapping."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import duckdb
import pytest

from lakehouse.config import load
from lakehouse.console import Silence
from lakehouse.errors import UsageError
from lakehouse.ingest.batches import unrecorded
from lakehouse.ingest.delivery import deliver
from lakehouse.ingest.sources import Cell, Source, read_source
from lakehouse.project import PROJECT
from lakehouse.registry import jobs
from lakehouse.run import Run

SUBSCRIPTIONS = """id,Customer ID,Customer Email,Plan,Quantity,Currency,Interval,Amount,Status,Start (UTC),Canceled At (UTC),Ended At (UTC)
sub_1,cus_1,a@example.com,price_pro,5,eur,month,49.00,active,2025-01-15 10:23,,
sub_2,cus_2,b@example.com,price_pro,1,usd,year,480.00,canceled,2025-02-01 00:00,2025-07-30 16:05,2026-02-01 00:00
sub_3,cus_3,c@example.com,price_pro,1,usd,month,49.00,incomplete,soon,,
"""
CHARGES = """id,Created (UTC),Amount,Currency,Status,Seller Message,Customer ID,Invoice ID
ch_1,2025-01-15 10:24,49.00,eur,Paid,Payment complete.,cus_1,in_1
ch_2,2025-02-15 10:24,49.00,eur,Failed,Insufficient funds.,cus_1,in_2
"""
INVOICES = """id,Customer,Subscription,Date (UTC),Due Date (UTC),Period Start (UTC),Period End (UTC),Subtotal,Tax,Total,Currency,Status,Paid At (UTC)
in_1,cus_1,sub_1,2025-01-15 10:23,2025-01-15 10:23,2025-01-15 10:23,2025-02-15 10:23,49.00,9.31,58.31,sek,paid,2025-01-15 10:24
in_2,cus_1,sub_1,2025-02-15 10:23,2025-03-01 10:23,2025-02-15 10:23,2025-03-15 10:23,49.00,9.31,58.31,SEK,draft,
"""
TABLES = {job.table.short_name: job.table for job in jobs().values() if job.table.layer == "bronze"}


def test_stripe_files_are_received_as_they_are(folder, ingest, received):
    (folder / "subscriptions.csv").write_text(SUBSCRIPTIONS, encoding="utf-8")
    (folder / "charges.csv").write_text(CHARGES, encoding="utf-8")
    ingest(source="stripe")
    running, ended, broken = received()
    assert (running["subscription_id"], running["customer_id"], running["plan_id"]) == ("sub_1", "cus_1", "price_pro")
    assert (running["amount"], running["currency"], running["quantity"]) == (Decimal("49.000000"), "EUR", 5)
    assert (running["start_date"], running["end_date"], running["status"]) == (date(2025, 1, 15), None, "active")
    assert (ended["billing_interval"], ended["end_date"]) == ("year", date(2026, 2, 1))
    assert ended["canceled_at"] == datetime(2025, 7, 30, 16, 5, tzinfo=UTC)
    assert (broken["_unread"], broken["status"]) == ('{"start_date":"soon"}', "unpaid")
    assert [(row["status"], row["method"]) for row in received("payments")] == [
        ("succeeded", "card"),
        ("failed", "card"),
    ]


def test_invoices_of_stripe_are_received_as_they_are(folder, ingest, received):
    (folder / "invoices.csv").write_text(INVOICES, encoding="utf-8")
    ingest(source="stripe", as_of=date(2025, 3, 31))
    paid, draft = received("invoices")
    assert (paid["invoice_id"], paid["customer_id"], paid["subscription_id"]) == ("in_1", "cus_1", "sub_1")
    assert (paid["subtotal"], paid["tax"], paid["total"]) == (Decimal("49.00"), Decimal("9.31"), Decimal("58.31"))
    assert (paid["issued_at"], paid["paid_at"]) == (
        datetime(2025, 1, 15, 10, 23, tzinfo=UTC),
        datetime(2025, 1, 15, 10, 24, tzinfo=UTC),
    )
    assert (paid["period_start"], paid["period_end"]) == (date(2025, 1, 15), date(2025, 2, 15))
    assert [(row["status"], row["currency"], row["_unread"]) for row in (paid, draft)] == [
        ("paid", "SEK", None),
        ("open", "SEK", None),
    ]


def test_a_charge_that_was_refunded_is_no_cash_and_what_is_not_taken_is_named(folder, ingest, received, lake):
    header, paid, failed = CHARGES.splitlines()
    refunded = paid.replace("ch_1", "ch_3").replace("Paid", "Refunded")
    lines = [f"{header},Amount Refunded", f"{paid},0.00", f"{failed},0.00", f"{refunded},49.00"]
    (folder / "charges.csv").write_text("\n".join(lines), encoding="utf-8")
    ingest(source="stripe", as_of=date(2025, 3, 31))
    assert [row["_unread"] for row in received("payments")] == [None, None, '{"status":"Refunded"}']
    assert unrecorded(lake, jobs())[0]["left_out"] == "Amount Refunded"


def test_a_column_that_the_vendor_calls_otherwise_today_is_not_read_as_nothing(folder, ingest):
    (folder / "subscriptions.csv").write_text(SUBSCRIPTIONS.replace("Ended At (UTC)", "Ended At"), encoding="utf-8")
    with pytest.raises(UsageError, match=r"'Ended At' where 'Ended At \(UTC\)' for end_date may be meant"):
        ingest(source="stripe")


def test_a_file_is_read_anew_where_its_mapping_was_corrected(folder, lake, received, ingest_by):
    (folder / "deals.csv").write_text("id,stage,customer,made\nd1,Waiting,a,2026-01-10\n", encoding="utf-8")
    ingest_by({})
    assert [row["_unread"] for row in received("opportunities")] == ['{"stage":"Waiting"}']
    assert ingest_by({"Waiting": "discovery"}).steps == []
    ingest_by({"Waiting": "discovery"}, replace=True)
    assert [(row["stage"], row["_unread"]) for row in received("opportunities")] == [("discovery", None)]
    assert ingest_by({"Waiting": "discovery"}, replace=True).steps == []
    assert len({file["mapping"] for file in unrecorded(lake, jobs())}) == 2


def test_a_file_that_is_read_anew_tells_nothing_newer_than_it_did(folder, received, ingest_by):
    """The older of two files without moments of their own must not become the newest version of its things."""
    lines = "id,stage,customer,made\nd1,Waiting,a,2026-01-10\nd2,prospecting,b,2026-01-11\n"
    (folder / "deals-1.csv").write_text(lines, encoding="utf-8")
    ingest_by({})
    (folder / "deals-2.csv").write_text("id,stage,customer,made\nd1,closed_won,a,2026-01-10\n", encoding="utf-8")
    ingest_by({}, as_of=date(2026, 2, 28))
    ingest_by({"Waiting": "discovery"}, as_of=date(2026, 2, 28), replace=True)
    found = [(row["stage"], row["updated_at"]) for row in received("opportunities")]
    assert found == [
        ("discovery", datetime(2026, 1, 31, tzinfo=UTC)),
        ("prospecting", datetime(2026, 1, 31, tzinfo=UTC)),
        ("closed_won", datetime(2026, 2, 28, tzinfo=UTC)),
    ]


@pytest.fixture
def ingest_by(lake, folder):
    """Deliver the folder's deals by a mapping with these meanings of stages."""

    def run(stages, *, as_of=date(2026, 1, 31), replace=False):
        cells = {
            "opportunity_id": {"from": "id"},
            "account_id": {"from": "customer"},
            "stage": {"from": "stage", "values": stages},
            "created_at": {"from": "made"},
            "arr": {"constant": "5"},
        }
        mapping = Source.model_validate(
            {"version": 1, "files": {"deals": {"table": "opportunities", "columns": cells}}}
        )
        received = Run(lake, load(PROJECT / "conf"), dict(jobs()), Silence())
        deliver(received, folder, as_of=as_of, replace=replace, source=mapping)
        return received

    return run


def test_a_column_that_the_vendor_left_out_is_named_as_the_vendor_calls_it(folder, ingest):
    (folder / "charges.csv").write_text("id,Amount\nch_1,5\n", encoding="utf-8")
    with pytest.raises(UsageError) as refused:
        ingest(source="stripe")
    assert "charges.csv, line 1: Customer ID for customer_id is missing" in str(refused.value)
    assert "charges.csv, line 1: Created (UTC) for attempted_at is missing" in str(refused.value)


def test_a_cell_comes_about_in_one_way():
    with pytest.raises(ValueError, match="takes one of `constant`, `unit`, `date_format` and `values`"):
        Cell.model_validate({"from": "x", "unit": "cents", "values": {"a": "b"}})


def test_a_date_format_that_is_none_is_refused_with_the_configuration():
    with pytest.raises(ValueError, match="is no format of a date"):
        Cell.model_validate({"from": "x", "date_format": "%Y-%Q"})


def test_cents_are_divided_and_what_is_no_number_stays():
    cell = (
        Source.model_validate(
            {"version": 1, "files": {"f": {"table": "t", "columns": {"amount": {"from": "cents", "unit": "cents"}}}}}
        )
        .files["f"]
        .columns["amount"]
    )
    found = duckdb.sql(f"SELECT {cell.sql} FROM (VALUES ('12345'), ('none'), (NULL)) AS rows(cents)").fetchall()  # noqa: S608 - of the test
    assert [value and value.rstrip("0") for (value,) in found] == ["123.45", "none", None]


def test_an_unknown_source_and_a_wrong_one_are_refused_with_what_is_known(tmp_path):
    with pytest.raises(UsageError, match="found 'strip'; expected one of hubspot, salesforce, stripe, zendesk"):
        read_source(PROJECT / "conf", "strip", TABLES)
    (tmp_path / "sources").mkdir()
    (tmp_path / "sources" / "mine.yml").write_text(
        "version: 1\nfiles:\n  a: {table: nothing, columns: {}}\n  b: {table: payments, columns: {amont: {from: x}}}\n"
    )
    with pytest.raises(
        UsageError, match=r"files\.a: no table nothing; files\.b\.columns: payments has no column amont"
    ):
        read_source(tmp_path, "mine", TABLES)
    (tmp_path / "sources" / "mine.yml").write_text("version: 1\nfiles: {a: {table: payments, columns: {amount: {}}}}\n")
    with pytest.raises(UsageError, match="needs either `from` or `constant`"):
        read_source(tmp_path, "mine", TABLES)
