-- One row per customer with its seats, and one per user who did more than log in during the 30 days up to the as-of day.
SELECT customer_id, 0 AS active_users_30d, seats FROM silver.customers WHERE cohort_month IS NOT NULL
UNION ALL
SELECT DISTINCT ON (customer_id, user_id) customer_id, 1, 0
FROM silver.user_days
WHERE is_active AND date_diff('day', activity_date, getvariable('as_of')) BETWEEN 0 AND 29
