-- What each change of an opportunity does to the pipeline of its quarter, what was open when it opened and is when it
-- closes, and what the rep before gave away. Source: with_flows in lakehouse/metrics/pipeline.py.
WITH judged AS (
    SELECT
        *, date_trunc('quarter', valid_from_date)::DATE AS quarter, previous_stage IS NULL AS is_new,
        coalesce(is_open(previous_stage), false) AS was_open,
        was_open AND coalesce(previous_expected_close_date <= quarter_end(quarter), false) AS was_in,
        NOT is_open AND stage IS DISTINCT FROM previous_stage AS closes,
        closes OR (is_open AND coalesce(expected_close_date <= quarter_end(quarter), false)) AS stays,
        arr_reporting - previous_arr_reporting AS gained
    FROM shared.states
),
changes AS (
    SELECT
        history_id AS record_id, account_id, quarter AS month, opportunity_type, segment, rep_id, previous_rep_id,
        CASE WHEN NOT was_in AND stays AND is_new THEN arr_reporting END AS created_arr,
        CASE WHEN NOT was_in AND stays AND NOT is_new AND NOT was_open THEN arr_reporting END AS reopened_arr,
        CASE WHEN NOT was_in AND stays AND was_open THEN arr_reporting END AS pulled_in_arr,
        CASE WHEN was_in AND stays AND gained > 0 THEN gained END AS increased_arr,
        CASE WHEN was_in AND stays AND gained < 0 THEN -gained END AS decreased_arr,
        CASE WHEN was_in AND rep_id <> previous_rep_id THEN previous_arr_reporting END AS transferred_arr,
        CASE WHEN was_in AND NOT stays THEN previous_arr_reporting END AS pushed_out_arr,
        CASE WHEN closes AND stage = 'closed_won' THEN arr_reporting END AS won_arr,
        CASE WHEN closes AND stage = 'closed_lost' THEN arr_reporting END AS lost_arr,
        CASE WHEN is_new THEN arr_reporting END AS new_pipeline_arr, is_new::INT AS new_opportunities,
        (closes AND stage = 'closed_won')::INT AS won_opportunities,
        (closes AND stage = 'closed_lost')::INT AS lost_opportunities, is_push::INT AS pushes,
        CASE WHEN is_push THEN date_diff('day', previous_expected_close_date, expected_close_date) END AS pushed_days
    FROM judged
),
given_back AS (
    SELECT
        record_id, account_id, month, opportunity_type, segment, previous_rep_id AS rep_id,
        -transferred_arr AS transferred_arr
    FROM changes
    WHERE transferred_arr IS NOT NULL
),
at_close AS (
    SELECT *, least(quarter_end(quarter), getvariable('as_of')) AS looked_at
    FROM shared.states
    CROSS JOIN unnest(generate_series(
        date_trunc('quarter', valid_from_date), date_trunc('quarter', not_seen_from), INTERVAL 3 MONTH
    )::DATE[]) AS quarters(quarter)
    WHERE is_open AND quarter <= getvariable('as_of') AND valid_from_date <= looked_at AND not_seen_from > looked_at
),
ends AS (
    SELECT
        history_id AS record_id, account_id, quarter AS month, opportunity_type, segment, rep_id,
        CASE WHEN expected_close_date <= quarter_end(quarter) THEN arr_reporting END AS left_arr,
        NULL AS opening_arr, 1 AS open_deals, arr_reporting AS pipeline_arr
    FROM at_close
    UNION ALL
    SELECT
        history_id, account_id, quarter + INTERVAL 3 MONTH, opportunity_type, segment, rep_id, NULL,
        CASE WHEN expected_close_date <= quarter_end(quarter + INTERVAL 3 MONTH) THEN arr_reporting END, NULL, NULL
    FROM at_close
    WHERE quarter + INTERVAL 3 MONTH <= getvariable('as_of')
)
SELECT * EXCLUDE (previous_rep_id) FROM changes
UNION ALL BY NAME SELECT * FROM given_back
UNION ALL BY NAME SELECT * FROM ends
