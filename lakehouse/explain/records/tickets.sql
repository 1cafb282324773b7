SELECT
    ticket_id AS record_id, priority, status, opened_at, first_response_hours, first_response_target_hours,
    resolution_hours, resolution_target_hours
FROM silver.tickets
WHERE ticket_id IN (SELECT record_id FROM counted WHERE is_counted)
ORDER BY opened_at, record_id
