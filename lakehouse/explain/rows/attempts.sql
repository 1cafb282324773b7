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
),
followed AS (
    SELECT *, coalesce(first_method, 'unknown') AS known_method
    FROM made
    WHERE succeeded_before = 0 AND date_diff('day', first_date, getvariable('as_of')) >= 30
)
SELECT
    payment_id AS record_id, customer_id, known_method AS method, number AS attempt,
    1 AS attempts, is_succeeded::INT AS succeeded, CASE WHEN is_succeeded THEN amount_reporting ELSE 0 END AS amount
FROM followed
UNION ALL BY NAME
-- What failed first counts for each attempt, what was recovered for the attempt that did it and all later ones.
SELECT
    payment_id AS record_id, customer_id, known_method AS method, until::INT AS attempt,
    (number = 1 AND NOT is_succeeded)::INT AS failed_invoices,
    CASE WHEN number = 1 AND NOT is_succeeded THEN amount_reporting ELSE 0 END AS failed_amount,
    (number > 1 AND is_succeeded AND number <= until)::INT AS recovered_invoices,
    CASE WHEN number = 2 AND is_succeeded AND number <= until THEN amount_reporting ELSE 0 END AS recovered_by_attempt_2,
    CASE WHEN number = 3 AND is_succeeded AND number <= until THEN amount_reporting ELSE 0 END AS recovered_by_attempt_3,
    CASE WHEN number = 4 AND is_succeeded AND number <= until THEN amount_reporting ELSE 0 END AS recovered_by_attempt_4,
    CASE WHEN number = 5 AND is_succeeded AND number <= until THEN amount_reporting ELSE 0 END AS recovered_by_attempt_5,
    CASE WHEN number = 6 AND is_succeeded AND number <= until THEN amount_reporting ELSE 0 END AS recovered_by_attempt_6,
    CASE WHEN number > 6 AND is_succeeded AND number <= until THEN amount_reporting ELSE 0 END AS recovered_later
FROM followed
CROSS JOIN range(1, (SELECT max(number) + 1 FROM followed)) AS attempts(until)
