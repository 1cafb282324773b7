-- One row per customer and month of a churn, with the last reason that its ending terms give.
WITH told AS (
    SELECT
        customer_id, subscription_item_id,
        coalesce(cancel_reason, CASE status WHEN 'unpaid' THEN 'payment_failed' WHEN 'paused' THEN 'paused' END)
            AS reason,
        CASE WHEN status IN ('unpaid', 'paused') THEN start_date ELSE end_date END AS ended_on
    FROM silver.subscriptions
    WHERE is_recurring AND status IS DISTINCT FROM 'trialing'
),
last AS (
    SELECT customer_id, date_trunc('month', ended_on)::DATE AS month, max_by(reason, (ended_on, subscription_item_id)) AS reason
    FROM told
    WHERE reason IS NOT NULL AND ended_on IS NOT NULL
    GROUP BY ALL
)
SELECT
    months.customer_id, months.month, coalesce(reason, 'unknown') AS reason, 1 AS customers, churned_mrr
FROM silver.customer_months AS months
LEFT JOIN last USING (customer_id, month)
WHERE movement = 'churn'
