-- One row per visit of an opportunity to an open stage.
WITH visits AS (
    SELECT
        *, stage_rank(next_stage) - stage_rank(stage) AS steps,
        date_diff('day', entered_at::DATE, getvariable('as_of')) >= 90 AS is_followed
    FROM silver.opportunity_stages
    WHERE is_open(stage)
)
SELECT
    opportunity_id AS record_id, coalesce(account_id, 'unknown') AS account_id,
    coalesce(opportunity_type, 'unknown') AS opportunity_type,
    band(visits.arr_reporting, setting('pipeline.deal_sizes')::INT[]) AS deal_size, visits.stage,
    visits.stage AS from_stage, next_stage AS to_stage,
    1 AS visits, (NOT is_reentry)::INT AS opportunities, (left_at IS NOT NULL)::INT AS completed_visits,
    (left_at IS NULL)::INT AS open_visits, days_in_stage::DECIMAL(28, 12) AS days_in_stage,
    coalesce(steps > 0 AND next_stage <> 'closed_lost', false)::INT AS advanced,
    coalesce(steps > 1 AND is_open(next_stage), false)::INT AS skipped, coalesce(steps < 0, false)::INT AS regressed,
    coalesce(next_stage = 'closed_lost', false)::INT AS lost, is_reentry::INT AS reentries,
    is_reopening::INT AS reopenings, (is_followed AND left_at IS NOT NULL)::INT AS transitions
FROM visits
LEFT JOIN (SELECT opportunity_id, account_id, opportunity_type FROM silver.opportunities) USING (opportunity_id)
