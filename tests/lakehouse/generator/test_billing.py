"""Invoices and payments against the terms and each other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Sql = Callable[[str], list[tuple[Any, ...]]]


def test_an_invoice_of_a_period_asks_for_what_the_terms_say_on_its_first_day(sql: Sql) -> None:
    different = sql("""
        SELECT bills.invoice_id, bills.subtotal, sum(items.amount)
        FROM bills JOIN items ON items.subscription_id = bills.subscription_id
            AND items.start_date <= bills.period_start AND coalesce(items.end_date > bills.period_start, true)
            AND items.item_type <> 'one_time' AND items.status NOT IN ('trialing', 'paused', 'unpaid')
        WHERE bills.invoice_type = 'invoice' AND day(bills.period_start) = day(bills.period_end)
            AND bills.period_end = bills.period_start + INTERVAL 1 MONTH * (
                SELECT any_value(interval_count) FROM items AS plan
                WHERE plan.subscription_id = bills.subscription_id AND plan.item_type = 'plan'
                    AND plan.billing_interval = 'month' AND plan.start_date <= bills.period_start
                    AND coalesce(plan.end_date > bills.period_start, true)
            )
        GROUP BY ALL
        HAVING bills.subtotal <> sum(items.amount)
    """)
    assert different == []
    ((checked,),) = sql("SELECT count(*) FROM bills WHERE day(period_start) = day(period_end)")
    assert checked > 500


def test_a_paid_invoice_has_one_payment_of_its_total_and_no_other_has_any(sql: Sql) -> None:
    wrong = sql("""
        SELECT invoice_id, bills.status, any_value(total), sum(amount) FILTER (payment.status = 'succeeded')
        FROM bills LEFT JOIN bronze_payments AS payment USING (invoice_id)
        WHERE invoice_type = 'invoice'
        GROUP BY ALL
        HAVING coalesce(sum(amount) FILTER (payment.status = 'succeeded'), 0)
            <> if(bills.status = 'paid', any_value(total), 0)
            OR count(*) FILTER (payment.status = 'succeeded') > 1
    """)
    assert wrong == []


def test_a_refund_has_a_credit_note_and_is_not_more_than_was_paid(sql: Sql) -> None:
    ((refunds, notes),) = sql("""
        SELECT (SELECT sum(amount) FROM bronze_payments WHERE status = 'refunded'),
            (SELECT sum(total) FROM bills WHERE invoice_type = 'credit_note')
    """)
    assert refunds == notes > 0
    assert sql("""
        SELECT count(*) FROM bronze_payments AS refund JOIN bills USING (invoice_id)
        WHERE refund.status = 'refunded' AND (refund.amount > total OR bills.status <> 'paid' OR attempted_at < paid_at)
    """) == [(0,)]


def test_attempts_on_an_invoice_count_up_until_one_succeeds(sql: Sql) -> None:
    assert sql("""
        SELECT count(*) FROM (
            SELECT attempt, row_number() OVER (PARTITION BY invoice_id ORDER BY attempted_at) AS place,
                status, lead(status) OVER (PARTITION BY invoice_id ORDER BY attempted_at) AS next_status
            FROM bronze_payments WHERE status <> 'refunded'
        ) WHERE attempt <> place OR (status = 'succeeded' AND next_status IS NOT NULL)
    """) == [(0,)]


def test_a_failed_charge_makes_the_plan_past_due_until_paid_or_lost(sql: Sql) -> None:
    ((failed, late, lost, unpaid),) = sql("""
        SELECT
            (SELECT count(*) FROM bronze_payments JOIN bills USING (invoice_id, customer_id)
             WHERE attempt = 1 AND bronze_payments.status = 'failed' AND method IN ('card', 'paypal')
                AND EXISTS (SELECT 1 FROM items WHERE items.customer_id = bills.customer_id
                    AND change_type = 'dunning' AND status = 'past_due' AND start_date = period_start + 1)),
            (SELECT count(*) FROM items WHERE change_type = 'dunning' AND status = 'past_due'),
            (SELECT count(*) FROM truth_churns WHERE NOT is_voluntary),
            (SELECT count(*) FROM items WHERE status = 'unpaid')
    """)
    assert failed >= late > 0
    # Who was lost in the last month is still in dunning.
    assert lost - 3 <= unpaid <= lost


def test_tax_follows_the_country(sql: Sql) -> None:
    rates = sql("""
        SELECT country, round(sum(tax) / sum(subtotal), 3)
        FROM bills JOIN (SELECT DISTINCT customer_id, country FROM bronze_customers) USING (customer_id)
        WHERE country IN ('GB', 'BR') GROUP BY country ORDER BY country
    """)
    assert rates == [("BR", 0.0), ("GB", 0.2)]


def test_a_void_invoice_stays_void_and_is_issued_again_for_the_same_period(sql: Sql) -> None:
    ((voided, last_word, reissued),) = sql("""
        WITH void AS (SELECT * FROM bronze_invoices WHERE status = 'void')
        SELECT
            (SELECT count(*) FROM void),
            (SELECT count(*) FROM void WHERE updated_at =
                (SELECT max(updated_at) FROM bronze_invoices AS versions WHERE versions.invoice_id = void.invoice_id)),
            (SELECT count(DISTINCT void.invoice_id) FROM void JOIN bills USING (customer_id, period_start, subtotal)
             WHERE bills.issued_at > void.updated_at)
    """)
    assert voided == last_word == reissued > 0
