"""Keeping the newest sound version, whatever the order of arrival, and the versions by day."""

from __future__ import annotations

from datetime import date, datetime

from jobs.bronze.customers import table
from lakehouse.cleaning import kept, kept_by_day, rejected


def version(customer_id: str | None, updated_at: datetime | None, region: str, batch: str = "b1") -> dict:
    return {"customer_id": customer_id, "updated_at": updated_at, "region": region, "_batch_id": batch}


EARLY, LATE = datetime(2026, 1, 1, 9), datetime(2026, 1, 5, 9)
VERSIONS = (
    version("a", EARLY, "old", "b2"),
    version("a", LATE, "new", "b1"),
    version("tie", EARLY, "x", "b1"),
    version("tie", EARLY, "y", "b2"),
    version("twice", EARLY, "same", "b1"),
    version("twice", EARLY, "same", "b2"),
    version(None, EARLY, "nobody"),
    version("a", None, "undated"),
)


def test_the_newest_version_is_kept_and_a_tie_is_decided_by_content(rows):
    regions = {"a": "new", "tie": "y", "twice": "same"}
    for order in (VERSIONS, VERSIONS[::-1]):
        found = [(row.customer_id, row.region) for row in kept(rows(table, *order), table).collect()]
        assert sorted(found) == sorted(regions.items())


def test_a_row_that_breaks_two_rules_is_rejected_once_with_both(rows):
    (row,) = rejected(rows(table, version(None, None, "nobody")), table).collect()
    assert row.rule == "customer_id_missing"
    assert row.reason == (
        "customer_id_missing: requires customer_id IS NOT NULL; updated_at_missing: requires updated_at IS NOT NULL"
    )


def test_versions_serve_the_days_from_their_own_to_the_next_ones_the_first_also_those_before(rows):
    versions = rows(
        table,
        version("a", datetime(2026, 1, 1, 9), "one"),
        version("a", datetime(2026, 1, 5, 9), "superseded on its day"),
        version("a", datetime(2026, 1, 5, 18), "two"),
    )
    days = {row.region: (row["_valid_from"], row["_valid_to"]) for row in kept_by_day(versions, table).collect()}
    fifth = date(2026, 1, 5)
    assert days == {"one": (None, fifth), "superseded on its day": (fifth, fifth), "two": (fifth, None)}


def test_a_row_with_a_cell_that_could_not_be_read_is_rejected_for_that_alone_and_shows_its_text(rows):
    unread = version("c", EARLY, "Europe") | {"_unread": '{"employee_count":"many"}'}
    nothing = version(None, None, None) | {"_unread": '{"_line":"a,b"}'}
    found = {row.row_json: (row.rule, row.reason) for row in rejected(rows(table, unread, nothing), table).collect()}
    told = ("cell_unreadable", "cell_unreadable: requires _unread IS NULL")
    both = '{"customer_id":"c","region":"Europe","updated_at":"2026-01-01T09:00:00.000Z","employee_count":"many"}'
    assert found == {both: told, '{"_line":"a,b"}': told}
    assert kept(rows(table, unread), table).isEmpty()
