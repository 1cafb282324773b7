-- One row per customer and month with at least one event.
WITH users AS (
    SELECT
        customer_id, user_id, activity_month AS month, sum(events) AS events, sum(errors) AS errors,
        sum(seconds) AS seconds, sum(sessions) AS sessions, sum(is_active::INT) AS active_user_days
    FROM silver.user_days
    GROUP BY ALL
)
SELECT
    customer_id, month, sum(events) AS events, sum(errors) AS errors, sum(seconds) AS seconds, sum(sessions) AS sessions,
    sum(active_user_days) AS active_user_days, count_if(active_user_days > 0) AS active_users,
    (count_if(active_user_days > 0) > 0)::INT AS active_customers
FROM users
GROUP BY ALL
