-- One row per lead: a person counts with the first, by the furthest stage of all. One row per record of spend.
WITH people AS (
    SELECT
        *, max(list_position(['lead', 'mql', 'sql', 'opportunity', 'won'], furthest_stage)) OVER person AS furthest,
        bool_or(is_self_service) OVER person AS bought_alone
    FROM silver.leads
    WINDOW person AS (PARTITION BY first_lead_id)
)
SELECT
    lead_id AS record_id, created_date AS month, lead_source, coalesce(industry, 'unknown') AS industry,
    coalesce(segment, 'unknown') AS segment, coalesce(region, 'unknown') AS region,
    coalesce(campaign_id, 'none') AS campaign, coalesce(campaign_id, 'none of ' || lead_source) AS campaign_id,
    (NOT is_reentry)::INT AS leads, (NOT is_reentry AND furthest > 1)::INT AS mqls,
    (NOT is_reentry AND furthest > 2)::INT AS sqls, (NOT is_reentry AND furthest > 3)::INT AS opportunities,
    (NOT is_reentry AND furthest > 4)::INT AS wins, (NOT is_reentry AND bought_alone)::INT AS self_service,
    is_reentry::INT AS reentries
FROM people
UNION ALL BY NAME
SELECT spend_id AS record_id, month, channel AS lead_source, campaign, campaign_id, spend AS programme_spend
FROM shared.spending
