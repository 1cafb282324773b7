-- What of each customer's ARR at a month's close each kind of order last set, by what the terms are worth, to the cent,
-- and what of it was churned. Source: lakehouse/metrics/order_types.py.
WITH ordered AS (
    SELECT
        customer_id, start_date, end_date, monthly_amount, currency,
        coalesce(last_value(CASE
            WHEN change_type IN ('initial', 'conversion', 'reactivation') THEN 'new'
            WHEN change_type IN ('seat_expansion', 'plan_upgrade', 'add_on') THEN 'expansion'
            WHEN change_type = 'renewal' THEN 'renewal'
        END IGNORE NULLS) OVER (
            PARTITION BY customer_id, coalesce(subscription_id, subscription_item_id), item_type, add_on_id
            ORDER BY start_date, subscription_item_id
        ), 'new') AS order_type
    FROM silver.subscriptions
    WHERE bears_revenue
),
closes AS (
    SELECT customer_id, month, arr, least(last_day(month), getvariable('as_of')) AS closed_on
    FROM silver.customer_months
    WHERE arr > 0
),
held AS (
    SELECT closes.*, monthly_amount, currency, order_type
    FROM closes
    JOIN ordered USING (customer_id)
    WHERE start_date <= closed_on AND (end_date IS NULL OR end_date > closed_on)
),
worths AS (
    SELECT
        held.customer_id, month, arr, order_type,
        round(sum(monthly_amount * CASE WHEN held.currency = setting('reporting_currency')->>'$' THEN 1 ELSE rate END)
            * 1000000)::HUGEINT AS worth
    FROM held
    ASOF LEFT JOIN shared.rates AS rates ON rates.currency = held.currency AND rates.rate_date <= held.closed_on
    GROUP BY ALL
),
weighed AS (
    SELECT *, nullif(sum(worth) OVER (PARTITION BY customer_id, month), 0) AS worths FROM worths
),
parts AS (
    SELECT
        customer_id, month, order_type,
        (shared_by_weight((arr * 100)::HUGEINT, worth, worths::HUGEINT, (customer_id, month), order_type) / 100)
            ::DECIMAL(18, 2) AS part
    FROM weighed
),
churned AS (
    SELECT
        months.customer_id, months.month, coalesce(order_type, 'new') AS order_type,
        coalesce(part, 12 * churned_mrr) AS churned_arr
    FROM silver.customer_months AS months
    LEFT JOIN parts AS before
        ON before.customer_id = months.customer_id AND before.month = months.month - INTERVAL 1 MONTH
    WHERE churned_mrr > 0
)
SELECT customer_id, month, order_type, part AS arr, (part > 0)::INT AS customers FROM parts
UNION ALL BY NAME SELECT * FROM churned
