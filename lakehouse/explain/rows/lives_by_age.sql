-- One row per customer who ever had MRR and age at which it could churn.
SELECT
    customer_id, coalesce(segment, 'unknown') AS segment,
    concat_ws(' | ', coalesce(segment, 'unknown'), coalesce(billing_cadence, 'unknown')) AS segment_x_billing_cadence,
    age_months, 1 AS at_risk, (churn_date IS NOT NULL AND age_months = own_age)::INT AS churned
FROM (
    SELECT *, date_diff('month', cohort_month, coalesce(churn_date, getvariable('as_of'))) AS own_age FROM silver.customers
)
CROSS JOIN unnest(range(own_age + 1)) AS ages(age_months)
WHERE cohort_month IS NOT NULL
