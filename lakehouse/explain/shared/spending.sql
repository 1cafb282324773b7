-- The newest sound record of each programme's spend in a month, at the rate of the month's last day, to the cent.
WITH sound AS (
    SELECT spend_id, date_trunc('month', month)::DATE AS month, channel, campaign_id, amount, currency
    FROM bronze.marketing_spend AS received
    WHERE NOT EXISTS (
        FROM silver.quarantine AS rejected
        WHERE table_name = 'bronze.marketing_spend' AND rejected._source = received._source
            AND rejected._batch_id = received._batch_id AND rejected._row = received._row
    )
    QUALIFY row_number() OVER (
        PARTITION BY spend_id ORDER BY (received.month, channel, campaign_id, amount, currency) DESC
    ) = 1
)
SELECT
    spend_id, sound.month, channel, coalesce(campaign_id, 'none') AS campaign,
    coalesce(campaign_id, 'none of ' || channel) AS campaign_id, amount, sound.currency,
    CASE WHEN sound.currency = setting('reporting_currency')->>'$' THEN amount ELSE amount * rate END::DECIMAL(18, 6) AS exact_spend,
    exact_spend::DECIMAL(18, 2) AS spend
FROM sound
ASOF LEFT JOIN (SELECT currency, rate_date, rate FROM shared.rates) AS rates
    ON rates.currency = sound.currency AND rates.rate_date <= last_day(sound.month)
WHERE sound.month <= getvariable('as_of')
