SELECT spend_id AS record_id, month, channel, campaign_id, amount, currency, spend
FROM shared.spending
WHERE spend_id IN (SELECT record_id FROM counted WHERE is_counted)
ORDER BY month, record_id
