-- One row per record of programme spend, not yet rounded.
SELECT spend_id AS record_id, month, channel AS pool, campaign_id, exact_spend AS programme_spend FROM shared.spending
