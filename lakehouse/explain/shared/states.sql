-- One row per change of an opportunity, with what is known of the opportunity; to whom it belongs is that of the time.
SELECT
    states.* EXCLUDE (rep_id, previous_rep_id),
    coalesce(account_id, 'unknown') AS account_id, coalesce(opportunity_type, 'unknown') AS opportunity_type,
    coalesce(segment, 'unknown') AS segment, coalesce(rep_id, 'unknown') AS rep_id,
    coalesce(previous_rep_id, 'unknown') AS previous_rep_id,
    stage = 'closed_won' AND previous_stage IS DISTINCT FROM 'closed_won' AS is_win,
    coalesce(valid_to_date, getvariable('as_of') + 1) AS not_seen_from
FROM silver.opportunity_states AS states
LEFT JOIN (SELECT opportunity_id, account_id, opportunity_type, segment FROM silver.opportunities)
    USING (opportunity_id)
