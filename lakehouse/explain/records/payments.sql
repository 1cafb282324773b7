SELECT payment_id AS record_id, attempted_at, invoice_id, status, method, amount, currency, amount_reporting
FROM silver.payments
WHERE payment_id IN (SELECT record_id FROM counted WHERE is_counted)
ORDER BY attempted_at, record_id
