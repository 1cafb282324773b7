-- One row per week of a quarter and quota, win so far, or opportunity of new business that is open on the week's eve;
-- weighted ARR is to the cent in each group of gold.pipeline_daily.
WITH weeks AS (
    SELECT DISTINCT quarter, week::INT AS week_of_quarter, quarter + (7 * (week - 1) - 1)::INT AS eve
    FROM silver.quotas
    CROSS JOIN range(1, 15) AS weeks(week)
    WHERE eve <= getvariable('as_of') AND eve < quarter_end(quarter)
),
new_business AS (SELECT * FROM shared.states WHERE opportunity_type = 'new_business'),
quoted AS (SELECT weeks.*, rep_id, quota_arr FROM weeks JOIN silver.quotas AS quotas USING (quarter)),
won AS (
    SELECT weeks.*, rep_id, history_id AS record_id, arr_reporting AS won_arr
    FROM weeks
    JOIN new_business ON is_win AND valid_from_date BETWEEN quarter AND eve
),
open_then AS (
    SELECT
        weeks.*, rep_id, history_id AS record_id, stage, segment, strftime(expected_close_date, '%Y-%m') AS close_month,
        band(date_diff('day', opened_date, eve), setting('pipeline.age_bands_days')::INT[]) AS age_band,
        arr_reporting AS open_arr, arr_reporting * coalesce(rep_probability, 0)::DECIMAL(9, 6) AS weighted_arr
    FROM weeks
    JOIN new_business ON is_open AND valid_from_date <= eve AND not_seen_from > eve
        AND expected_close_date <= quarter_end(quarter)
),
rounded AS (
    SELECT
        * EXCLUDE (stage, segment, close_month, age_band),
        CASE row_number() OVER (slice ORDER BY record_id)
            WHEN 1 THEN (sum(weighted_arr) OVER slice)::DECIMAL(18, 2) - sum(weighted_arr) OVER slice
        END AS weighted_rounding
    FROM open_then
    WINDOW slice AS (PARTITION BY quarter, eve, rep_id, stage, segment, close_month, age_band)
),
parts AS (
    SELECT * FROM quoted
    UNION ALL BY NAME SELECT * FROM won
    UNION ALL BY NAME SELECT * FROM rounded
)
SELECT parts.*, quarter AS month, rep_id AS rep, coalesce(region, 'unknown') AS region
FROM parts
LEFT JOIN (SELECT rep_id, region FROM silver.sales_reps) USING (rep_id)
