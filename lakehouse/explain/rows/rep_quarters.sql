-- One row per quota, deal that closed, and activity of a rep in a quarter.
SELECT rep_id, quarter AS month, quota_arr FROM silver.quotas WHERE quarter <= getvariable('as_of')
UNION ALL BY NAME
SELECT opportunity_id AS record_id, coalesce(account_id, 'unknown') AS account_id, closing_rep_id AS rep_id, quarter AS month,
    CASE WHEN is_won AND opportunity_type = 'new_business' THEN arr_reporting ELSE 0 END AS won_new_arr
FROM shared.deals
WHERE NOT is_open AND quarter IS NOT NULL
UNION ALL BY NAME
SELECT account_id, coalesce(rep_id, 'unknown') AS rep_id, occurred_date AS month, 1 AS activities FROM silver.activities
