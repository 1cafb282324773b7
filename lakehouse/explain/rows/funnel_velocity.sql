-- One row per lead, with the steps that it has taken in order of time.
SELECT
    lead_id AS record_id, created_date AS month, lead_source, coalesce(segment, 'unknown') AS segment,
    coalesce(campaign_id, 'none of ' || lead_source) AS campaign_id, 1 AS leads,
    coalesce(first_touched_at >= created_at, false)::INT AS touched_leads,
    coalesce(mql_at >= created_at, false)::INT AS qualified_leads,
    coalesce(sql_at >= created_at, false)::INT AS accepted_leads,
    coalesce(opportunity_at >= created_at, false)::INT AS opened_leads,
    coalesce(won_at >= created_at, false)::INT AS won_leads,
    coalesce(won_at >= opportunity_at, false)::INT AS closed_leads
FROM silver.leads
