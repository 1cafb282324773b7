SELECT response_id AS record_id, responded_at, score, nps_group
FROM silver.nps_responses
WHERE response_id IN (SELECT record_id FROM counted WHERE is_counted)
ORDER BY responded_at, record_id
