-- One row per ticket that a customer opened in the 90 days up to the as-of day, as it was known then.
WITH known AS (
    SELECT
        *, (getvariable('as_of') + INTERVAL 1 DAY)::TIMESTAMPTZ AS until,
        CASE WHEN first_responded_at < until THEN first_responded_at END AS responded,
        CASE WHEN resolved_at < until THEN resolved_at END AS resolved
    FROM silver.tickets
    WHERE opened_at < until AND date_diff('day', opened_date, getvariable('as_of')) < 90
),
judged AS (
    SELECT
        *,
        greatest(epoch_us(coalesce(responded, resolved, until)) - epoch_us(opened_at), 0) / 3600000000.0
            > first_response_target_hours
        OR greatest(epoch_us(coalesce(resolved, until)) - epoch_us(opened_at), 0) / 3600000000.0
            > resolution_target_hours AS is_late,
        CASE WHEN (resolved_at IS NULL OR resolved_at < until) AND csat BETWEEN 1 AND 5 THEN csat END AS answer
    FROM known
)
SELECT
    ticket_id AS record_id, customer_id, 1 AS tickets_90d, (is_late IS NOT NULL)::INT AS tickets_with_target,
    coalesce(is_late, false)::INT AS sla_breaches_90d,
    (is_escalated AND (first_responded_at IS NULL OR first_responded_at < until))::INT AS escalations_90d,
    answer AS csat_points, (answer IS NOT NULL)::INT AS csat_answers
FROM judged
