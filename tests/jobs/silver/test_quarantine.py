"""silver.quarantine: every received row is kept, superseded or here, in no two of these."""

from __future__ import annotations

import json
from datetime import datetime
from decimal import Decimal

import pytest

from jobs.bronze import customers, exchange_rates, subscriptions, usage_events
from jobs.silver import subscriptions as silver_subscriptions
from jobs.silver.quarantine import AS_RECEIVED, CONVERTED, table, transform
from tests.billing import AS_OF, EXCHANGE_RATES, audited, terms

BRONZE = {bronze.short_name: bronze for bronze in (*CONVERTED, *AS_RECEIVED)}


def numbered(records):
    return [record | {"_source": "f.csv", "_batch_id": "b1", "_row": row} for row, record in enumerate(records, 1)]


SUBSCRIPTIONS = numbered(
    (
        terms("kept", "01-01"),
        terms("kept", "01-01", updated_at=datetime(2026, 2, 1)),
        terms("backwards", "02-01", "01-01", currency="CHF", interval_count=0),
        terms("franc", "01-01", currency="CHF"),
        terms("euro", "01-01", currency="EUR"),
    )
)


@pytest.fixture(scope="module")
def received(rows):
    filled = {
        "subscriptions": rows(subscriptions.table, *SUBSCRIPTIONS),
        "exchange_rates": rows(
            exchange_rates.table, *numbered([*EXCHANGE_RATES, {"currency": "EUR", "rate": Decimal(-1)}])
        ),
        "customers": rows(customers.table, *numbered([{"company_name": "No Id Ltd"}])),
        "usage_events": rows(usage_events.table, *numbered([{"event_id": "e1"}])),
    }
    return {name: filled[name] if name in filled else rows(bronze) for name, bronze in BRONZE.items()}


@pytest.fixture(scope="module")
def quarantine(received):
    rejected = audited(transform(reporting_currency="USD", **received), table)
    return {(row.table_name, row["_row"]): row for row in rejected}


def test_each_rejected_row_is_listed_once_under_its_table_and_number(quarantine):
    assert quarantine.keys() == {
        ("bronze.subscriptions", 3),
        ("bronze.subscriptions", 4),
        ("bronze.exchange_rates", 5),
        ("bronze.customers", 1),
        ("bronze.usage_events", 1),
    }


def test_the_first_broken_rule_names_the_row_and_the_reason_gives_all(quarantine):
    row = quarantine["bronze.subscriptions", 3]
    assert row.rule == "end_before_start"
    assert [reason.partition(":")[0] for reason in row.reason.split("; ")] == [
        "end_before_start",
        "interval_count_not_positive",
        "currency_without_rate",
    ]
    assert json.loads(row.row_json)["customer_id"] == "backwards"


def test_a_currency_without_any_rate_is_a_rule_too(quarantine):
    assert quarantine["bronze.subscriptions", 4].rule == "currency_without_rate"


def test_a_corrected_row_stays_marked_and_its_correction_is_judged_like_any_other(received, rows):
    source = "correction of f.csv / b1 / "
    corrections = [
        terms("backwards", "01-01", "02-01") | {"_source": f"{source}3", "_batch_id": "released", "_row": 1},
        terms("franc", "01-01", currency="XXX") | {"_source": f"{source}4", "_batch_id": "released", "_row": 2},
    ]
    corrected = received["subscriptions"].unionByName(rows(subscriptions.table, *corrections))
    found = audited(transform(reporting_currency="USD", **(received | {"subscriptions": corrected})), table)
    assert {row["_row"]: row.is_corrected for row in found if row["_source"] == "f.csv" and row["_row"] > 2} == {
        3: True,
        4: True,
        5: False,  # the rate of -1, whose table has no correction
    }
    assert [(row["_row"], row.rule) for row in found if row["_source"] != "f.csv"] == [(2, "currency_without_rate")]


def test_received_is_kept_and_superseded_and_quarantined(received, quarantine, settings):
    clean = silver_subscriptions.transform(
        subscriptions=received["subscriptions"],
        exchange_rates=received["exchange_rates"],
        as_of=AS_OF,
        reporting_currency="USD",
        policy=settings.policy,
    )
    kept = {row.customer_id for row in clean.collect()}
    quarantined = [key for key in quarantine if key[0] == "bronze.subscriptions"]
    superseded = 1  # the older version of `kept`
    assert kept == {"kept", "euro"}
    assert len(kept) + superseded + len(quarantined) == len(SUBSCRIPTIONS)
