-- One row per customer and day with at least one event.
SELECT
    customer_id, events, errors, seconds, (active_events > 0)::INT AS active_days,
    CASE WHEN age_days < 30 THEN events ELSE 0 END AS events_30d,
    -- The signals look at the window alone, not at days after the as-of day that were received already.
    CASE WHEN age_days BETWEEN 0 AND 29 THEN events ELSE 0 END AS events_in_30_days,
    CASE WHEN age_days BETWEEN 30 AND 59 THEN events ELSE 0 END AS events_prior_30d
FROM (SELECT *, date_diff('day', usage_date, getvariable('as_of')) AS age_days FROM silver.usage_daily)
