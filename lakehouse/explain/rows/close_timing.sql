-- One row per win and change of stage of the complete quarters, on the days that an effect looks at or compares.
WITH happened AS (
    SELECT
        'win' AS event, closed_date AS event_date, opportunity_id AS record_id, coalesce(account_id, 'unknown')
            AS account_id, coalesce(opportunity_type, 'unknown') AS opportunity_type
    FROM silver.opportunities
    WHERE is_won
    UNION ALL
    SELECT
        'stage_change', entered_at::DATE, opportunity_id, coalesce(account_id, 'unknown'),
        coalesce(opportunity_type, 'unknown')
    FROM silver.opportunity_stages
    LEFT JOIN (SELECT opportunity_id, account_id, opportunity_type FROM silver.opportunities) USING (opportunity_id)
    WHERE previous_stage IS NOT NULL
),
judged AS (
    SELECT *, 'quarter_end' AS effect, quarter_end(event_date) - event_date < 14 AS is_inside FROM happened
    UNION ALL
    SELECT
        *, 'holiday',
        CASE
            WHEN is_near_holiday(event_date) THEN CASE
                WHEN NOT is_near_holiday(event_date - 7) OR NOT is_near_holiday(event_date + 7) THEN true
            END
            WHEN is_near_holiday(event_date + 7)
                OR (is_near_holiday(event_date - 7) AND is_near_holiday(event_date - 14)) THEN false
        END
    FROM happened
)
SELECT *, is_inside::INT AS events_inside, (NOT is_inside)::INT AS events_compared
FROM judged
WHERE is_inside IS NOT NULL AND event_date < date_trunc('quarter', getvariable('as_of') + 1)
