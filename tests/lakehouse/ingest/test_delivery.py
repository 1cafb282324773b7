"""Files as people have them: every row of them comes into the lake once, or the whole delivery is refused with a reason."""

from __future__ import annotations

import gzip
import json
import shutil
from datetime import UTC, date, datetime
from decimal import Decimal
from types import SimpleNamespace

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lakehouse import delta
from lakehouse.config import load
from lakehouse.coverage import as_of
from lakehouse.coverage import received as coverage
from lakehouse.errors import BrokenLakeError, UsageError
from lakehouse.ingest import delivery
from lakehouse.ingest.batches import account, known, unrecorded
from lakehouse.ingest.contract import given, write_template
from lakehouse.ops import BATCHES, append
from lakehouse.project import PROJECT
from lakehouse.registry import jobs
from lakehouse.rules import QUARANTINE

HEADER = "customer_id,start_date,end_date,amount"


def write(folder, *lines, name="subscriptions.csv", header=HEADER, end="\n"):
    (folder / name).write_text(end.join([header, *lines]) + end, encoding="utf-8", newline="")


@pytest.fixture
def delivered(folder, ingest, received):
    """Deliver a file of these lines and return how to look at its rows."""

    def deliver_lines(*lines):
        write(folder, *lines)
        ingest()
        return received

    return deliver_lines


def test_four_columns_are_enough_and_the_rest_has_its_default(folder, ingest, received):
    write(folder, "a,2025-01-15,,100", "b,2025-03-01,2025-09-01,240.50")
    ingest()
    first, second = received()
    assert first["amount"] == Decimal("100.000000")
    assert (first["item_type"], first["billing_interval"], first["interval_count"]) == ("plan", "month", 1)
    assert (first["status"], first["currency"], first["end_date"]) == ("active", "USD", None)
    assert (second["start_date"], second["end_date"]) == (date(2025, 3, 1), date(2025, 9, 1))
    # Without a moment of their own the versions are those of the day up to which the file reaches.
    assert {row["updated_at"] for row in (first, second)} == {datetime(2025, 3, 1, tzinfo=UTC)}
    assert [row["_row"] for row in (first, second)] == [2, 3]
    assert {row["_source"] for row in (first, second)} == {"subscriptions.csv"}


def test_rows_without_an_id_are_items_of_their_own_unless_they_say_the_same(folder, ingest, received):
    write(folder, "a,2025-01-15,,100", "a,2025-01-15,,50", "a,2025-01-15,,100")
    ingest()
    hundred, fifty, again = (row["subscription_item_id"] for row in received())
    assert hundred == again != fifty


def test_an_item_keeps_its_id_when_a_later_file_ends_it(folder, ingest, received):
    write(folder, "a,2025-01-15,,100")
    ingest(as_of=date(2025, 1, 31))
    write(folder, "a,2025-01-15,2025-03-01,100", name="subscriptions-march.csv")
    ingest(as_of=date(2025, 3, 31))
    later, earlier = received()
    assert later["subscription_item_id"] == earlier["subscription_item_id"]
    assert later["updated_at"] > earlier["updated_at"]


@pytest.mark.parametrize(
    ("cells", "column", "text"),
    [
        ("a,2025-13-01,,100", "start_date", "2025-13-01"),
        ("a,01/02/2025,,100", "start_date", "01/02/2025"),
        ("a,2025-01-15T23:00-02:00,,100", "start_date", "2025-01-15T23:00-02:00"),
        ("a,2025-01-15,,1e3", "amount", "1e3"),
        ('a,2025-01-15,,"1,000.00"', "amount", "1,000.00"),
        ("a,2025-01-15,,-5", "amount", "-5"),
        ("a,2025-01-15,,$5", "amount", "$5"),
        ("a\0b,2025-01-15,,5", "customer_id", "a\0b"),
    ],
)
def test_a_cell_that_is_not_what_its_column_says_is_kept_as_its_text(delivered, cells, column, text):
    received = delivered("fine,2025-01-15,,100", cells)
    fine, broken = received()
    assert fine["_unread"] is None
    assert json.loads(broken["_unread"]) == {column: text}
    assert broken[column] is None


def test_an_unknown_word_is_not_taken_for_one_of_the_accepted(folder, ingest, received):
    write(folder, "a,2025-01-15,,100,lapsed", "a,2025-01-15,,100,paused", header=HEADER + ",status")
    ingest()
    assert [(row["status"], row["_unread"]) for row in received()] == [(None, '{"status":"lapsed"}'), ("paused", None)]


