-- One row per customer who ever had MRR, with what it adds to the sums of its groups.
SELECT
    customer_id,
    coalesce(plan_name, 'unknown') AS plan, billing_cadence, coalesce(industry, 'unknown') AS industry,
    coalesce(company_size, 'unknown') AS company_size, coalesce(acquisition_channel, 'unknown') AS acquisition_channel,
    coalesce(region, 'unknown') AS region, strftime(customers.cohort_month, '%Y-%m') AS cohort_month,
    concat_ws(' | ', plan, billing_cadence) AS plan_x_billing_cadence,
    concat_ws(' | ', industry, company_size) AS industry_x_company_size,
    concat_ws(' | ', acquisition_channel, company_size) AS acquisition_channel_x_company_size,
    1 AS customers, is_churned::INT AS churned_customers, (NOT is_churned)::INT AS active_customers,
    logo_months, logos_lost, mrr, realised_ltv,
    (customers.observed_payback_months IS NOT NULL)::INT AS paid_back_customers,
    marketing_cost, sales_cost, (customers.cac IS NOT NULL)::INT AS customers_with_cac,
    CASE WHEN ltv IS NOT NULL THEN realised_ltv END AS ltv_realised, ltv - realised_ltv AS ltv_expected,
    (ltv IS NOT NULL)::INT AS customers_with_ltv,
    CASE WHEN customers.cac IS NOT NULL THEN ltv END AS ltv_of_both, CASE WHEN ltv IS NOT NULL THEN customers.cac END AS cac_of_both,
    CASE WHEN monthly_gross_profit IS NOT NULL THEN customers.cac END AS cac_to_pay_back,
    CASE WHEN customers.cac IS NOT NULL THEN monthly_gross_profit END AS profit_to_pay_back,
    health_score::DECIMAL(18, 9) AS health_score, (health_score IS NOT NULL)::INT AS customers_with_health,
    usage_score::DECIMAL(18, 9) AS usage_score, (usage_score IS NOT NULL)::INT AS customers_with_usage,
    support_sentiment_score::DECIMAL(18, 9) AS support_sentiment_score,
    (support_sentiment_score IS NOT NULL)::INT AS customers_with_sentiment
FROM gold.unit_economics AS customers
LEFT JOIN gold.customer_acquisition_costs USING (customer_id)
