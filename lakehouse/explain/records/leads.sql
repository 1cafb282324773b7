SELECT
    lead_id AS record_id, first_lead_id, lead_source, campaign_id, created_date, mql_at, sql_at, opportunity_at, won_at
FROM silver.leads
WHERE lead_id IN (SELECT record_id FROM counted WHERE is_counted)
ORDER BY created_date, record_id