def test_a_record_with_too_many_or_too_few_cells_is_kept_whole_and_the_others_keep_their_numbers(
    folder, ingest, received
):
    write(folder, "a,2025-01-15,,100", "b,2025-01-15", 'c,2025-01-15,,"1\n2",3', "d,2025-01-15,,4")
    ingest()
    found = [(row["_row"], row["customer_id"], row["_unread"]) for row in received()]
    assert found == [
        (2, "a", None),
        (3, None, '{"_line":"b,2025-01-15"}'),
        (4, None, json.dumps({"_line": 'c,2025-01-15,,"1\n2",3'}, separators=(",", ":"))),
        (5, "d", None),
    ]


def test_marks_line_ends_quotes_and_long_cells_are_read_as_they_are(folder, ingest, received):
    long = "x" * 10_000
    lines = [
        HEADER + ",cancel_reason",
        'a,2025-01-15,,100,"too ""dear"",\r\nsaid she"',
        f"b,2025-01-15,,100,{long}",
        "c,2025-01-15,,100,=1+1",
    ]
    (folder / "subscriptions.csv").write_bytes(b"\xef\xbb\xbf" + "\r\n".join(lines).encode())
    ingest()
    assert [row["cancel_reason"] for row in received()] == ['too "dear",\r\nsaid she', long, "=1+1"]


@pytest.mark.parametrize("ending", ["csv.gz", "json", "jsonl", "parquet"])
def test_every_format_brings_the_same_rows(folder, ingest, received, ending):
    records = [
        {"customer_id": "a", "start_date": "2025-01-15", "amount": 99.99, "quantity": 3},
        {"customer_id": "b", "start_date": "2025-02-01", "amount": 0.1, "quantity": None},
    ]
    path = folder / f"subscriptions.{ending}"
    match ending:
        case "csv.gz":
            text = "customer_id,start_date,amount,quantity\na,2025-01-15,99.99,3\nb,2025-02-01,0.1,\n"
            path.write_bytes(gzip.compress(text.encode()))
        case "json":
            path.write_text(json.dumps(records, indent=1))
        case "jsonl":
            path.write_text("\n".join(map(json.dumps, records)))
        case _:
            pq.write_table(pa.Table.from_pylist(records), path)
    ingest()
    rows = received()
    assert [row["amount"] for row in rows] == [Decimal("99.990000"), Decimal("0.100000")]
    assert [row["quantity"] for row in rows] == [3, None]
    assert [row["start_date"] for row in rows] == [date(2025, 1, 15), date(2025, 2, 1)]
    assert [row["_unread"] for row in rows] == [None, None]


def test_the_types_of_a_parquet_file_are_read_as_what_they_say(folder, ingest, received):
    """As pandas writes them: moments where days are meant, numbers with a point where some are missing."""
    day, moment = datetime(2025, 1, 15), datetime(2025, 3, 31, 23, 30, tzinfo=UTC)
    table = pa.table(
        {
            "customer_id": ["a", "b"],
            "start_date": pa.array([day, day], pa.timestamp("ns")),
            "end_date": pa.array([moment, None], pa.timestamp("us", "UTC")),
            "amount": pa.array([99.99, float("inf")], pa.float32()),
            "list_amount": [1e-5, float("nan")],
            "discount_amount": pa.array([Decimal("1.10"), Decimal("1e30")], pa.decimal128(38, 2)),
            "quantity": [3.0, float("nan")],
            "updated_at": pa.array([moment, moment], pa.timestamp("ns", "UTC")),
        }
    )
    pq.write_table(table, folder / "subscriptions.parquet")
    ingest()
    sound, broken = received()
    assert (sound["start_date"], sound["end_date"], sound["updated_at"]) == (day.date(), moment.date(), moment)
    assert [sound[name] for name in ("amount", "list_amount", "quantity")] == [Decimal("99.99"), Decimal("0.00001"), 3]
    assert (sound["discount_amount"], sound["_unread"]) == (Decimal("1.10"), None)
    texts = {"amount": "inf", "discount_amount": "1000000000000000000000000000000.00"}
    assert (json.loads(broken["_unread"]), broken["list_amount"], broken["quantity"]) == (texts, None, None)


