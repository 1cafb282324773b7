-- One row per deal that was won or lost, in its quarter, and once more among the last four complete quarters.
WITH closed AS (
    SELECT
        opportunity_id AS record_id, account_id, quarter, opportunity_type, segment, coalesce(region, 'unknown') AS region,
        coalesce(lead_source, 'unknown') AS lead_source, deal_size, closing_rep_id AS rep, closing_rep_id AS rep_id,
        is_won::INT AS wins, (NOT is_won)::INT AS losses,
        CASE WHEN is_won THEN arr_reporting ELSE 0 END AS won_arr, CASE WHEN is_won THEN 0 ELSE arr_reporting END AS lost_arr,
        CASE WHEN is_won AND opportunity_type = 'new_business' THEN arr_reporting ELSE 0 END AS won_new_arr
    FROM shared.deals
    WHERE NOT is_open AND quarter IS NOT NULL
),
recent AS (SELECT date_trunc('quarter', getvariable('as_of') + 1)::DATE AS until)
SELECT *, 'quarter' AS period_grain, quarter AS month FROM closed
UNION ALL
SELECT closed.*, 'last_4_quarters', NULL
FROM closed
JOIN recent ON quarter < until AND quarter >= until - INTERVAL 12 MONTH
