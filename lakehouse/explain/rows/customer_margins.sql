-- One row per customer and month; in a month without any cost of serving there is no gross profit.
SELECT
    customer_id, month, average_daily_mrr, one_time_amount, hosting_cost, support_cost,
    CASE WHEN gross_profit IS NOT NULL THEN average_daily_mrr END AS mrr_served,
    CASE WHEN gross_profit IS NOT NULL THEN one_time_amount END AS one_time_served
FROM silver.customer_months
LEFT JOIN (SELECT customer_id, month, hosting_cost, support_cost, gross_profit FROM gold.customer_margins)
    USING (customer_id, month)
