-- One row per order, by the day of its signature, with the steps that it has taken: both ends are known.
WITH first_invoices AS (
    SELECT order_id, min((issued_at, invoice_id)) AS first, first[2] AS invoice_id
    FROM silver.invoices
    WHERE invoice_type = 'invoice' AND status IS DISTINCT FROM 'void' AND order_id IS NOT NULL
    GROUP BY ALL
),
paid AS (SELECT DISTINCT invoice_id, true AS is_paid FROM silver.payments WHERE is_succeeded AND invoice_id IS NOT NULL)
SELECT
    order_id AS record_id, account_id, ordered_date AS month, coalesce(segment, 'unknown') AS segment, 1 AS orders,
    (order_lag_days IS NOT NULL)::INT AS orders_close_to_order, (invoice_id IS NOT NULL)::INT AS orders_order_to_invoice,
    coalesce(is_paid, false)::INT AS orders_invoice_to_cash,
    (coalesce(is_paid, false) AND closed_at IS NOT NULL)::INT AS orders_close_to_cash
FROM silver.billing_orders
LEFT JOIN first_invoices USING (order_id)
LEFT JOIN paid USING (invoice_id)
