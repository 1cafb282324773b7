-- One row per deal whose time is known, with what sales did on it while it was open.
WITH deals AS (
    SELECT
        opportunity_id, coalesce(account_id, 'unknown') AS account_id, coalesce(segment, 'unknown') AS segment,
        coalesce(opportunity_type, 'unknown') AS opportunity_type, created_at,
        CASE WHEN is_open THEN (getvariable('as_of') + 1)::TIMESTAMP AT TIME ZONE 'UTC' ELSE closed_at END AS until,
        CASE WHEN is_open THEN 'open' WHEN is_won THEN 'won' ELSE 'lost' END AS outcome
    FROM silver.opportunities
    WHERE is_open OR closed_at IS NOT NULL
),
done AS (
    SELECT
        opportunity_id, count(*) FILTER (is_inside) AS activities, count(*) FILTER (NOT is_inside) AS activities_outside,
        count(*) FILTER (is_inside AND activity_type = 'call') AS calls,
        count(*) FILTER (is_inside AND activity_type = 'email') AS emails,
        count(*) FILTER (is_inside AND activity_type = 'meeting') AS meetings,
        count(*) FILTER (is_inside AND activity_type = 'demo') AS demos,
        count(contact_id) FILTER (is_inside) AS contact_activities,
        count(DISTINCT contact_id) FILTER (is_inside) AS contacts
    FROM (
        SELECT *, occurred_at BETWEEN created_at AND until AS is_inside
        FROM silver.activities JOIN (SELECT opportunity_id, created_at, until FROM deals) USING (opportunity_id)
    )
    GROUP BY opportunity_id
)
SELECT
    opportunity_id AS record_id, account_id, opportunity_type, outcome, segment, 1 AS deals,
    ((epoch_us(until) - epoch_us(created_at)) / 604800000000)::DECIMAL(28, 12) AS open_weeks,
    coalesce(activities, 0) AS activities, coalesce(activities_outside, 0) AS activities_outside,
    coalesce(calls, 0) AS calls, coalesce(emails, 0) AS emails, coalesce(meetings, 0) AS meetings,
    coalesce(demos, 0) AS demos, coalesce(contact_activities, 0) AS contact_activities,
    coalesce(contacts, 0) AS contacts, coalesce(activities > 0, false)::INT AS deals_with_activity
FROM deals LEFT JOIN done USING (opportunity_id)
