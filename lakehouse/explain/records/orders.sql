SELECT
    order_id AS record_id, order_type, ordered_date, start_date, renewal_date, term_months, total_amount, arr, currency, arr_reporting
FROM silver.billing_orders
WHERE order_id IN (SELECT record_id FROM counted WHERE is_counted)
ORDER BY ordered_date, record_id