def test_small_and_large_shares_keep_their_exponent_and_words_say_yes_and_no(folder, ingest, received):
    (folder / "support_interactions.csv").write_text(
        "ticket_id,customer_id,opened_at,escalated,sentiment_score\n"
        "1,a,2025-01-15,yes,1e-12\n2,a,2025-01-15,0,-.5\n3,a,2025-01-15,maybe,2\n"
    )
    ingest(as_of=date(2025, 1, 31))
    rows = received("support_interactions")
    assert [(row["escalated"], row["sentiment_score"]) for row in rows] == [(True, 1e-12), (False, -0.5), (None, None)]
    assert json.loads(rows[2]["_unread"]) == {"escalated": "maybe", "sentiment_score": "2"}


def test_an_export_of_another_lake_brings_no_row_numbers_of_its_own(folder, ingest, received, lake):
    write(folder, "a,2025-01-15,,100,77,other", "b,2025-01-15,,5,78,other", header=HEADER + ",_row,_line")
    ingest()
    assert [(row["customer_id"], row["_row"], row["_unread"]) for row in received()] == [("a", 2, None), ("b", 3, None)]
    (file,) = unrecorded(lake, jobs())
    assert file["left_out"] == "_row, _line"


def test_blank_lines_are_no_records_and_give_no_number_twice(folder, ingest, received):
    write(folder, "", "a,2025-01-15,,1", "", "b,2025-01-15", "c,2025-01-15,,3", "", "d,2025-01-15")
    ingest()
    rows = received()
    assert len({row["_row"] for row in rows}) == len(rows) == 4


def test_moments_are_utc_and_days_and_months_follow_from_them(folder, ingest, received):
    write(
        folder,
        "a,u,2026-03-31T23:30:00-02:00,login",
        "a,u,2026-03-31 23:30,login",
        "a,u,31.3.2026,login",
        name="usage_events.csv",
        header="customer_id,user_id,occurred_at,event_type",
    )
    ingest()
    offset, plain, broken = received("usage_events")
    assert offset["occurred_at"] == datetime(2026, 4, 1, 1, 30, tzinfo=UTC)
    assert (offset["event_date"], offset["event_month"]) == (date(2026, 4, 1), date(2026, 4, 1))
    assert (plain["event_date"], plain["event_month"]) == (date(2026, 3, 31), date(2026, 3, 1))
    assert offset["event_id"] != plain["event_id"]
    assert broken["_unread"] == '{"occurred_at":"31.3.2026"}'


def test_the_month_by_which_events_are_kept_follows_from_their_day(folder, ingest, received):
    write(
        folder,
        "a,u,2026-03-31,2025-01-01,login",
        name="usage_events.csv",
        header="customer_id,user_id,event_date,event_month,event_type",
    )
    ingest(as_of=date(2026, 3, 31))
    assert received("usage_events")[0]["event_month"] == date(2026, 3, 1)


def test_a_file_comes_once_whatever_it_is_called_then(folder, ingest, received, lake):
    write(folder, "a,2025-01-15,,100")
    ingest()
    (folder / "subscriptions.csv").rename(folder / "subscriptions-again.csv")
    assert ingest().steps == []
    assert len(received()) == 1
    (entry,) = unrecorded(lake, jobs())
    assert (entry["file"], entry["received"], entry["replaces"]) == ("subscriptions.csv", 1, None)
    assert entry["left_out"] is None


def test_a_changed_file_is_refused_unless_it_is_to_replace_the_earlier_one(folder, ingest, received, lake):
    write(folder, "a,2025-01-15,,100", "b,2025-01-15,,7")
    write(folder, "c,2025-01-15,,1", name="subscriptions-more.csv")
    ingest()
    write(folder, "a,2025-01-15,,120")
    with pytest.raises(UsageError, match=r"another content in subscriptions\.csv.*--replace"):
        ingest()
    assert len(received()) == 3
    ingest(replace=True)
    assert [(row["customer_id"], row["amount"]) for row in received()] == [("c", 1), ("a", 120)]
    ingest()
    assert len(received()) == 2
    assert known(lake, jobs())["bronze.subscriptions", "subscriptions.csv"].batch_id == received()[1]["_batch_id"]


def test_a_content_that_was_replaced_may_come_again(folder, ingest, received, lake):
    for amount in (100, 120, 100):
        write(folder, f"a,2025-01-15,,{amount}")
        ingest(replace=True)
        assert [row["amount"] for row in received()] == [amount]
    first, second, third = sorted(unrecorded(lake, jobs()), key=lambda file: file["run_id"])
    assert first["batch_id"] == second["replaces"] == third["batch_id"]
    assert ingest().steps == []


