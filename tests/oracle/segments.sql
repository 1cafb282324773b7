-- Groups of customers: churn, and lifetime value against cost of acquisition.

CREATE TABLE grouped AS
SELECT 'all' AS dimension, 'all' AS dimension_value, customer_id FROM groups
UNION ALL SELECT 'plan', plan_name, customer_id FROM groups
UNION ALL SELECT 'billing_cadence', billing_cadence, customer_id FROM groups
UNION ALL SELECT 'industry', industry, customer_id FROM groups
UNION ALL SELECT 'company_size', company_size, customer_id FROM groups
UNION ALL SELECT 'acquisition_channel', acquisition_channel, customer_id FROM groups
UNION ALL SELECT 'region', region, customer_id FROM groups
UNION ALL SELECT 'cohort_month', cohort, customer_id FROM groups
UNION ALL SELECT 'plan_x_billing_cadence', plan_name || ' | ' || billing_cadence, customer_id FROM groups;

CREATE TABLE logos AS
SELECT
    customer_id,
    count(*) FILTER (WHERE opening > 0) AS opened,
    count(*) FILTER (WHERE opening > 0 AND closing = 0) AS lost
FROM ledger
WHERE month > getvariable('as_of') - INTERVAL 12 MONTH
GROUP BY ALL;

CREATE VIEW oracle_churn_by_segment AS
SELECT
    dimension, dimension_value,
    count(*) AS customers,
    count(*) FILTER (WHERE is_churned) AS churned_customers,
    nine_digits(churned_customers / count(*)) AS churn_rate,
    coalesce(sum(opened), 0)::BIGINT AS logo_months,
    coalesce(sum(lost), 0)::BIGINT AS logos_lost,
    nine_digits(logos_lost / nullif(logo_months, 0)) AS monthly_churn_rate
FROM grouped JOIN groups USING (customer_id) LEFT JOIN logos USING (customer_id)
GROUP BY ALL;

CREATE VIEW oracle_ltv_cac_by_plan AS
SELECT
    dimension_value AS plan_name,
    money(sum(cac)) AS total_cac,
    money(sum(ltv)) AS total_ltv,
    nine_digits(sum(ltv) FILTER (WHERE cac IS NOT NULL) / nullif(sum(cac), 0)) AS ltv_cac_ratio
FROM grouped JOIN acquisition USING (customer_id) JOIN lifetimes USING (customer_id)
WHERE dimension = 'plan'
GROUP BY ALL;
