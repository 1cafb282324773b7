"""A dirty company: each fault is caught by a rule with a name, as often as it was planted, and nothing else changes."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from datetime import date

import duckdb
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from lakehouse import delta
from lakehouse.cli import app
from lakehouse.config import load
from lakehouse.console import Silence
from lakehouse.errors import UsageError
from lakehouse.generator.build import Request, receive
from lakehouse.generator.faults import KEYS
from lakehouse.lake import TRUTH, Lake
from lakehouse.project import PROJECT
from lakehouse.registry import jobs
from lakehouse.runner import execute

pytestmark = pytest.mark.soak

# The rule of silver.quarantine that catches each fault, by kind, table and columns.
REJECTED_BY = {
    ("missing_field", "customers", "customer_id"): "customer_id_missing",
    ("missing_field", "subscriptions", "customer_id"): "customer_id_missing",
    ("missing_field", "subscriptions", "start_date"): "start_date_missing",
    ("missing_field", "subscriptions", "currency"): "currency_missing",
    ("missing_field", "invoices", "customer_id"): "customer_id_missing",
    ("missing_field", "invoices", "currency"): "currency_missing",
    ("missing_field", "payments", "customer_id"): "customer_id_missing",
    ("missing_field", "payments", "currency"): "currency_missing",
    ("missing_field", "support_interactions", "customer_id"): "customer_id_missing",
    ("missing_field", "nps_responses", "customer_id"): "customer_id_missing",
    ("missing_field", "users", "customer_id"): "customer_id_missing",
    ("missing_field", "marketing_spend", "channel"): "channel_missing",
    ("missing_field", "marketing_spend", "currency"): "currency_missing",
    ("missing_field", "expenses", "department"): "department_missing",
    ("missing_field", "expenses", "currency"): "currency_missing",
    ("missing_field", "exchange_rates", "currency"): "currency_missing",
    ("missing_field", "usage_events", "customer_id"): "customer_id_missing",
    ("missing_field", "usage_events", "user_id"): "user_id_missing",
    ("broken_value", "customers", "updated_at"): "updated_at_missing",
    ("broken_value", "subscriptions", "amount"): "amount_missing_or_negative",
    ("broken_value", "invoices", "total"): "total_missing_or_negative",
    ("broken_value", "payments", "amount"): "amount_missing_or_negative",
    ("broken_value", "payments", "status"): "status_unknown",
    ("broken_value", "support_interactions", "opened_at"): "opened_at_missing",
    ("broken_value", "nps_responses", "score"): "score_out_of_range",
    ("broken_value", "users", "updated_at"): "updated_at_missing",
    ("broken_value", "marketing_spend", "amount"): "amount_missing_or_negative",
    ("broken_value", "expenses", "amount"): "amount_missing_or_negative",
    ("broken_value", "exchange_rates", "rate"): "rate_not_positive",
    ("broken_value", "usage_events", "occurred_at, event_date, event_month"): "event_date_missing",
    ("clock_skew", "support_interactions", "first_responded_at"): "responded_before_opened",
    ("clock_skew", "support_interactions", "resolved_at"): "resolved_before_opened",
    ("unknown_currency", "subscriptions", "currency"): "currency_without_rate",
    ("unknown_currency", "invoices", "currency"): "currency_without_rate",
    ("unknown_currency", "payments", "currency"): "currency_without_rate",
    ("unknown_currency", "marketing_spend", "currency"): "currency_without_rate",
    ("unknown_currency", "expenses", "currency"): "currency_without_rate",
    ("negative_amount", "subscriptions", "amount"): "amount_missing_or_negative",
    ("negative_amount", "invoices", "total"): "total_missing_or_negative",
    ("negative_amount", "payments", "amount"): "amount_missing_or_negative",
    ("negative_amount", "marketing_spend", "amount"): "amount_missing_or_negative",
    ("negative_amount", "expenses", "amount"): "amount_missing_or_negative",
    ("end_before_start", "subscriptions", "end_date"): "end_before_start",
    ("unknown_interval", "subscriptions", "billing_interval"): "billing_interval_unknown",
}

# A moment that is missing also breaks the rules that compare with it.
ALSO_BREAK = {
    ("bronze.support_interactions", "responded_before_opened"): "opened_at IS NULL AND first_responded_at IS NOT NULL",
    ("bronze.support_interactions", "resolved_before_opened"): "opened_at IS NULL AND resolved_at IS NOT NULL",
    ("bronze.subscriptions", "end_before_start"): "start_date IS NULL AND end_date IS NOT NULL",
}
UNKNOWN_CUSTOMER_RULE = "customer_id_in_silver_customers"
TOLD_BESIDES = {
    *((name, "received_once") for name in KEYS if name != "bronze.usage_events"),
    ("silver.repeated_events", "received_once"),
    ("bronze.usage_events", "arrived_in_time"),
    ("silver.user_days", "used_after_signup"),
    ("silver.user_days", "activity_date_in_silver_dim_date"),
    ("silver.payments", "invoice_id_in_silver_invoices"),
    # Without the orphans these tables are those of the clean company, which breaks none of the following: the copy of
    # terms bears its subscription's id, nobody paid the copy of a paid invoice, nobody billed what the copy of a payment
    # pays, and the copy of a second attempt is the only one on its invoice.
    ("silver.subscriptions", "plan_terms_do_not_overlap"),
    ("silver.invoices", "paid_invoices_were_collected"),
    ("silver.payments", "no_more_collected_than_billed"),
    ("silver.payments", "attempts_count_up"),
}

# Faults that only a look at another table shows, so that no rule rejects them. Each query finds just the planted rows.
UNKNOWN_CUSTOMER = """
    SELECT count(*) FROM bronze_{} ANTI JOIN bronze_customers USING (customer_id) WHERE customer_id IS NOT NULL