def test_a_file_cannot_take_the_content_of_another_one(folder, ingest, received):
    write(folder, "a,2025-01-15,,100")
    write(folder, "b,2025-01-15,,5", name="subscriptions-b.csv")
    ingest()
    write(folder, "b,2025-01-15,,5")
    with pytest.raises(UsageError, match=r"another content in subscriptions\.csv"):
        ingest()
    with pytest.raises(UsageError, match=r"the content of another file in subscriptions\.csv"):
        ingest(replace=True)
    assert [row["customer_id"] for row in received()] == ["b", "a"]


def test_a_content_that_moves_to_a_new_name_while_another_takes_its_place_is_not_lost(folder, ingest, received):
    write(folder, "a,2025-01-15,,100")
    ingest()
    (folder / "subscriptions.csv").rename(folder / "subscriptions-old.csv")
    write(folder, "b,2025-02-15,,5")
    ingest(replace=True)
    assert [(row["_source"], row["customer_id"]) for row in received()] == [
        ("subscriptions-old.csv", "a"),
        ("subscriptions.csv", "b"),
    ]
    (folder / "subscriptions-old.csv").rename(folder / "subscriptions-older.csv")
    assert ingest().steps == []


def test_files_come_again_into_a_table_that_was_lost_and_only_there(folder, ingest, received, lake):
    write(folder, "a,2025-01-15,,100")
    write(folder, "a,2025-01-15T10:00:00Z", name="customers.csv", header="customer_id,signup_at")
    run = ingest()
    # As the end of the run records it.
    of_nothing = dict.fromkeys(("kept", "superseded", "quarantined"), 0)
    files = [{name: (row | of_nothing)[name] for name in BATCHES.column_names} for row in unrecorded(lake, jobs())]
    append(run, BATCHES, files)
    assert ingest().steps == []

    shutil.rmtree(lake.table_path("bronze.subscriptions"))
    assert [step.table_name for step in ingest().steps] == ["bronze.subscriptions"]
    assert [row["customer_id"] for row in received()] == ["a"]
    assert ingest().steps == []


def test_a_released_correction_is_no_file(folder, ingest, lake):
    write(folder, "a,2025-01-15,,100")
    ingest()
    table, head = jobs()["bronze.subscriptions"].table, lake.existing("bronze.subscriptions")
    metadata = {"batch": head.metadata["batch"], "released": "released-1"}
    delta.append(table.arrow_schema.empty_table(), lake, table, load(PROJECT / "conf").lake, metadata)
    assert [file["run_id"] for file in unrecorded(lake, jobs())] == [head.metadata["run_id"]]


def test_a_run_that_published_no_quarantine_accounts_for_no_file(folder, ingest, lake):
    write(folder, "a,2025-01-15,,100")
    assert account(ingest()) == []
    assert len(unrecorded(lake, jobs())) == 1


@pytest.fixture
def accounted(lake):
    """Account for a run that published quarantine, in which nothing is."""

    def told(run):
        quarantine = jobs()[QUARANTINE].table
        delta.overwrite(quarantine.arrow_schema.empty_table(), lake, quarantine, run.config.lake, {})
        run.manifest = SimpleNamespace(tables={QUARANTINE: None})
        return [(file["received"], file["kept"], file["superseded"], file["quarantined"]) for file in account(run)]

    return told


def test_a_file_whose_rows_are_gone_is_not_said_to_be_superseded(folder, ingest, lake, accounted):
    write(folder, "a,2025-01-15,,100", "b,2025-01-15,,5")
    run = ingest()
    table = jobs()["bronze.subscriptions"].table
    kept = delta.arrow(lake, table.name)
    delta.overwrite(kept.slice(0, 1), lake, table, run.config.lake, lake.existing(table.name).metadata)
    with pytest.raises(BrokenLakeError, match=r"Rows of subscriptions\.csv .* found 1 rows; expected the 2"):
        accounted(run)
    delta.overwrite(kept, lake, table, run.config.lake, lake.existing(table.name).metadata)
    assert accounted(run) == [(2, 2, 0, 0)]


def test_a_file_that_was_replaced_before_it_was_accounted_for_is_superseded(folder, ingest, accounted):
    write(folder, "a,2025-01-15,,100", "b,2025-01-15,,5")
    ingest()
    write(folder, "a,2025-01-15,,120")
    assert sorted(accounted(ingest(replace=True))) == [(1, 1, 0, 0), (2, 0, 2, 0)]


