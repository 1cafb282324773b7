-- One row per payment attempt or refund.
SELECT
    payment_id AS record_id, customer_id, payment_month AS month, coalesce(method, 'unknown') AS method, status,
    1 AS attempts, is_recovered::INT AS recovered_attempts, amount_reporting AS amount,
    CASE status WHEN 'succeeded' THEN amount_reporting WHEN 'refunded' THEN -amount_reporting ELSE 0 END AS net_cash,
    CASE status
        WHEN 'succeeded' THEN amount_net_of_tax_reporting WHEN 'refunded' THEN -amount_net_of_tax_reporting ELSE 0
    END AS collected
FROM silver.payments
