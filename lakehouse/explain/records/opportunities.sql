SELECT
    opportunity_id AS record_id, opportunity_type, owner_rep_id, stage, created_date, closed_date, arr, currency, arr_reporting
FROM silver.opportunities
WHERE opportunity_id IN (SELECT record_id FROM counted WHERE is_counted)
ORDER BY created_date, record_id