def test_nothing_is_received_of_a_folder_with_one_broken_file_and_every_problem_is_named(folder, ingest, lake):
    write(folder, "a,2025-01-15,,100")
    write(folder, "a,2025-01-15,5", name="subscriptions-b.csv", header="customer_id,start_date,start_date")
    write(folder, "p,10", name="payments.csv", header="payment_id,amount")
    write(folder, "i;10", name="invoices.csv", header="invoice_id;total")
    write(folder, "p,q", name="plans.csv", header="plan_id,Plan_ID")
    write(folder, "c,Ann", name="customers.csv", header="customer_id,contact_nam")
    with pytest.raises(UsageError) as refused:
        ingest()
    told = str(refused.value)
    assert "subscriptions-b.csv, line 1, column 2: start_date stands there 2 times" in told
    assert "subscriptions-b.csv, line 1: amount is missing" in told
    assert "plans.csv, line 1, column 1: plan_id stands there 2 times" in told
    assert "payments.csv, line 1: customer_id is missing" in told
    assert "payments.csv, line 1: attempted_at is missing" in told
    assert "the only column is 'invoice_id;total': its separator is no comma" in told
    assert "customers.csv, line 1, column 2: 'contact_nam' where contact_name may be meant" in told
    assert "nothing was received" in told
    assert coverage(lake) == {}


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "an empty file"),
        (b"\xff\xfec\x00u\x00", "UTF-16"),
        (
            HEADER.encode() + b"\na,2025-01-15,,100\nM\xfcller,2025-01-15,,100\n",
            "the byte 0xfc in line 3, column customer_id",
        ),
        (HEADER.encode() + b'\na,2025-01-15,,"100\nb,2025-01-15,,100\n', "a quote in line 2 that is never closed"),
        (b"\x89PNG", "the byte 0x89 in line 1"),
        (HEADER.encode() + b"\ra,2025-01-15,,100\r", "in line 1 new-line character"),
    ],
    ids=["empty", "UTF-16", "Latin-1", "open quote", "picture", "carriage returns alone"],
)
def test_a_file_that_is_no_text_is_refused_with_the_place(folder, ingest, lake, content, told):
    (folder / "subscriptions.csv").write_bytes(content)
    write(folder, "a,u,2026-03-31,login", name="usage_events.csv", header="customer_id,user_id,occurred_at,event_type")
    with pytest.raises(UsageError, match=r"The file subscriptions\.csv cannot be read") as refused:
        ingest()
    assert told in str(refused.value)
    assert coverage(lake) == {}


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("subscriptions.json", b'[{"customer_id": "a",}]', "no JSON in line 1"),
        ("subscriptions.jsonl", b"3\n", "'3' in place of an object"),
        ("subscriptions.jsonl", b'{"amount": 1}\n\n{"amount": 2,}\n', "no JSON in line 3, column 14"),
        ("subscriptions.jsonl", b'{"amount": 1}\n{"note": "\xfc"}\n', "the byte 0xfc in line 2, byte 11"),
        ("subscriptions.json", b'[{"amount": 1},\n {"note": "\xfc"}]', "the byte 0xfc in line 2, byte 12"),
        ("subscriptions.json", b'{"amount": 1, "amount": 2}', "the name 'amount' twice in one object"),
        (
            "subscriptions.json",
            b'{"customer_id": "\\ud800", "start_date": "2025-01-15", "amount": 1}',
            "surrogates not allowed",
        ),
        ("subscriptions.json", b"[" * 100_000, "recursion"),
        ("subscriptions.json", b"[]", "no record"),
        ("subscriptions.jsonl", b"", "no record"),
        ("subscriptions.csv", b"\n" + HEADER.encode(), "a blank first line"),
        ("subscriptions.csv", b"customer_id,gr\xf6\xdfe\n", "the byte 0xf6 in line 1, column 2"),
        (
            "subscriptions.csv",
            f"{HEADER}\n".encode() + b"x" * 200_000 + b",2025-01-15,,\xfc\n",
            "the byte 0xfc in line 2, column amount",
        ),
        ("subscriptions.parquet", b"PAR1", "a parquet file"),
        ("subscriptions.csv.gz", b"no gzip", "a csv file"),
        (
            "subscriptions.csv.gz",
            gzip.compress(f"{HEADER}\n{'a,2025-01-15,,100' * 999}".encode())[:-20],
            "a whole csv file",
        ),
    ],
)
def test_a_file_that_is_not_what_its_ending_says_is_refused(folder, ingest, name, content, told):
    (folder / name).write_bytes(content)
    with pytest.raises(UsageError, match=f"The file {name} cannot be read") as refused:
        ingest()
    assert told in str(refused.value)


