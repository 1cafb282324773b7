SELECT
    history_id AS record_id, opportunity_id, valid_from_date, previous_stage, stage, rep_id, expected_close_date, previous_arr_reporting, arr_reporting
FROM silver.opportunity_states
WHERE history_id IN (SELECT record_id FROM counted WHERE is_counted)
ORDER BY valid_from_date, record_id
