-- One row per customer who ever had MRR: the months in which it could churn, and whether it did.
SELECT
    customer_id, coalesce(segment, 'unknown') AS segment,
    concat_ws(' | ', coalesce(segment, 'unknown'), coalesce(billing_cadence, 'unknown')) AS segment_x_billing_cadence,
    (churn_date IS NOT NULL)::INT AS curve_churned,
    date_diff('month', cohort_month, coalesce(churn_date, getvariable('as_of'))) + 1 AS months_at_risk
FROM silver.customers
WHERE cohort_month IS NOT NULL