"""
FOUND_ACROSS_TABLES = {
    ("orphan", "subscriptions"): UNKNOWN_CUSTOMER.format("subscriptions"),
    ("orphan", "invoices"): UNKNOWN_CUSTOMER.format("invoices"),
    ("orphan", "payments"): "SELECT count(*) FROM bronze_payments ANTI JOIN bronze_invoices USING (invoice_id)",
    ("orphan", "support_interactions"): UNKNOWN_CUSTOMER.format("support_interactions"),
    ("orphan", "nps_responses"): UNKNOWN_CUSTOMER.format("nps_responses"),
    ("orphan", "usage_events"): UNKNOWN_CUSTOMER.format("usage_events"),
    ("clock_skew", "usage_events"): """
        SELECT count(*) FROM bronze_usage_events
        JOIN (SELECT customer_id, min(signup_at)::DATE AS signup_date FROM bronze_customers GROUP BY ALL)
            USING (customer_id)
        WHERE event_date < signup_date
    """,
}

DUPLICATES = ("exact_duplicate", "changed_duplicate")
# The id of an event counts within its month.
ALSO_OF_KEY = {"bronze.usage_events": ("event_month",)}
# Received rows and the clean ones, with the key of a clean row.
CLEAN = {
    "subscriptions": ("silver.subscriptions", "subscription_item_id"),
    "invoices": ("silver.invoices", "invoice_id"),
    "payments": ("silver.payments", "payment_id"),
    "support_interactions": ("silver.tickets", "ticket_id"),
    "nps_responses": ("silver.nps_responses", "response_id"),
}
BUILT = (
    "silver.quarantine",
    "silver.repeated_events",
    "silver.customer_months",
    "silver.customers",
    "silver.dim_date",
    "silver.dim_plan",
    "silver.user_days",
    *(name for name, _ in CLEAN.values()),
)
# The records come in two deliveries, so that some events come late for the first.
FIRST_DELIVERY = date(2024, 3, 12)

# What orphans and skewed clocks leave in the clean tables, counted among the received rows.
ORPHANS = {
    "silver.subscriptions": """
        SELECT count(DISTINCT subscription_item_id) FROM bronze_subscriptions
        WHERE left(customer_id, 1) = 'X' AND start_date <= '2024-12-31'
    """,
    "silver.invoices": "SELECT count(DISTINCT invoice_id) FROM bronze_invoices WHERE left(customer_id, 1) = 'X'",
    "silver.tickets": "SELECT count(DISTINCT ticket_id) FROM bronze_support_interactions WHERE left(customer_id, 1) = 'X'",
    "silver.nps_responses": "SELECT count(*) FROM bronze_nps_responses WHERE left(customer_id, 1) = 'X'",
    "silver.user_days": """
        SELECT count(DISTINCT (customer_id, user_id, event_date)) FROM bronze_usage_events
        WHERE left(customer_id, 1) = 'X'
    """,
}
SKEWED = """
    SELECT count(DISTINCT (customer_id, user_id, event_date)) FROM bronze_usage_events WHERE event_date < '2023-07-01'
