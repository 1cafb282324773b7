-- The sound exchange rates, one per currency and day.
SELECT currency, rate_date, max(rate) AS rate
FROM bronze.exchange_rates AS received
WHERE NOT EXISTS (
    FROM silver.quarantine AS rejected
    WHERE table_name = 'bronze.exchange_rates' AND rejected._source = received._source
        AND rejected._batch_id = received._batch_id AND rejected._row = received._row
)
GROUP BY ALL
