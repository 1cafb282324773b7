SELECT
    invoice_id AS record_id, invoice_type, status, issued_at, due_at, closed_at, total, currency,
    total_reporting
FROM silver.invoices
WHERE invoice_id IN (SELECT record_id FROM counted WHERE is_counted)
ORDER BY issued_at, record_id
