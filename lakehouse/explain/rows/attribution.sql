-- What of each win of new business each touch of its person shares, under each model, and what the campaigns spent.
-- Source: lakehouse/metrics/attribution.py.
WITH wins AS (
    SELECT
        opportunity_id, account_id, lead_id, closed_at, arr_reporting, date_trunc('month', closed_date)::DATE AS month
    FROM silver.opportunities
    WHERE is_won AND opportunity_type = 'new_business' AND closed_date IS NOT NULL
),
led_to AS (
    SELECT wins.opportunity_id, wins.closed_at, others.lead_id
    FROM wins
    JOIN silver.leads AS own ON own.lead_id = wins.lead_id
    JOIN silver.leads AS others ON others.first_lead_id = own.first_lead_id
),
touched AS (
    SELECT opportunity_id, touch_id, occurred_at, channel, campaign_id
    FROM led_to
    JOIN silver.marketing_events AS touches ON touches.lead_id = led_to.lead_id AND occurred_at <= closed_at
),
placed AS (
    SELECT
        wins.*, coalesce(channel, 'unattributed') AS channel, coalesce(campaign_id, 'none') AS campaign_id,
        row_number() OVER (PARTITION BY opportunity_id ORDER BY occurred_at, touch_id) AS place,
        count(*) OVER (PARTITION BY opportunity_id) AS touches
    FROM wins
    LEFT JOIN touched USING (opportunity_id)
),
weighed AS (
    SELECT
        opportunity_id, account_id, month, arr_reporting, model, channel, campaign_id,
        sum(CASE model WHEN 'first_touch' THEN place = 1 WHEN 'last_touch' THEN place = touches ELSE true END::INT)
            AS weight
    FROM placed
    CROSS JOIN (VALUES ('first_touch'), ('last_touch'), ('linear')) AS models(model)
    GROUP BY ALL
),
parts AS (
    SELECT *, sum(weight) OVER (PARTITION BY opportunity_id, model) AS weights,
        (opportunity_id, model) AS win, (channel, campaign_id) AS place
    FROM weighed
)
SELECT
    opportunity_id AS record_id, account_id, month, model, channel, campaign_id,
    (shared_by_weight(1000000, weight, weights, win, place) / 1000000)::DECIMAL(18, 6) AS attributed_wins,
    (shared_by_weight((arr_reporting * 100)::HUGEINT, weight, weights, win, place) / 100)::DECIMAL(18, 2)
        AS attributed_arr
FROM parts
UNION ALL BY NAME
SELECT
    spend_id AS record_id, month, model, channel, campaign AS campaign_id, spend AS campaign_spend
FROM shared.spending
CROSS JOIN (VALUES ('first_touch'), ('last_touch'), ('linear')) AS models(model)
