-- From the orders signed by a month's close to the ledger's ARR: one row per customer and month. Source:
-- lakehouse/metrics/orders_in_force.py.
WITH closes AS (
    SELECT DISTINCT month, least(last_day(month), getvariable('as_of')) AS closed_on FROM silver.customer_months
),
followed AS (
    SELECT *, min(CASE WHEN order_type IN ('new', 'renewal') THEN (start_date, ordered_date) END) OVER (
        PARTITION BY account_id, customer_id, product_line
        ORDER BY start_date RANGE BETWEEN INTERVAL 1 DAY FOLLOWING AND UNBOUNDED FOLLOWING
    ) AS successor
    FROM silver.billing_orders
),
signed AS (
    SELECT
        coalesce(customer_id, 'unknown') AS customer_id, month, closed_on, opportunity_id, arr_reporting,
        coalesce((arr * CASE WHEN followed.currency = setting('reporting_currency')->>'$' THEN 1 ELSE rate END)
            ::DECIMAL(18, 2), arr_reporting) AS arr_at_close,
        CASE
            WHEN customer_id IS NULL THEN 'without_customer'
            WHEN start_date > closed_on THEN 'not_started'
            WHEN greatest(successor[1], successor[2]) <= closed_on THEN 'superseded'
            ELSE 'in_force'
        END AS state
    FROM (SELECT * FROM followed JOIN closes ON ordered_date <= closed_on) AS followed
    ASOF LEFT JOIN shared.rates AS rates ON rates.currency = followed.currency AND rates.rate_date <= followed.closed_on
),
ordered AS (
    SELECT
        customer_id, month, count(*) AS orders, sum(arr_reporting) AS ordered_arr,
        sum(arr_at_close - arr_reporting) AS exchange_rate,
        sum(CASE state WHEN 'in_force' THEN arr_at_close ELSE 0 END) AS in_force,
        -sum(CASE state WHEN 'without_customer' THEN arr_at_close ELSE 0 END) AS without_customer,
        -sum(CASE state WHEN 'not_started' THEN arr_at_close ELSE 0 END) AS not_started,
        -sum(CASE state WHEN 'superseded' THEN arr_at_close ELSE 0 END) AS superseded
    FROM signed
    GROUP BY ALL
),
add_ons AS (
    SELECT *, lead(start_date) OVER (
        PARTITION BY customer_id, subscription_id, add_on_id ORDER BY start_date, subscription_item_id
    ) IS NULL AS is_last
    FROM silver.subscriptions
    WHERE bears_revenue AND item_type = 'add_on'
),
begun AS (
    SELECT add_ons.*, month, closed_on, state, coalesce(end_date <= closed_on, false) AS is_over
    FROM add_ons
    JOIN (SELECT DISTINCT customer_id, month, closed_on, opportunity_id, state FROM signed) AS sold
        USING (customer_id, opportunity_id)
    WHERE state IN ('superseded', 'in_force') AND start_date <= closed_on
),
apart AS (
    SELECT
        customer_id, month,
        sum(CASE WHEN state = 'superseded' AND NOT is_over THEN yearly ELSE 0 END) AS running_on,
        -sum(CASE WHEN state = 'in_force' AND is_over AND is_last THEN yearly ELSE 0 END) AS cancelled_add_on
    FROM (
        SELECT
            begun.*, (12 * monthly_amount * CASE
                WHEN begun.currency = setting('reporting_currency')->>'$' THEN 1 ELSE rate
            END)::DECIMAL(18, 2) AS yearly
        FROM begun
        ASOF LEFT JOIN shared.rates AS rates ON rates.currency = begun.currency AND rates.rate_date <= begun.closed_on
    )
    GROUP BY ALL
),
changed AS (
    SELECT customer_id, min(start_date) AS changed_on
    FROM silver.subscriptions
    WHERE bears_revenue AND (opportunity_id IS NULL OR coalesce(change_type NOT IN (
        'initial', 'conversion', 'reactivation', 'seat_expansion', 'plan_upgrade', 'add_on', 'renewal'
    ), true))
    GROUP BY ALL
),
together AS (
    SELECT
        customer_id, month, zero, coalesce(orders, zero) AS orders, coalesce(ordered_arr, zero) AS ordered_arr,
        coalesce(exchange_rate, zero) AS exchange_rate, coalesce(without_customer, zero) AS without_customer,
        coalesce(not_started, zero) AS not_started, coalesce(superseded, zero) AS superseded,
        coalesce(running_on, zero) AS running_on, coalesce(cancelled_add_on, zero) AS cancelled_add_on,
        coalesce(arr, 0) AS ledger_arr,
        ledger_arr - coalesce(in_force, 0) - coalesce(running_on, 0) - coalesce(cancelled_add_on, 0) AS difference,
        CASE
            WHEN zero IS NULL THEN 'without_any_order'
            WHEN coalesce(orders, 0) = 0 THEN 'self_service'
            WHEN ledger_arr = 0 THEN 'ended'
            WHEN abs(difference) <= 0.06 + 0.02 * orders THEN 'rounding'
            WHEN changed_on <= last_day(month) THEN 'changed_without_order'
            ELSE 'unexplained'
        END AS reason
    FROM ordered
    LEFT JOIN apart USING (customer_id, month)
    FULL JOIN (SELECT customer_id, month, arr FROM silver.customer_months) USING (customer_id, month)
    LEFT JOIN changed USING (customer_id)
    -- Where no order was ever received none is counted, not even as zero.
    CROSS JOIN (SELECT CASE WHEN count(*) > 0 THEN 0 END AS zero FROM silver.billing_orders)
)
SELECT
    * EXCLUDE (difference, reason, zero), CASE reason WHEN 'ended' THEN difference END AS ended,
    CASE reason WHEN 'self_service' THEN difference END AS self_service,
    CASE reason WHEN 'rounding' THEN difference END AS rounding,
    CASE reason WHEN 'changed_without_order' THEN difference END AS changed_without_order,
    CASE reason WHEN 'unexplained' THEN difference END AS unexplained,
    CASE reason WHEN 'without_any_order' THEN difference END AS without_any_order,
    zero + (reason = 'unexplained' AND difference <> 0)::INT AS unexplained_customers
FROM together