def test_a_parquet_file_with_a_damaged_page_is_refused_without_a_trace(folder, ingest, lake):
    path = folder / "subscriptions.parquet"
    rows = {"customer_id": [f"c{n}" for n in range(9000)], "start_date": ["2025-01-15"] * 9000, "amount": ["1"] * 9000}
    pq.write_table(pa.table(rows), path, compression="zstd")
    whole = path.read_bytes()
    path.write_bytes(whole[:2000] + bytes(500) + whole[2500:])
    with pytest.raises(UsageError, match=r"The file subscriptions\.parquet cannot be read") as refused:
        ingest()
    assert "Traceback" not in str(refused.value)
    assert coverage(lake) == {}


def test_a_file_in_which_no_record_has_the_right_number_of_cells_keeps_each_of_them(folder, ingest, received):
    write(folder, "a,2025-01-15,,100")
    write(folder, "a,Acme,", "b,Bolt,", name="customers.csv", header="customer_id,company_name")
    ingest()
    found = [(row["_row"], row["_unread"]) for row in received("customers")]
    assert found == [(2, '{"_line":"a,Acme,"}'), (3, '{"_line":"b,Bolt,"}')]


@pytest.mark.parametrize(
    ("extra", "meant"),
    [
        ("customer_name", None),
        ("created_at", None),
        ("country", None),
        ("plan_name", None),
        ("description", None),
        ("account_type", None),
        ("notes", None),
        ("plan", "plan_id"),
        ("end", "end_date"),
        ("Start Date", "start_date"),
        ("interval", "billing_interval"),
        ("currency_code", "currency"),
        ("canceled", "canceled_at"),
    ],
)
def test_a_column_more_is_left_out_unless_it_may_be_meant_for_one_that_is_missing(folder, ingest, lake, extra, meant):
    names = ["customer_id", "amount", *{"start_date", "end_date"} - {meant}]
    cells = {"amount": "100", "start_date": "2025-01-15", "end_date": ""}
    write(folder, ",".join(cells.get(name, "x") for name in names) + ",2025-01-15", header=",".join([*names, extra]))
    if meant is None:
        ingest()
        assert unrecorded(lake, jobs())[0]["left_out"] == extra
    else:
        with pytest.raises(UsageError, match=f"{extra!r} where {meant} may be meant"):
            ingest()


def test_files_of_a_table_in_another_format_are_named_and_other_ones_passed_over(folder, ingest):
    write(folder, "a,2025-01-15,,100")
    (folder / "README.txt").touch()
    (folder / "invoices.xlsx").touch()
    (folder / "usage_events").mkdir()
    (folder / "usage_events" / "_SUCCESS").touch()
    with pytest.raises(UsageError, match=r"cannot be read: found invoices\.xlsx; expected one of \.csv"):
        ingest()
    (folder / "invoices.xlsx").unlink()
    assert [step.table_name for step in ingest().steps] == ["bronze.subscriptions"]


def test_a_folder_that_spark_wrote_is_read_but_not_where_its_folders_hold_a_column(folder, ingest, received):
    rows = pa.table({"customer_id": ["a"], "start_date": ["2025-01-15"], "amount": ["5"]})
    written = folder / "subscriptions.parquet"
    written.mkdir()
    pq.write_table(rows, written / "part-00000.snappy.parquet")
    ingest()
    assert [row["customer_id"] for row in received()] == ["a"]
    paused = folder / "subscriptions" / "status=paused"
    paused.mkdir(parents=True)
    pq.write_table(rows.slice(0, 0), paused / "part-0.parquet")
    with pytest.raises(UsageError, match=r"status is in the name of a folder alone \(status=paused\)"):
        ingest()


def test_a_file_of_no_table_is_named_with_what_may_be_meant(folder, ingest):
    write(folder, "a,2025-01-15,,100", name="subscription.csv")
    with pytest.raises(UsageError, match=r"subscription\.csv.*to subscriptions perhaps"):
        ingest()