"""
# Late events and what was copied from them: under their own id, or as an orphan with another first character. The clock
# of the others that come late was skewed.
LATE = """
    SELECT count(*) FROM bronze_usage_events
    WHERE _batch_id = 'generated-2024-12-31' AND event_date <= '2024-03-12' AND (
        substr(event_id, 2) IN (SELECT substr(unnest(ids), 2) FROM planted WHERE kind = 'late_event')
        OR event_date < '2023-07-01'
    )
"""


@pytest.fixture(scope="module")
def dirty(spark, tmp_path_factory):  # noqa: ARG001 - its session
    """The company of ``small_lake`` with so much dirt that every fault occurs."""
    config = load(PROJECT / "conf")
    shares = {
        "records": dict.fromkeys(config.company.dirt.records.by_kind, 0.09),
        "events": dict.fromkeys(config.company.dirt.events.by_kind, 0.002),
    }
    dirt = config.company.dirt.model_validate(shares | {"late_days": 20})
    lake = Lake(tmp_path_factory.mktemp("dirty") / "lake")
    company = config.company.model_copy(update={"dirt": dirt})
    execute(
        lake,
        replace(config, company=company),
        dict(jobs()),
        Silence(),
        receive=_deliver_twice,
        selectors=list(BUILT),
    )
    return lake


def _deliver_twice(run):
    company = Request(customers=40, months=18, seed=3, dirt=True)
    receive(run, replace(company, through=FIRST_DELIVERY))
    receive(run, company)


@pytest.fixture(scope="module")
def planted(dirty):
    """The truth: (kind, table, columns) to how many rows."""
    truth = pq.read_table(dirty.root / TRUTH / "dirt.parquet").to_pylist()
    return {(row["kind"], row["table_name"].removeprefix("bronze."), row["columns"]): row["rows"] for row in truth}


@pytest.fixture(scope="module")
def failed(dirty):
    """What the run found: (table, rule) to how many failed, of the rules that did."""
    return broken_rules(dirty)


def broken_rules(lake):
    results = delta.arrow(lake, "ops.quality_results").to_pylist()
    assert results
    assert not [row for row in results if row["status"] == "error"]
    return {(row["table_name"], row["rule"]): row["failed"] for row in results if row["status"] == "fail"}


@pytest.fixture(scope="module")
def sql(dirty):
    connection = duckdb.connect()
    for name in [*KEYS, *BUILT]:
        connection.register(name.replace(".", "_"), delta.dataset(dirty, name))
    connection.register("planted", pq.read_table(dirty.root / TRUTH / "dirt.parquet"))
    return lambda query: connection.execute(query).fetchall()


def test_every_rejected_row_was_planted_and_its_rule_is_the_one_of_its_fault(planted, sql):
    expected = Counter()
    for fault, rule in REJECTED_BY.items():
        assert planted[fault] > 0, fault
        expected[f"bronze.{fault[1]}", rule] += planted[fault]
    found = {
        (table, rule): n
        for table, rule, n in sql("SELECT table_name, rule, count(*) FROM silver_quarantine GROUP BY ALL")
    }
    assert found == expected


def test_what_no_rule_rejects_is_found_across_tables(planted, sql):
    for (kind, table), query in FOUND_ACROSS_TABLES.items():
        count = sum(n for fault, n in planted.items() if fault[:2] == (kind, table))
        assert count > 0, (kind, table)
        assert sql(query) == [(count,)], (kind, table)


def test_the_clean_company_gives_no_false_alarm(small_lake):
    assert broken_rules(small_lake) == {}


def test_rows_that_are_rejected_are_told_under_each_rule_that_they_break(planted, sql, failed):
    expected = Counter()
    for fault, rule in REJECTED_BY.items():
        if fault[0] != "unknown_currency":  # that rule looks at the rates, and only silver.quarantine names it
            expected[f"bronze.{fault[1]}", rule] += planted[fault]
    for (table, rule), condition in ALSO_BREAK.items():
        ((rows,),) = sql(f"SELECT count(*) FROM {table.replace('.', '_')} WHERE {condition}")  # noqa: S608
        assert rows > 0
        expected[table, rule] += rows
    assert {key: failed.get(key) for key in expected} == expected


def test_nothing_is_told_but_what_was_planted_and_what_follows_from_it(failed):
    of_rejects = {(f"bronze.{table}", rule) for (_, table, _), rule in REJECTED_BY.items()}
    of_orphans = {(table, rule) for table in ORPHANS for rule in ("customer_is_on_record", UNKNOWN_CUSTOMER_RULE)}
    assert failed.keys() - of_rejects - of_orphans == {*TOLD_BESIDES}


def test_a_key_that_is_received_twice_is_told_as_often_as_a_copy_was_planted_under_it(planted, failed):
    for table, key in KEYS.items():
        copies = sum(
            n
            for (kind, of, columns), n in planted.items()
            if f"bronze.{of}" == table
            and kind != "late_event"
            # Without its key a copy repeats nothing; orphans and skewed events have one of their own.
            and not {*columns.split(", ")} & {*key, *ALSO_OF_KEY.get(table, ())}
        )
        told_by = "silver.repeated_events" if table == "bronze.usage_events" else table
        assert failed[told_by, "received_once"] == copies > 0, table


def test_orphans_are_told_whether_or_not_a_subscription_made_up_their_customer(sql, failed):
    for table, query in ORPHANS.items():
        unknown = failed.get((table, UNKNOWN_CUSTOMER_RULE), 0)
        assert sql(query) == [(unknown + failed[table, "customer_is_on_record"],)], table


def test_payments_for_unknown_invoices_are_told(planted, failed):
    assert (
        failed["silver.payments", "invoice_id_in_silver_invoices"]
        == planted["orphan", "payments", "payment_id, invoice_id"]
    )


def test_events_before_the_company_began_are_told_by_user_and_day(sql, failed):
    (skewed,) = sql(SKEWED)[0]
    assert failed["silver.user_days", "used_after_signup"] == skewed > 0
    assert failed["silver.user_days", "activity_date_in_silver_dim_date"] == skewed


def test_events_that_come_after_a_delivery_had_reached_their_day_are_told(sql, failed):
    (late,) = sql(LATE)[0]
    assert failed["bronze.usage_events", "arrived_in_time"] == late > 0


def test_there_is_no_fault_without_an_expectation(planted):
    rest = {fault[:2] for fault in planted if fault not in REJECTED_BY and fault[0] not in DUPLICATES}
    assert rest == {*FOUND_ACROSS_TABLES, ("late_event", "usage_events")}


def test_repeated_events_are_the_planted_copies_under_the_same_id(planted, sql):
    copies = sum(
        n
        for (kind, table, columns), n in planted.items()
        if table == "usage_events"
        and kind in {*DUPLICATES, "missing_field", "broken_value"}
        and not {*columns.split(", ")} & {*ALSO_OF_KEY["bronze.usage_events"]}
    )
    assert sql("SELECT sum(times - 1) FROM silver_repeated_events") == [(copies,)]


@pytest.mark.parametrize("table", KEYS)
def test_what_is_superseded_beyond_the_sound_rows_are_the_planted_duplicates(small_lake, planted, sql, table):
    thing = [name for name in KEYS[table] if name != "updated_at"]
    sound = delta.arrow(small_lake, table)
    duplicates = sum(n for (kind, of, _), n in planted.items() if f"bronze.{of}" == table and kind in DUPLICATES)
    assert duplicates > 0
    ((usable, things),) = sql(f"""
        SELECT count(*), count(DISTINCT ({", ".join(thing)})) FROM {table.replace(".", "_")}
        ANTI JOIN (SELECT _batch_id, _row FROM silver_quarantine WHERE table_name = '{table}') USING (_batch_id, _row)
        WHERE left({thing[0]}, 1) <> 'Y'
    """)  # noqa: S608 - names of the project
    assert usable - things == sound.num_rows - sound.group_by(thing).aggregate([]).num_rows + duplicates


@pytest.mark.parametrize("table", CLEAN)
def test_received_is_kept_and_superseded_and_quarantined(planted, sql, table):
    silver, key = CLEAN[table]
    ((received, things, quarantined, kept),) = sql(f"""
        SELECT count(*), count(DISTINCT {key}),
            (SELECT count(*) FROM silver_quarantine WHERE table_name = 'bronze.{table}'),
            (SELECT count(*) FROM {silver.replace(".", "_")})
        FROM bronze_{table}
    """)  # noqa: S608 - names of the project
    rejected = sum(n for fault, n in planted.items() if fault in REJECTED_BY and fault[1] == table)
    # No rejected row was the only one of its thing.
    superseded = received - rejected - things
    assert received == kept + superseded + quarantined


@pytest.mark.parametrize("silver", ["silver.customer_months", *(name for name, _ in CLEAN.values())])
def test_but_for_orphans_the_clean_results_are_those_without_dirt(small_lake, dirty, silver):
    sound, found = delta.arrow(small_lake, silver).to_pylist(), delta.arrow(dirty, silver).to_pylist()
    # Those of unknown customers, and of known ones the payments for unknown invoices.
    orphans = [row for row in found if row["customer_id"][0] == "X" or row.get("payment_id", "P")[0] == "Y"]
    key = jobs()[silver].table.key

    def ordered(rows):
        return sorted(rows, key=lambda row: [row[name] for name in key])

    assert orphans
    assert ordered(row for row in found if row not in orphans) == ordered(sound)


def command(root, *arguments):
    return CliRunner().invoke(app, [*arguments, "--root", str(root), "--json"], catch_exceptions=False)


def test_a_lake_remembers_its_dirt_and_extends_it(tmp_path):
    size = ["--customers", "10", "--months", "6"]
    cut, whole = tmp_path / "cut", tmp_path / "whole"
    assert json.loads(command(whole, "generate", *size, "--dirt").output)["batch"]["dirt"] is True
    command(cut, "generate", *size, "--dirt", "--through", "2023-10-12")
    command(cut, "generate", "--through", "2023-12-31")
    assert pq.read_table(cut / TRUTH / "dirt.parquet") == pq.read_table(whole / TRUTH / "dirt.parquet")
    with pytest.raises(UsageError, match="holds another company"):
        command(cut, "generate", "--no-dirt")
    with pytest.raises(UsageError, match="without dirt"):
        command(cut, "generate", "--report")
