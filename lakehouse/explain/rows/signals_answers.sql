-- One row per answer of the 180 days up to the as-of day.
SELECT response_id AS record_id, customer_id, score AS points, 1 AS answers
FROM silver.nps_responses
WHERE date_diff('day', responded_at::DATE, getvariable('as_of')) BETWEEN 0 AND 179
