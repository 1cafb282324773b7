-- One row per opportunity, with the quarter in which it was closed and the rep who owned it then.
WITH closers AS (
    SELECT opportunity_id, max_by(rep_id, change_number) AS closing_rep_id
    FROM silver.opportunity_states
    WHERE NOT is_open(stage) AND is_open(coalesce(previous_stage, 'prospecting'))
    GROUP BY ALL
)
SELECT
    opportunities.* EXCLUDE (opportunity_type, segment), coalesce(opportunity_type, 'unknown') AS opportunity_type,
    coalesce(segment, 'unknown') AS segment,
    date_trunc('quarter', closed_date)::DATE AS quarter,
    coalesce(closing_rep_id, owner_rep_id, 'unknown') AS closing_rep_id
FROM silver.opportunities AS opportunities
LEFT JOIN closers USING (opportunity_id)
