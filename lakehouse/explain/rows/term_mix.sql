-- One row per order, by the day of its signature.
SELECT
    order_id AS record_id, account_id, ordered_date AS month, coalesce(segment, 'unknown') AS segment,
    coalesce(term_months::VARCHAR, 'none') AS term, 1 AS orders, arr_reporting AS arr
FROM silver.billing_orders
