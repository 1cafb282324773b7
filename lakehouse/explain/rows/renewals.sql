-- One row per order of a commitment that ends, and per order that renews it, at the rate of the day of the end. The first
-- of a commitment's orders has what it counts for, and what rounding to the cent adds. Source: metrics/renewals.py.
WITH terms AS (
    SELECT
        account_id, renewal_date, min(ordered_at) AS signed_at,
        coalesce(max_by(segment, (ordered_at, order_id)), 'unknown') AS segment,
        min_by(product_line, (ordered_at, order_id)) AS first_line
    FROM silver.billing_orders
    WHERE renewal_date IS NOT NULL
    GROUP BY ALL
),
renewing AS (
    SELECT
        order_id, account_id, any_value(ordered_date) AS ordered_date, any_value(arr) AS arr,
        any_value(currency) AS currency,
        min_by(terms.renewal_date, (abs(date_diff('day', terms.renewal_date, start_date)), terms.renewal_date))
            AS renewal_date
    FROM silver.billing_orders
    JOIN terms USING (account_id)
    WHERE order_type = 'renewal' AND signed_at < ordered_at
    GROUP BY order_id, account_id
),
amounts AS (
    SELECT order_id, account_id, renewal_date, currency, arr AS before, NULL AS after, NULL AS renewed_on
    FROM silver.billing_orders
    JOIN terms USING (account_id, renewal_date)
    WHERE product_line IS NOT DISTINCT FROM first_line
    UNION ALL
    SELECT order_id, account_id, renewal_date, currency, NULL, arr, ordered_date FROM renewing
),
rated AS (
    SELECT
        amounts.* EXCLUDE (before, after),
        CASE WHEN amounts.currency = setting('reporting_currency')->>'$' THEN 1 ELSE coalesce(rates.rate, first_rate) END
            AS used_rate,
        (before * used_rate)::DECIMAL(18, 6) AS before, (after * used_rate)::DECIMAL(18, 6) AS after
    FROM (SELECT *, least(renewal_date, getvariable('as_of')) AS rated_on FROM amounts) AS amounts
    ASOF LEFT JOIN shared.rates AS rates
        ON rates.currency = amounts.currency AND rates.rate_date <= amounts.rated_on
    LEFT JOIN (SELECT currency, min_by(rate, rate_date) AS first_rate FROM shared.rates GROUP BY ALL) AS firsts
        ON firsts.currency = amounts.currency
),
standing AS (
    SELECT account_id, sum(mrr) AS mrr, max(churn_date) AS left_on FROM silver.customers GROUP BY ALL
),
ended AS (
    SELECT
        rated.*, terms.segment, min(renewed_on) OVER commitment AS renewed_date,
        row_number() OVER (commitment ORDER BY before IS NULL, order_id) = 1 AS is_first,
        sum(before) OVER commitment AS all_before, sum(after) OVER commitment AS all_after,
        CASE
            WHEN renewed_date IS NOT NULL THEN 'renewed'
            WHEN getvariable('as_of') - renewal_date > setting('renewals.grace_days')::INT THEN 'lost'
            WHEN mrr = 0 AND left_on > signed_at::DATE THEN 'lost'
            ELSE 'pending'
        END AS status
    FROM terms
    JOIN rated USING (account_id, renewal_date)
    LEFT JOIN standing USING (account_id)
    WINDOW commitment AS (PARTITION BY account_id, renewal_date)
),
rounded AS (
    SELECT
        *, before + CASE WHEN is_first THEN all_before::DECIMAL(18, 2) - all_before ELSE 0 END AS arr_before,
        coalesce(after, 0) + CASE WHEN is_first THEN all_after::DECIMAL(18, 2) - all_after ELSE 0 END AS arr_after,
        CASE WHEN is_first THEN renewal_date - renewed_date END AS days_before
    FROM ended
)
SELECT
    order_id AS record_id, account_id, renewal_date AS month, segment, is_first::INT AS up_for_renewal,
    (is_first AND status = 'renewed')::INT AS renewed, (is_first AND status = 'lost')::INT AS lost,
    (is_first AND status = 'pending')::INT AS pending,
    (days_before > setting('renewals.early_days')::INT)::INT AS renewed_early,
    (days_before BETWEEN 0 AND setting('renewals.early_days')::INT)::INT AS renewed_on_time,
    (days_before < 0)::INT AS renewed_late,
    (is_first AND coalesce(all_after::DECIMAL(18, 2) > all_before::DECIMAL(18, 2), false))::INT AS upsold,
    CASE status WHEN 'renewed' THEN arr_before ELSE 0 END AS renewed_arr,
    CASE status WHEN 'lost' THEN arr_before ELSE 0 END AS lost_arr,
    CASE status WHEN 'pending' THEN arr_before ELSE 0 END AS pending_arr, arr_after
FROM rounded
