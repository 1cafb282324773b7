-- One row per payment attempt of the 90 days up to the as-of day.
SELECT payment_id AS record_id, customer_id, 1 AS payments_90d, (status = 'failed')::INT AS failed_payments_90d
FROM silver.payments
WHERE status <> 'refunded' AND date_diff('day', attempted_at::DATE, getvariable('as_of')) BETWEEN 0 AND 89
