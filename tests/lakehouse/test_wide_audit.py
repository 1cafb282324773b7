"""Each kind of rule over more than one row, with data that keep it and data that break it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime

import pyarrow as pa
import pyarrow.dataset as ds

from lakehouse.rules import (
    Constant,
    ForeignKey,
    Freshness,
    Once,
    ParentCheck,
    Part,
    Received,
    Reconciliation,
    Sequence,
    Timely,
    Volume,
)
from lakehouse.scope import Scope
from lakehouse.table import PROVENANCE, Column, Table
from lakehouse.wide_audit import wide_audit

CUSTOMERS = Table(
    name="silver.customers",
    description="Customers: one row per customer.",
    grain="customer",
    key=("customer_id",),
    columns=(
        Column("customer_id", "string", "Customer", nullable=False),
        Column("signup_date", "date", "Day of the signup"),
    ),
)

RECEIVED_TERMS = Table(
    name="bronze.terms",
    description="Terms as received: one row per version of a term.",
    grain="version of a term",
    key=("term_id", "version"),
    columns=(
        Column("term_id", "string", "Term"),
        Column("version", "int", "Version"),
        Column("begins_at", "timestamp", "When it begins"),
        *PROVENANCE,
    ),
    audits=(Once("received_once", ("term_id", "version")), Timely("arrived_in_time", "begins_at")),
)

QUARANTINE = Table(
    name="silver.quarantine",
    description="Rejected rows: one row per row.",
    grain="row",
    key=("_row",),
    columns=(Column("table_name", "string", "Table"), *PROVENANCE[:3]),
)

TERMS = Table(
    name="silver.terms",
    description="Terms: one row per term.",
    grain="term",
    key=("term_id",),
    foreign_keys={"customer_id": "silver.customers"},
    columns=(
        Column("term_id", "string", "Term", nullable=False),
        Column("customer_id", "string", "Customer"),
        Column("begins", "date", "First day"),
        Column("ends", "date", "First day after"),
        Column("seats", "bigint", "Seats"),
        Column("cohort", "string", "Cohort"),
    ),
    audits=(
        ParentCheck("begins_after_signup", "silver.customers", "begins >= customers.signup_date"),
        Sequence(
            "no_overlap",
            "previous IS NULL OR previous.ends <= begins",
            order=("begins", "term_id"),
            within=("customer_id",),
            where="customer_id IS NOT NULL",
        ),
        Reconciliation(
            "seats_of_both", "sum(seats)", (Part("gold.totals", "sum(seats)", by=("who",)),), ("customer_id",)
        ),
        Reconciliation("at_most", "sum(seats)", (Part("gold.totals", "sum(seats)"),), comparison="<=", tolerance=1),
        Reconciliation(
            "seats_of_own",
            "sum(seats)",
            (Part("gold.totals", "sum(seats)", by=("who",)),),
            ("customer_id",),
            where="customer_id IS NOT NULL",
            own_groups=True,
        ),
        Constant("one_cohort", "max(cohort)", by=("term_id",), within=("customer_id",)),
        Received("accounted_for", "bronze.terms", known_from="begins_at"),
        Freshness("recent", "begins", days=31),
        Volume("usual_volume", least=0.5, most=2.0),
    ),
)

TOTALS = Table(
    name="gold.totals",
    description="Totals: one row per customer.",
    grain="customer",
    key=("who",),
    columns=(Column("who", "string", "Customer"), Column("seats", "bigint", "Seats")),
)

TABLES = {table.name: table for table in (CUSTOMERS, RECEIVED_TERMS, QUARANTINE, TERMS, TOTALS)}


def day(text):
    return date.fromisoformat(f"2026-{text}")


def term(term_id, customer_id, begins, ends, *, seats, cohort="c1"):
    return {
        "term_id": term_id,
        "customer_id": customer_id,
        "begins": day(begins),
        "ends": ends and day(ends),
        "seats": seats,
        "cohort": cohort,
    }


def received(row, term_id, begins="01-01"):
    begins_at = datetime.combine(day(begins), datetime.min.time())
    return {"term_id": term_id, "begins_at": begins_at, "_source": "f", "_batch_id": "b", "_row": row}


SOUND = {
    "silver.customers": [{"customer_id": "a", "signup_date": day("01-01")}],
    "silver.terms": [
        term("1", "a", "01-01", "03-01", seats=2),
        term("2", "a", "03-01", None, seats=3),
        term("3", None, "06-01", None, seats=0, cohort="c2"),
    ],
    "gold.totals": [{"who": "a", "seats": 5}, {"who": "seatless", "seats": 0}],
    "bronze.terms": [
        received(1, "1"),
        received(2, "1"),  # another version of what is kept
        received(3, None),  # in quarantine
        received(4, "later", "07-01"),  # not due before July
        received(5, "later", "06-01"),  # due once, then moved to July
    ],
    "silver.quarantine": [
        {"table_name": "bronze.terms", "_source": "f", "_batch_id": "b", "_row": 3},
        {"table_name": "bronze.others", "_source": "f", "_batch_id": "b", "_row": 6},
    ],
}

BROKEN = SOUND | {
    "silver.terms": [
        term("1", "a", "01-01", "03-01", seats=2),
        term("2", "a", "02-28", "04-01", seats=3, cohort="c2"),  # before the end of the first, and of another cohort
        term("3", "nobody", "04-01", None, seats=1),  # an orphan, which has no total
        term("4", "a", "04-02", None, seats=1, cohort=None),  # a cohort that is missing is another one too
    ],
    "silver.customers": [{"customer_id": "a", "signup_date": day("02-01")}],  # after the first term
    "bronze.terms": [received(1, "1"), received(3, None), received(6, "lost")],
}


def scope(records, rows_before=3):
    def stored(name):
        schema = pa.schema([field.with_nullable(True) for field in TABLES[name].arrow_schema])
        return ds.dataset(pa.Table.from_pylist(records[name], schema=schema))

    return Scope(
        tables=TABLES, stored=stored, as_of=day("06-30"), rows_before={TERMS.name: rows_before}, stale=frozenset()
    )


def outcomes(results):
    return {result.rule: (result.status, result.checked, result.failed) for result in results}


def test_sound_data_pass_every_kind():
    assert outcomes(wide_audit(TERMS, scope(SOUND))) == {
        "customer_id_in_silver_customers": ("pass", 2, 0),
        "begins_after_signup": ("pass", 2, 0),
        "no_overlap": ("pass", 2, 0),
        "seats_of_both": ("pass", 3, 0),  # the customer, the term of nobody, and the total of who has no term
        "seats_of_own": ("pass", 1, 0),
        "at_most": ("pass", 1, 0),
        "one_cohort": ("pass", 2, 0),
        "accounted_for": ("pass", 4, 0),
        "recent": ("pass", 3, 0),
        "usual_volume": ("pass", 3, 0),
    }


def test_each_kind_counts_what_breaks_it():
    assert outcomes(wide_audit(TERMS, scope(BROKEN, rows_before=9))) == {
        "customer_id_in_silver_customers": ("fail", 4, 1),
        "begins_after_signup": ("fail", 3, 1),
        "no_overlap": ("fail", 4, 1),
        "seats_of_both": ("fail", 3, 2),  # a has 2 + 3 + 1 and not 5; nobody has 1 and not 0
        "seats_of_own": ("fail", 2, 2),
        "at_most": ("fail", 1, 1),  # 7 > 5 + 1
        "one_cohort": ("fail", 2, 1),
        "accounted_for": ("fail", 3, 1),
        "recent": ("fail", 4, 1),  # 2026-04-02 is more than 31 days before 2026-06-30
        "usual_volume": ("fail", 4, 1),  # 4 < 0.5 x 9
    }


def delivered(on, term_id, version, begins, source="f"):
    row = received(1, term_id, begins) | {"version": version, "_source": source}
    return row | {"_ingested_at": datetime.combine(day(on), datetime.min.time())}


def test_what_was_received_before_or_comes_after_its_time_is_counted():
    deliveries = [
        delivered("02-02", "1", 1, "01-01"),
        delivered("02-02", "1", 2, "02-01"),
        delivered("02-02", None, 1, "02-01"),
        delivered("03-01", "1", 2, "02-02", source="correction of f / b / 2"),  # no repetition
        delivered("03-01", "2", 1, "02-28"),
        delivered("04-01", "2", 1, "02-28"),  # once more, though the delivery before had reached that day
        delivered("04-01", "3", 1, "03-01"),
    ]
    assert outcomes(wide_audit(RECEIVED_TERMS, scope(SOUND | {"bronze.terms": deliveries}))) == {
        "received_once": ("fail", 4, 1),
        "arrived_in_time": ("fail", 7, 1),
    }


def test_an_empty_lake_breaks_no_rule():
    empty = {name: [] for name in TABLES}
    found = outcomes(wide_audit(TERMS, scope(empty))) | outcomes(wide_audit(RECEIVED_TERMS, scope(empty)))
    assert found.pop("usual_volume") == ("fail", 0, 1)  # there were three rows
    assert found.pop("at_most") == ("pass", 1, 0)  # nothing is at most nothing
    assert set(found.values()) == {("pass", 0, 0)}


def test_a_crash_is_an_error_of_that_rule_alone():
    crashing = Reconciliation("crashes", "sum(seats) / 0", ())
    uncast = Sequence("compares_infinity", "seats / 0 > previous.seats", order=("term_id",))
    results = wide_audit(replace(TERMS, audits=(*TERMS.audits, uncast, crashing)), scope(SOUND))
    assert {result.rule: result.status for result in results if result.status != "pass"} == {
        "compares_infinity": "error",
        "crashes": "error",
    }
    assert "Division by zero" in results[-1].message
    assert results[-1].stops


def test_a_rule_without_what_it_needs_is_skipped_and_not_passed():
    known = scope(SOUND, rows_before=None)
    first_run = replace(known, stale={"gold.totals"})
    statuses = {result.rule: result.status for result in wide_audit(TERMS, first_run)}
    assert {rule for rule, status in statuses.items() if status == "skipped"} == {
        "seats_of_both",
        "seats_of_own",
        "at_most",
        "usual_volume",
    }


def test_orphans_of_received_rows_are_reported_and_stop_nothing():
    strict, lenient = TERMS, replace(TERMS, may_be_orphans=("customer_id",))
    keys = [table.wide_rules[0] for table in (strict, lenient)]
    assert all(isinstance(key, ForeignKey) for key in keys)
    assert [(key.severity, key.action) for key in keys] == [("error", "stop"), ("warn", "mark")]
