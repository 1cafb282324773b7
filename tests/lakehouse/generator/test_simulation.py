"""The whole simulation: prefixes, determinism, and records that fit together."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import Any

import pyarrow as pa
import pytest

from tests.lakehouse.generator.conftest import CUSTOMERS, MONTHS, THROUGH

Sql = Callable[[str], list[tuple[Any, ...]]]
Tables = Mapping[str, pa.Table]

# A day inside a month, in the middle of invoices, dunning and notices.
CUT = date(2024, 5, 14)


def ordered(table: pa.Table) -> pa.Table:
    return table.sort_by([(name, "ascending") for name in table.column_names])


@pytest.mark.soak
def test_two_feeds_that_meet_are_the_same_as_one(generate: Callable[..., Tables], tables: Tables) -> None:
    earlier, later = generate(CUT), generate(after=CUT)
    for name, whole in tables.items():
        if not name.startswith("truth."):
            parts = [part[name] for part in (earlier, later)]
            assert parts[0].num_rows > 0, name
            assert parts[1].num_rows > 0 or name in {"bronze.plans", "bronze.add_ons"}, name
            assert ordered(pa.concat_tables(parts)).equals(ordered(whole)), name


def test_nothing_is_known_before_it_happened(generate: Callable[..., Tables]) -> None:
    earlier = generate(CUT)
    for table, column in [("customers", "updated_at"), ("subscriptions", "updated_at"), ("payments", "attempted_at")]:
        assert max(earlier[f"bronze.{table}"][column].to_pylist()).date() <= CUT
    assert max(earlier["bronze.exchange_rates"]["rate_date"].to_pylist()) == CUT
    # The costs of a month are known at its end.
    assert max(earlier["bronze.expenses"]["month"].to_pylist()) == date(2024, 4, 1)


def test_going_on_beyond_the_history_does_not_rescale_the_curve(
    generate: Callable[..., Tables], tables: Tables
) -> None:
    longer = generate(date(2025, 3, 31))
    for name in ("bronze.customers", "bronze.subscriptions", "bronze.payments", "bronze.marketing_spend"):
        assert longer[name].slice(0, tables[name].num_rows).equals(tables[name]), name
        assert longer[name].num_rows > tables[name].num_rows


def test_the_same_seed_gives_the_same_rows_and_another_one_others(
    generate: Callable[..., Tables], tables: Tables
) -> None:
    again, other = generate(date(2023, 9, 30)), generate(date(2023, 9, 30), seed=12)
    for name in ("bronze.customers", "bronze.subscriptions"):
        assert again[name].equals(tables[name].slice(0, again[name].num_rows))
        assert not other[name].equals(again[name])


def test_exactly_the_asked_customers_are_won(sql: Sql) -> None:
    assert sql("SELECT count(DISTINCT customer_id) FROM items WHERE change_type IN ('initial', 'conversion')") == [
        (CUSTOMERS,)
    ]
    ((first, last),) = sql("SELECT min(start_date), max(start_date) FROM items WHERE change_type = 'initial'")
    assert date(2023, 7, 1) <= first < date(2023, 8, 1)
    assert last <= THROUGH
    assert MONTHS == 18


@pytest.mark.parametrize("customers", [1, 3])
def test_a_company_of_very_few_customers_lives_too(generate: Callable[..., Tables], customers: int) -> None:
    tables = generate(customers=customers)
    won = {
        row["customer_id"]
        for row in tables["bronze.subscriptions"].to_pylist()
        if row["change_type"] in {"initial", "conversion"}
    }
    assert len(won) == customers


def test_a_change_closes_one_item_and_opens_the_next_on_the_same_day(sql: Sql) -> None:
    # Periods of the same thing never overlap, and a plan has no gap inside a subscription.
    assert sql("""
        SELECT count(*) FROM (
            SELECT item_type, end_date,
                lead(start_date) OVER (PARTITION BY subscription_id, item_type, add_on_id ORDER BY start_date) AS next
            FROM items WHERE item_type <> 'one_time'
        )
        WHERE next < coalesce(end_date, DATE '2100-01-01') OR (item_type = 'plan' AND next > end_date)
    """) == [(0,)]
    assert sql("SELECT count(*) FROM items WHERE end_date <= start_date") == [(0,)]


def test_an_item_is_open_until_its_end_is_known(sql: Sql) -> None:
    assert sql("""
        SELECT count(*) FROM (
            SELECT * FROM bronze_subscriptions WHERE item_type <> 'one_time'
            QUALIFY row_number() OVER (PARTITION BY subscription_item_id ORDER BY updated_at) = 1
        ) WHERE end_date IS NOT NULL OR canceled_at IS NOT NULL
    """) == [(0,)]


def test_a_version_differs_from_the_one_before_only_in_how_it_ends(sql: Sql) -> None:
    assert sql("""
        SELECT max(variants) FROM (
            SELECT count(DISTINCT (start_date, amount, quantity, plan_id, change_type, opportunity_id)) AS variants
            FROM bronze_subscriptions GROUP BY subscription_item_id
        )
    """) == [(1,)]


def test_what_sales_sold_names_its_opportunity_and_self_service_has_none(sql: Sql) -> None:
    assert sql("""
        SELECT count(*) FROM items WHERE change_type IN ('initial', 'renewal', 'seat_expansion')
            AND (opportunity_id IS NULL) <> (customer_id IN (
                SELECT customer_id FROM bronze_customers WHERE trial_started_at IS NOT NULL))
    """) == [(0,)]
    assert sql("SELECT count(*) > 0 FROM items WHERE opportunity_id IS NOT NULL") == [(True,)]


def test_amounts_are_whole_cents_after_the_discount(sql: Sql) -> None:
    assert sql("""
        SELECT count(*) FROM items WHERE amount <> list_amount - discount_amount OR amount <> round(amount, 2)
            OR (discount_amount > 0) <> (discount_duration IS NOT NULL)
    """) == [(0,)]


def test_a_discount_that_ends_does_so_in_a_row_of_its_own(sql: Sql) -> None:
    ((ended,),) = sql("SELECT count(*) FROM items WHERE change_type = 'discount_end' AND discount_amount = 0")
    assert ended > 0
    assert sql("SELECT count(*) FROM items WHERE change_type = 'discount_end' AND discount_amount > 0") == [(0,)]


def test_trials_last_two_weeks_and_some_lapse_without_ever_paying(sql: Sql) -> None:
    assert sql("""
        SELECT max(date_diff('day', start_date, end_date)) FROM items WHERE change_type = 'trial'
    """) == [(14,)]
    ((lapsed,),) = sql("SELECT count(*) FROM items WHERE cancel_reason = 'trial_expired'")
    assert lapsed > 0
    assert sql("""
        SELECT count(*) FROM items WHERE cancel_reason = 'trial_expired' AND status <> 'trialing'
    """) == [(0,)]


def test_users_stay_within_the_days_of_access(sql: Sql) -> None:
    assert sql(f"""
        SELECT count(*) FROM bronze_users
        JOIN (SELECT customer_id, min(start_date) AS first FROM items GROUP BY ALL) USING (customer_id)
        WHERE created_at::DATE < first OR created_at::DATE > DATE '{THROUGH + timedelta(days=1)}'
    """) == [(0,)]  # noqa: S608 - a constant date


def test_the_truth_names_the_planted_episodes_that_began(sql: Sql) -> None:
    assert sql("SELECT name FROM truth_episodes ORDER BY month") == [("data_centre_outage",), ("connector_regression",)]