def test_the_records_reach_as_far_as_they_say_but_never_to_an_end_of_terms(folder, ingest, lake):
    write(folder, "a,2025-01-15,2027-12-31,100", "b,2025-03-31,,5")
    ingest()
    assert coverage(lake)["covered_to"] == "2025-03-31"
    write(
        folder,
        "a,u,2025-06-02T08:00:00Z,login",
        name="usage_events.csv",
        header="customer_id,user_id,occurred_at,event_type",
    )
    ingest()
    assert coverage(lake)["covered_to"] == "2025-06-02"
    assert as_of(lake) == date(2025, 5, 31)
    ingest(as_of=date(2025, 6, 30))
    assert as_of(lake) == date(2025, 6, 30)
    with pytest.raises(UsageError, match="whose records reach 2025-06-30"):
        ingest(as_of=date(2025, 5, 31))


def test_rows_that_cannot_be_used_do_not_tell_how_far_the_records_reach(folder, ingest, lake):
    ends_before = "a,2026-02-01,2025-01-01,5"
    unreadable = "b,2026-03-01,,none"
    write(folder, "a,2025-01-15,,100", ends_before, unreadable)
    ingest()
    assert coverage(lake)["covered_to"] == "2025-01-15"


def test_a_last_day_years_after_all_others_is_taken_for_mistyped_until_the_reach_is_named(folder, ingest, lake):
    write(folder, "a,2025-01-15,,100", "b,2205-02-01,,5")
    with pytest.raises(UsageError, match=r"the last day 2205-02-01 in subscriptions\.csv, and 2025-01-15 before it"):
        ingest()
    assert coverage(lake) == {}
    ingest(as_of=date(2025, 1, 31))
    assert coverage(lake)["covered_to"] == "2025-01-31"
    # Beside what the lake holds, too.
    write(folder, "c,2052-03-01,,5", name="subscriptions-2.csv")
    with pytest.raises(UsageError, match="the last day 2052-03-01"):
        ingest()


def test_a_reach_that_was_wrong_is_put_right_together_with_its_file(folder, ingest, lake):
    write(folder, "a,2025-01-15,,100", "b,2027-02-01,,5")
    write(folder, "a,2025-01-15", name="customers.csv", header="customer_id,signup_at")
    ingest()
    assert coverage(lake)["covered_to"] == "2027-02-01"
    write(folder, "a,2025-01-15,,100", "b,2025-02-01,,5")
    ingest(replace=True, as_of=date(2025, 2, 28))
    assert coverage(lake)["covered_to"] == "2025-02-28"
    # What comes after it goes on from there.
    write(folder, "c,2025-03-31,,5", name="subscriptions-march.csv")
    ingest()
    assert coverage(lake)["covered_to"] == "2025-03-31"


def test_old_records_are_welcome_however_far_apart_their_days_are(folder, ingest, lake):
    write(folder, "a,2025-06-30,,100")
    ingest()
    days = ("A1,2014-03-01T00:00:00Z", "A2,2020-06-01T00:00:00Z")
    write(folder, *days, name="accounts.csv", header="account_id,updated_at")
    ingest()
    assert coverage(lake)["covered_to"] == "2025-06-30"


