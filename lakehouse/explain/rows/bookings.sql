-- One row per order, by the day of its signature, and one a year later with what it is then compared with: not of the
-- first period with orders, which they may cover in part only.
WITH described AS (
    SELECT
        order_id AS record_id, account_id, ordered_date, coalesce(order_type, 'unknown') AS order_type,
        coalesce(segment, 'unknown') AS segment, coalesce(region, 'unknown') AS region,
        coalesce(product_line, 'unknown') AS product_line, coalesce(owner_rep_id, 'unknown') AS rep,
        total_reporting, acv_reporting, arr_reporting, term_months, is_arr_as_won, opportunity_arr_reporting,
        date_trunc(getvariable('period'), ordered_date) > date_trunc(getvariable('period'), min(ordered_date) OVER ())
            AS is_covered
    FROM silver.billing_orders
),
signed AS (
    SELECT
        * EXCLUDE (is_covered), ordered_date AS month, 1 AS orders, total_reporting AS tcv, acv_reporting AS acv,
        arr_reporting AS arr, (term_months IS NOT NULL)::INT AS orders_with_term,
        CASE WHEN order_type = 'new' THEN arr_reporting END AS new_arr,
        CASE WHEN order_type = 'expansion' THEN arr_reporting END AS expansion_arr,
        CASE WHEN order_type = 'renewal' THEN arr_reporting END AS renewal_arr,
        opportunity_arr_reporting AS opportunity_arr,
        CASE WHEN is_arr_as_won THEN arr_reporting - opportunity_arr_reporting END AS rate_difference,
        CASE WHEN NOT is_arr_as_won THEN arr_reporting - opportunity_arr_reporting END AS amount_difference,
        CASE WHEN is_arr_as_won IS NULL THEN arr_reporting END AS unmatched_arr
    FROM described
),
a_year_later AS (
    SELECT
        record_id, account_id, order_type, segment, region, product_line, rep,
        date_trunc(getvariable('period'), ordered_date) + INTERVAL 12 MONTH AS month, arr_reporting AS arr_year_before
    FROM described
    WHERE is_covered
)
SELECT * FROM signed
UNION ALL BY NAME SELECT * FROM a_year_later
