"""The CRM against billing, against itself, and against the day on which it is looked at."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from datetime import date
from hashlib import sha256
from math import sqrt
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from lakehouse.generator.company import Company
from lakehouse.generator.simulation import simulate
from tests.lakehouse.generator.conftest import SEED, connected

Sql = Callable[[str], list[tuple[Any, ...]]]
Tables = Mapping[str, pa.Table]

# What the generator made of sixty customers in a year before there was a CRM.
BEFORE_THE_CRM = {
    "bronze.add_ons": "e4f4a96e7affcc50",
    "bronze.customers": "5c479f80733db942",
    "bronze.exchange_rates": "17c02b672e947e58",
    "bronze.expenses": "173feb54c1341d9e",
    "bronze.invoices": "3ccf361ce5277d07",
    "bronze.marketing_spend": "b73d2fb54f7aeb15",
    "bronze.nps_responses": "e47053799ab43db9",
    "bronze.payments": "024c258ee78ca7c7",
    "bronze.plans": "49fe67b62fd0af05",
    "bronze.subscriptions": "fe5ea089675d75c5",
    "bronze.support_interactions": "16382ad92edc345c",
    "bronze.usage_events": "120e7bcd7803a9a3",
    "bronze.users": "60cb2e53d2fd17f3",
    "bronze.web_traffic": "a7e0b7a401682633",
}
KNOWN_BY = {
    "accounts": "updated_at",
    "leads": "updated_at",
    "contacts": "created_at",
    "opportunities": "updated_at",
    "opportunity_stage_history": "changed_at",
    "activities": "occurred_at",
    "marketing_events": "occurred_at",
}
KEYS = {
    "accounts": "account_id, updated_at",
    "leads": "lead_id, updated_at",
    "contacts": "contact_id",
    "sales_reps": "rep_id, updated_at",
    "quotas": "rep_id, quarter",
    "opportunities": "opportunity_id, updated_at",
    "opportunity_stage_history": "history_id",
    "activities": "activity_id",
    "billing_orders": "order_id",
    "marketing_events": "touch_id",
}
# Every column that names a row of another table, and that table's key.
REFERENCES = [
    ("bronze_customers", "account_id", "accounts", "account_id"),
    ("bronze_subscriptions", "opportunity_id", "opportunities", "opportunity_id"),
    ("bronze_invoices", "order_id", "bronze_billing_orders", "order_id"),
    ("bronze_billing_orders", "account_id", "accounts", "account_id"),
    ("bronze_billing_orders", "opportunity_id", "opportunities", "opportunity_id"),
    ("bronze_opportunities", "account_id", "accounts", "account_id"),
    ("bronze_opportunities", "lead_id", "leads", "lead_id"),
    ("bronze_opportunities", "owner_rep_id", "reps", "rep_id"),
    ("bronze_opportunity_stage_history", "opportunity_id", "opportunities", "opportunity_id"),
    ("bronze_opportunity_stage_history", "rep_id", "reps", "rep_id"),
    ("bronze_leads", "account_id", "accounts", "account_id"),
    ("bronze_leads", "contact_id", "bronze_contacts", "contact_id"),
    ("bronze_leads", "opportunity_id", "opportunities", "opportunity_id"),
    ("bronze_leads", "owner_rep_id", "reps", "rep_id"),
    ("bronze_leads", "campaign_id", "bronze_marketing_spend", "campaign_id"),
    ("bronze_contacts", "account_id", "accounts", "account_id"),
    ("bronze_accounts", "parent_account_id", "accounts", "account_id"),
    ("bronze_accounts", "owner_rep_id", "reps", "rep_id"),
    ("bronze_activities", "opportunity_id", "opportunities", "opportunity_id"),
    ("bronze_activities", "account_id", "accounts", "account_id"),
    ("bronze_activities", "contact_id", "bronze_contacts", "contact_id"),
    ("bronze_activities", "rep_id", "reps", "rep_id"),
    ("bronze_marketing_events", "lead_id", "leads", "lead_id"),
    ("bronze_marketing_events", "account_id", "accounts", "account_id"),
    ("bronze_marketing_events", "campaign_id", "bronze_marketing_spend", "campaign_id"),
    ("bronze_quotas", "rep_id", "reps", "rep_id"),
    ("bronze_sales_reps", "manager_id", "reps", "rep_id"),
]
# What sales does, and when; wins of expansions are in force on the spot.
HAPPENS = {
    "a change of stage": "SELECT changed_at FROM bronze_opportunity_stage_history WHERE from_stage <> to_stage "
    "AND to_stage <> 'closed_won'",
    "a deal opened": "SELECT changed_at FROM bronze_opportunity_stage_history WHERE from_stage IS NULL",
    "an activity": "SELECT occurred_at FROM bronze_activities",
    "a lead": "SELECT created_at FROM leads",
    "a touch": "SELECT occurred_at FROM bronze_marketing_events",
    "a signature": "SELECT ordered_at FROM bronze_billing_orders WHERE order_type <> 'expansion'",
}
TRUTH_OF_THE_CRM = {"truth.crm_deals", "truth.crm_reps", "truth.crm_quarters"}


def digest(table: pa.Table) -> str:
    return sha256(repr(table.to_pydict()).encode()).hexdigest()[:16]


@pytest.mark.soak
def test_the_crm_leaves_everything_else_bit_for_bit_as_it_was(company: Company, schemas: Mapping[str, Any]) -> None:
    parts: defaultdict[str, list[pa.Table]] = defaultdict(list)
    through = date(2024, 6, 30)
    for month in simulate(company, SEED, customers=60, months=12, through=through, schemas=schemas):
        for name, rows in month.tables.items():
            parts[name].append(rows)
        parts["bronze.usage_events"] += [pa.Table.from_batches([batch]) for batch in month.events]
    assert {name: digest(pa.concat_tables(parts[name])) for name in BEFORE_THE_CRM} == BEFORE_THE_CRM


@pytest.mark.parametrize("through", [date(2023, 7, 31), date(2023, 12, 26), date(2024, 1, 1), date(2024, 5, 31)])
def test_the_crm_of_a_day_is_that_of_a_later_day_up_to_then(
    through: date, generate: Callable[..., Tables], tables: Tables
) -> None:
    # June 2024 begins on a Saturday: what comes then is entered on Friday.
    earlier = generate(through)
    for name, known in KNOWN_BY.items():
        whole = tables[f"bronze.{name}"]
        day = whole[known].cast(pa.date32())
        expected = whole.filter(pc.less_equal(day, pa.scalar(through)))
        assert earlier[f"bronze.{name}"].num_rows > 0
        assert earlier[f"bronze.{name}"].equals(expected), name


@pytest.mark.parametrize(("table", "column", "parent", "key"), REFERENCES)
def test_what_is_named_is_there(sql: Sql, table: str, column: str, parent: str, key: str) -> None:
    ((named, missing),) = sql(f"""
        SELECT count({column}), count(*) FILTER ({column} NOT IN (SELECT {key} FROM {parent})) FROM {table}
    """)  # noqa: S608 - constants above
    assert named > 0
    assert missing == 0


@pytest.mark.parametrize(("table", "key"), KEYS.items())
def test_no_row_comes_twice(sql: Sql, table: str, key: str) -> None:
    ((rows, keys),) = sql(f"SELECT count(*), count(DISTINCT ({key})) FROM bronze_{table}")  # noqa: S608 - constants
    assert rows == keys > 0


def test_an_order_is_what_its_subscription_items_say(sql: Sql) -> None:
    # By another way than the generator's: ARR of the items that begin with the order, beside the plan before.
    wrong = sql("""
        WITH yearly AS (
            SELECT *, CASE WHEN item_type = 'one_time' THEN 0
                ELSE round(12 * amount::DOUBLE / interval_count / if(billing_interval = 'year', 12, 1), 2) END AS arr
            FROM items WHERE status <> 'trialing'
        ), stepped AS (
            SELECT *, lag(arr) OVER (PARTITION BY customer_id, item_type, add_on_id ORDER BY subscription_item_id) AS was
            FROM yearly
        ), sold AS (
            SELECT opportunity_id, min(start_date) AS start_date, arg_min(term_months, start_date) AS term_months,
                sum(arr - if(change_type IN ('seat_expansion', 'plan_upgrade'), was, 0)) AS arr,
                sum(amount) FILTER (item_type = 'one_time') AS once
            FROM (SELECT *, min(start_date) OVER (PARTITION BY opportunity_id) AS first FROM stepped)
            WHERE opportunity_id IS NOT NULL AND start_date = first GROUP BY opportunity_id
        )
        SELECT * FROM sold LEFT JOIN bronze_billing_orders AS orders USING (opportunity_id)
        WHERE (abs(orders.arr::DOUBLE - sold.arr) < 0.015 AND orders.start_date = sold.start_date
            AND orders.term_months IS NOT DISTINCT FROM sold.term_months) IS NOT true
    """)
    assert wrong == []


def test_an_order_comes_to_its_arr_over_the_term_and_what_is_sold_once(sql: Sql) -> None:
    ((checked, wrong),) = sql("""
        WITH once AS (
            SELECT opportunity_id, sum(amount)::DOUBLE AS once FROM items WHERE item_type = 'one_time' GROUP BY ALL
        )
        SELECT count(*), count(*) FILTER (
            abs(total_amount::DOUBLE - arr::DOUBLE * term_months / 12 - coalesce(once, 0)) > 0.01
            OR renewal_date <> start_date + INTERVAL 1 MONTH * term_months
        )
        FROM bronze_billing_orders LEFT JOIN once USING (opportunity_id)
        WHERE order_type = 'new' AND term_months IS NOT NULL AND day(start_date) < 29
    """)
    assert checked > 50
    assert wrong == 0


def test_an_opportunity_is_won_with_its_amount_on_the_day_of_its_order_before_service_and_invoice(sql: Sql) -> None:
    assert sql("""
        SELECT count(*) FROM bronze_billing_orders AS orders LEFT JOIN opportunities AS won USING (opportunity_id)
        WHERE (won.stage = 'closed_won' AND won.arr = orders.arr AND won.currency = orders.currency
            AND won.closed_at = ordered_at AND won.expected_close_date = ordered_at::DATE
            AND ordered_at::DATE <= start_date) IS NOT true
    """) == [(0,)]
    assert sql("""
        SELECT count(*) FROM bronze_invoices JOIN bronze_billing_orders USING (order_id) WHERE issued_at < ordered_at
            AND order_type <> 'expansion'
    """) == [(0,)]
    assert sql("""
        SELECT count(*) FROM opportunities WHERE stage = 'closed_won'
            AND opportunity_id NOT IN (SELECT opportunity_id FROM bronze_billing_orders)
    """) == [(0,)]


def test_a_history_leads_from_the_opening_to_where_the_opportunity_stands(sql: Sql) -> None:
    assert sql("""
        SELECT count(*) FROM (
            SELECT *, lag(to_stage) OVER changes AS before, lag(changed_at) OVER changes AS earlier
            FROM bronze_opportunity_stage_history WINDOW changes AS (PARTITION BY opportunity_id ORDER BY history_id)
        ) WHERE from_stage IS DISTINCT FROM before OR changed_at <= earlier OR from_stage = 'closed_won'
    """) == [(0,)]
    assert sql("""
        SELECT count(*) FROM opportunities JOIN (
            SELECT opportunity_id, min(changed_at) AS opened_at, max_by(history, changed_at) AS last
            FROM bronze_opportunity_stage_history AS history GROUP BY opportunity_id
        ) USING (opportunity_id)
        WHERE (created_at, updated_at, stage, arr, expected_close_date, owner_rep_id, rep_probability) IS DISTINCT FROM
            (opened_at, last.changed_at, last.to_stage, last.arr, last.expected_close_date, last.rep_id,
             last.rep_probability)
    """) == [(0,)]


def test_a_row_without_a_change_of_stage_changes_something_else(sql: Sql) -> None:
    ((same, nothing),) = sql("""
        SELECT count(*) FILTER (from_stage = to_stage),
            count(*) FILTER (from_stage = to_stage AND
                (arr, expected_close_date, rep_id, rep_probability) IS NOT DISTINCT FROM before)
        FROM (
            SELECT *, lag((arr, expected_close_date, rep_id, rep_probability)) OVER (
                PARTITION BY opportunity_id ORDER BY changed_at) AS before
            FROM bronze_opportunity_stage_history
        )
    """)
    assert same > 100
    assert nothing == 0


def test_who_closed_is_closed_and_who_is_open_is_not(sql: Sql) -> None:
    assert sql("""
        SELECT count(*) FROM bronze_opportunities
        WHERE (closed_at IS NOT NULL) <> (stage IN ('closed_won', 'closed_lost'))
            OR (loss_reason IS NOT NULL) <> (stage = 'closed_lost')
            OR (stage = 'closed_won') <> (rep_probability = 1) OR (stage = 'closed_lost') <> (rep_probability = 0)
    """) == [(0,)]


def test_a_lead_takes_its_steps_in_order(sql: Sql) -> None:
    assert sql("""
        SELECT count(*) FROM bronze_leads LEFT JOIN opportunities USING (opportunity_id)
        WHERE first_touched_at < bronze_leads.created_at OR mql_at < bronze_leads.created_at OR sql_at < mql_at
            OR (sql_at IS NOT NULL AND mql_at IS NULL) OR (opportunity_id IS NOT NULL AND sql_at IS NULL)
            OR opportunities.created_at < sql_at OR greatest(first_touched_at, mql_at, sql_at) > bronze_leads.updated_at
            OR (status = 'disqualified') <> (disqualified_reason IS NOT NULL)
    """) == [(0,)]


def test_every_customer_was_a_lead_and_only_sales_had_an_opportunity(sql: Sql) -> None:
    assert sql("""
        SELECT count(*) FROM (SELECT DISTINCT customer_id, account_id, trial_started_at IS NOT NULL AS tried
                              FROM bronze_customers) AS customers
        LEFT JOIN leads USING (account_id)
        WHERE lead_id IS NULL OR tried <> (opportunity_id IS NULL) OR mql_at IS NULL
    """) == [(0,)]


def test_an_account_is_entered_before_its_opportunities_and_a_sale_before_what_follows_it(sql: Sql) -> None:
    ((opened, too_soon, followed, ahead),) = sql("""
        WITH entered AS (SELECT account_id, min(updated_at) AS entered_at FROM bronze_accounts GROUP BY ALL),
        sold AS (SELECT account_id, min(closed_at) AS sold_at FROM opportunities WHERE stage = 'closed_won' GROUP BY ALL)
        SELECT count(*), count(*) FILTER ((entered_at <= opportunities.created_at) IS NOT true),
            count(*) FILTER (opportunity_type <> 'new_business'),
            count(*) FILTER (opportunity_type <> 'new_business' AND (sold_at < opportunities.created_at) IS NOT true)
        FROM opportunities LEFT JOIN entered USING (account_id) LEFT JOIN sold USING (account_id)
    """)
    assert opened > followed > 100
    assert (too_soon, ahead) == (0, 0)


def test_an_account_is_a_customer_as_long_as_it_has_a_subscription(sql: Sql) -> None:
    assert (
        sql("""
        SELECT account_id, accounts.status, running FROM accounts LEFT JOIN (
            SELECT account_id, bool_or(items.status IN ('active', 'past_due', 'paused', 'unpaid')
                AND (end_date IS NULL OR end_date > DATE '2024-12-31')) AS running,
                bool_or(change_type IN ('initial', 'conversion')) AS ever
            FROM items JOIN (SELECT DISTINCT customer_id, account_id FROM bronze_customers) USING (customer_id)
            WHERE item_type = 'plan' GROUP BY account_id
        ) USING (account_id)
        WHERE accounts.status <> CASE WHEN NOT coalesce(ever, false) THEN 'prospect' WHEN running THEN 'customer'
            ELSE 'churned' END
    """)
        == []
    )


def test_nobody_works_before_the_hire_or_after_the_leave(rested: Tables) -> None:
    sql = connected(rested)
    ((left,),) = sql("SELECT count(left_on) FROM reps")
    assert left > 0
    for table, moment in (("activities", "occurred_at"), ("opportunity_stage_history", "changed_at")):
        assert sql(f"""
            SELECT count(*) FROM bronze_{table} JOIN reps USING (rep_id)
            WHERE {moment}::DATE < hired_on OR {moment}::DATE > left_on
        """) == [(0,)], table  # noqa: S608 - constants above


def test_quotas_are_those_of_aes_in_every_quarter_that_they_begin(sql: Sql) -> None:
    assert sql("""
        SELECT count(*) FROM (SELECT unnest(['2023-07-01', '2024-10-01'])::DATE AS quarter) JOIN reps
            ON role = 'AE' AND hired_on <= quarter AND coalesce(left_on > quarter, true)
        FULL JOIN (SELECT * FROM bronze_quotas WHERE quarter IN ('2023-07-01', '2024-10-01')) AS quotas
            USING (rep_id, quarter)
        WHERE reps.role IS NULL OR quota_arr IS NULL
    """) == [(0,)]


@pytest.fixture(scope="module")
def rested(generate: Callable[..., Tables]) -> Tables:
    """A larger company, with the quiet days of the file."""
    return generate(customers=900)


@pytest.fixture(scope="module")
def restless(company_content: dict[str, Any], generate: Callable[..., Tables]) -> Tables:
    """The same company without quiet days."""
    content = Company.with_profile(company_content, None)
    awake = content | {"crm": content["crm"] | {"quiet_days": []}}
    return generate(customers=900, company=Company.model_validate(awake))


@pytest.mark.parametrize("event", HAPPENS)
def test_sales_rests_on_quiet_days(company: Company, rested: Tables, restless: Tables, event: str) -> None:
    # The days from Christmas to 2 January against those two weeks earlier and two weeks later.
    (on_quiet_days, around), (on_same_days, around_them) = (
        connected(tables)(f"""
            SELECT count(*) FILTER (day BETWEEN '2023-12-25' AND '2024-01-02'),
                count(*) FILTER (day BETWEEN '2023-12-11' AND '2023-12-19' OR day BETWEEN '2024-01-08' AND '2024-01-16') / 2
            FROM (SELECT COLUMNS(*)::DATE AS day FROM ({HAPPENS[event]}))
        """)[0]  # noqa: S608 - constants above
        for tables in (rested, restless)
    )
    work = company.crm.quiet_days[0].work
    # By twice the standard error of a ratio of counts, of which one is the mean of two.
    assert 0 < on_quiet_days / around <= work + 2 * sqrt(work * (1 + work / 2) / around)
    assert on_same_days / around_them == pytest.approx(1, abs=2 * sqrt(1.5 / around_them))


def test_quiet_days_move_signatures_but_nothing_that_is_billed(rested: Tables, restless: Tables) -> None:
    crm = {f"bronze.{name}" for name in KEYS}
    assert {name for name, rows in rested.items() if not rows.equals(restless[name])} <= crm | TRUTH_OF_THE_CRM
    orders, same_orders = (tables["bronze.billing_orders"].sort_by("order_id") for tables in (rested, restless))
    assert orders["ordered_at"] != same_orders["ordered_at"]
    assert orders.drop_columns(["ordered_at"]).equals(same_orders.drop_columns(["ordered_at"]))


def test_the_first_touch_brings_the_lead_and_campaigns_ran_in_its_quarter(sql: Sql) -> None:
    assert sql("""
        SELECT count(*) FROM leads LEFT JOIN (
            SELECT lead_id, min(occurred_at) AS first, arg_min(channel, occurred_at) AS channel FROM bronze_marketing_events
            GROUP BY lead_id
        ) USING (lead_id) WHERE (first = created_at AND channel = lead_source) IS NOT true
    """) == [(0,)]
    assert sql("""
        SELECT count(*) FROM bronze_marketing_events AS touch WHERE campaign_id IS NOT NULL AND NOT EXISTS (
            SELECT 1 FROM bronze_marketing_spend AS spend
            WHERE spend.campaign_id = touch.campaign_id AND spend.channel = touch.channel
                AND date_trunc('quarter', spend.month) = date_trunc('quarter', occurred_at::DATE))
    """) == [(0,)]


def test_the_truth_knows_better_than_the_reps(sql: Sql) -> None:
    ((won, lost, claimed, real),) = sql("""
        SELECT avg(quality) FILTER (is_won), avg(quality) FILTER (NOT is_won), avg(win_probability),
            avg(is_won::INT)
        FROM truth_crm_deals WHERE opportunity_id LIKE 'Q%' OR opportunity_id LIKE 'O%-0001'
    """)
    # The means are one standard deviation apart: quality_effect.
    assert won - lost == pytest.approx(1.0, abs=0.15)
    assert claimed == pytest.approx(real, abs=0.05)
    ((factors,),) = sql("SELECT count(DISTINCT lost_factor) FROM truth_crm_quarters")
    assert factors > 5
