-- One row per opportunity that is open at the close of the day. The table rounds each group's weighted ARR to the cent.
WITH held AS (
    SELECT
        history_id AS record_id, account_id, getvariable('period_start') AS month, opportunity_type, stage, segment,
        rep_id, coalesce(strftime(expected_close_date, '%Y-%m'), 'unknown') AS expected_close_month,
        band(date_diff('day', opened_date, getvariable('period_start')), setting('pipeline.age_bands_days')::INT[])
            AS age_band,
        1 AS opportunities, arr_reporting AS open_arr,
        arr_reporting * coalesce(rep_probability, 0)::DECIMAL(9, 6) AS weighted_arr
    FROM shared.states
    WHERE is_open AND valid_from_date <= getvariable('period_start') AND not_seen_from > getvariable('period_start')
)
SELECT
    *, CASE row_number() OVER (slice ORDER BY record_id)
        WHEN 1 THEN (sum(weighted_arr) OVER slice)::DECIMAL(18, 2) - sum(weighted_arr) OVER slice
    END AS weighted_rounding
FROM held
WINDOW slice AS (PARTITION BY opportunity_type, stage, segment, rep_id, expected_close_month, age_band)
