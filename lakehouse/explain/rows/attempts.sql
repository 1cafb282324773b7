-- One row per payment attempt, up to the first that succeeded, on an invoice that could be followed for 30 days.
WITH made AS (
    SELECT
        *, row_number() OVER invoice AS number, first_value(attempted_at::DATE) OVER invoice AS first_date,
        first_value(method) OVER invoice AS first_method,
        coalesce(sum(is_succeeded::INT) OVER (
            PARTITION BY invoice_id ORDER BY attempted_at, payment_id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        ), 0) AS succeeded_before
    FROM silver.payments
    WHERE invoice_id IS NOT NULL AND status <> 'refunded'
    WINDOW invoice AS (PARTITION BY invoice_id ORDER BY attempted_at, payment_id)
)
SELECT
    payment_id AS record_id, customer_id, coalesce(first_method, 'unknown') AS method, number AS attempt,
    1 AS attempts, is_succeeded::INT AS succeeded, CASE WHEN is_succeeded THEN amount_reporting ELSE 0 END AS amount
FROM made
WHERE succeeded_before = 0 AND date_diff('day', first_date, getvariable('as_of')) >= 30
