-- The terms that a customer held at either end of a period or in between, and the MRR that each is worth at the ends.
-- $from_day and $to_day are the closes between which the period lies, $rated_on is the day whose rates value the end.
WITH held AS (
    SELECT *, $from_day AS from_day, $to_day AS to_day, $rated_on AS rated_on
    FROM silver.subscriptions
    WHERE start_date <= $to_day AND (end_date IS NULL OR end_date > $from_day)
),
rated AS (
    SELECT
        held.*,
        CASE WHEN held.currency = $currency THEN 1::DECIMAL(18, 6) ELSE at_start.rate END AS start_rate,
        -- As in the ledger, a currency that had no rate yet on an earlier day takes that of the close.
        CASE WHEN held.currency = $currency THEN 1::DECIMAL(18, 6) ELSE coalesce(at_end.rate, at_close.rate) END
            AS end_rate
    FROM held
    ASOF LEFT JOIN shared.rates AS at_start ON at_start.currency = held.currency AND at_start.rate_date <= held.from_day
    ASOF LEFT JOIN shared.rates AS at_end ON at_end.currency = held.currency AND at_end.rate_date <= held.rated_on
    ASOF LEFT JOIN shared.rates AS at_close ON at_close.currency = held.currency AND at_close.rate_date <= held.to_day
)
SELECT
    subscription_item_id AS record_id, customer_id, subscription_id, item_type, coalesce(add_on_id, plan_id) AS product,
    change_type, status, quantity, start_date, end_date, monthly_amount, currency,
    CASE WHEN bears_revenue AND start_date <= $from_day THEN monthly_amount * coalesce(start_rate, end_rate) END
        AS mrr_at_start,
    CASE WHEN bears_revenue AND (end_date IS NULL OR end_date > $to_day) THEN monthly_amount * end_rate END
        AS mrr_at_end
FROM rated
ORDER BY customer_id, start_date, record_id