def test_files_without_a_row_and_files_without_one_that_can_be_used_are_received_in_every_table(folder, ingest):
    for job in jobs().values():
        if job.is_received:
            write_template(job.table, folder)
            names = [column.name for column in given(job.table)]
            unusable = ",".join("x\0" for _ in names)
            write(folder, unusable, name=f"{job.table.short_name}-2.csv", header=",".join(names))
    steps = ingest(as_of=date(2025, 1, 31)).steps
    assert sorted(step.rows for step in steps) == [0] * (len(steps) // 2) + [1] * (len(steps) // 2)
    assert len(steps) == 2 * sum(job.is_received for job in jobs().values())


@pytest.fixture
def cut_short_at(ingest, monkeypatch):
    """Deliver the folder up to the files of a table."""
    appended = delivery._append

    def cut_short(name):
        def failing(run, staged, *more):
            if staged.table.short_name == name:
                raise OSError(28, "No space left on device")
            appended(run, staged, *more)

        with monkeypatch.context() as patched:
            patched.setattr(delivery, "_append", failing)
            with pytest.raises(OSError, match="No space"):
                ingest()

    return cut_short


def test_a_delivery_that_was_cut_short_moves_no_coverage_and_the_next_one_completes_it(
    folder, ingest, lake, cut_short_at, received
):
    write(folder, "a,2025-01-15,,100")
    write(
        folder,
        "a,u,2025-06-30T08:00:00Z,login",
        name="usage_events.csv",
        header="customer_id,user_id,occurred_at,event_type",
    )
    cut_short_at("usage_events")
    with pytest.raises(UsageError, match="a delivery that was cut short"):
        as_of(lake)
    assert [step.table_name for step in ingest().steps] == ["bronze.usage_events"]
    assert as_of(lake) == date(2025, 6, 30)
    assert len(received()) == 1
    assert not (lake.root / "_staging").exists()


def test_what_a_delivery_that_was_cut_short_reached_still_tells_its_end_however_often_it_was(
    folder, ingest, lake, cut_short_at, received
):
    write(folder, "a,2025-09-30T08:00:00Z", name="customers.csv", header="customer_id,updated_at")
    write(folder, "events,2025-01-01,10", name="marketing_spend.csv", header="channel,month,amount")
    write(folder, "a,2025-01-15,,100")
    for name in ("marketing_spend", "subscriptions"):
        cut_short_at(name)
        assert coverage(lake)["covered_to"] is None
    assert [step.table_name for step in ingest().steps] == ["bronze.subscriptions"]
    assert coverage(lake)["covered_to"] == "2025-09-30"
    assert received()[0]["updated_at"] == datetime(2025, 9, 30, tzinfo=UTC)
    # A delivery after one that has ended tells for itself: the first day of terms, where nothing else is told.
    write(folder, "b,2025-12-24,,100", name="subscriptions-2.csv")
    ingest()
    assert coverage(lake)["covered_to"] == "2025-12-24"


def test_a_day_that_was_corrected_before_its_delivery_was_completed_tells_nothing_any_more(
    folder, ingest, lake, cut_short_at
):
    write(folder, "a,2027-09-30T08:00:00Z", name="customers.csv", header="customer_id,updated_at")
    write(folder, "a,2025-01-15,,100")
    cut_short_at("subscriptions")
    write(folder, "a,2025-09-30T08:00:00Z", name="customers.csv", header="customer_id,updated_at")
    ingest(replace=True)
    assert coverage(lake)["covered_to"] == "2025-09-30"


def test_a_reach_that_was_named_ends_a_delivery_that_was_cut_short(folder, ingest, lake, cut_short_at):
    write(folder, "a,2025-09-30T08:00:00Z", name="customers.csv", header="customer_id,updated_at")
    write(folder, "a,2025-01-15,,100")
    cut_short_at("subscriptions")
    (folder / "subscriptions.csv").unlink()
    ingest(replace=True, as_of=date(2025, 8, 31))
    write(folder, "a,2025-01-15,,100")
    ingest()
    assert coverage(lake)["covered_to"] == "2025-08-31"


def test_contents_that_change_places_in_a_delivery_that_was_cut_short_are_both_known(
    folder, ingest, received, monkeypatch
):
    write(folder, "a,2025-01-15,,100", name="subscriptions-1.csv")
    write(folder, "b,2025-01-15,,5", name="subscriptions-2.csv")
    ingest()
    (folder / "subscriptions-1.csv").rename(folder / "kept")
    (folder / "subscriptions-2.csv").rename(folder / "subscriptions-1.csv")
    (folder / "kept").rename(folder / "subscriptions-2.csv")
    appended = delivery._append

    def until_the_second(run, staged, *more):
        if staged.file.name == "subscriptions-2.csv":
            raise OSError(28, "No space left on device")
        appended(run, staged, *more)

    with monkeypatch.context() as patched:
        patched.setattr(delivery, "_append", until_the_second)
        with pytest.raises(OSError, match="No space"):
            ingest(replace=True)
    ingest(replace=True)
    found = [(row["_source"], row["customer_id"]) for row in received()]
    assert found == [("subscriptions-1.csv", "b"), ("subscriptions-2.csv", "a")]
    for name in ("subscriptions-1.csv", "subscriptions-2.csv"):
        (folder / name).rename(folder / name.replace("subscriptions", "subscriptions-again"))
    assert ingest().steps == []


def test_a_generated_lake_takes_no_files(folder, ingest, lake):
    write(folder, "a,2025-01-15,,100")
    table = jobs()["bronze.subscriptions"].table
    batch = {"source": "generator", "batch_id": "generated", "covered_to": "2025-06-30"}
    delta.append(
        table.arrow_schema.empty_table(), lake, table, load(PROJECT / "conf").lake, {"run_id": "r", "batch": batch}
    )
    with pytest.raises(UsageError, match="holds a generated company"):
        ingest()
