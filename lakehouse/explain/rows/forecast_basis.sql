-- What a forecast of the day starts from: what a quarter has won so far, and what is open and expected to close in it.
WITH quarters AS (
    SELECT DISTINCT quarter, forecast_date FROM gold.pipeline_forecast WHERE forecast_date = getvariable('period_start')
)
SELECT
    history_id AS record_id, account_id, forecast_date AS month, quarter, opportunity_type, segment,
    CASE WHEN is_win THEN arr_reporting END AS won_to_date_arr,
    CASE WHEN is_open THEN 1 END AS open_opportunities, CASE WHEN is_open THEN arr_reporting END AS open_arr
FROM shared.states
JOIN quarters ON valid_from_date <= forecast_date
WHERE CASE
    WHEN is_open THEN not_seen_from > forecast_date AND expected_close_date <= quarter_end(quarter)
    ELSE is_win AND valid_from_date >= quarter
END
