-- One row per customer and age up to that of the oldest cohort, at the values of its first month's close; what an age
-- shows is null until it is over.
WITH ledger AS (
    SELECT months.*, plan_name FROM silver.customer_months AS months LEFT JOIN silver.dim_plan USING (plan_id)
),
first AS (
    SELECT
        customer_id, cohort_month, coalesce(segment, 'unknown') AS segment, coalesce(plan_name, 'unknown') AS plan,
        billing_cadence, coalesce(acquisition_channel, 'unknown') AS acquisition_channel, closing_mrr AS starting_mrr
    FROM ledger
    WHERE month = cohort_month
),
ages AS (
    SELECT first.*, age_months::INT AS age_months, (cohort_month + to_months(age_months::INT))::DATE AS month
    FROM first
    CROSS JOIN range((SELECT date_diff('month', min(cohort_month), max(month)) + 1 FROM ledger)) AS ages(age_months)
),
lives AS (
    SELECT
        ages.*, last_day(ages.month) <= getvariable('as_of') AS is_over, coalesce(closing_mrr, 0) AS closing,
        coalesce(closing_mrr_at_cohort_rates, 0) AS at_cohort_rates, coalesce(ledger.revenue, 0) AS earned
    FROM ages
    LEFT JOIN ledger ON ledger.customer_id = ages.customer_id AND ledger.month = ages.month
)
SELECT
    customer_id, cohort_month, age_months, segment, plan, billing_cadence, acquisition_channel, starting_mrr,
    1 AS customers, CASE WHEN is_over THEN (closing > 0)::INT END AS active_customers,
    CASE WHEN is_over THEN closing END AS mrr, CASE WHEN is_over THEN at_cohort_rates END AS retained_mrr,
    CASE WHEN is_over THEN least(at_cohort_rates, starting_mrr) END AS kept_mrr,
    CASE WHEN is_over THEN earned END AS revenue,
    CASE WHEN is_over THEN sum(earned) OVER (PARTITION BY customer_id ORDER BY age_months) END AS cumulative_revenue
FROM lives
