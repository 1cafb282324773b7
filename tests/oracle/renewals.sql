-- Commitments that end, one per account and day, and the orders that renew them. Signed more than 30 days before the end
-- a renewal is early; 90 days after it what nobody signed is lost.

CREATE TABLE commitments AS
SELECT
    account_id, renewal_date, min(ordered_at) AS signed_at,
    least(renewal_date, getvariable('as_of')) AS rated_on, arg_min(product_line, (ordered_at, order_id)) AS product_line
FROM signed_orders
WHERE renewal_date IS NOT NULL
GROUP BY account_id, renewal_date;

CREATE TABLE followed AS
WITH candidates AS (
    SELECT
        commitments.account_id, commitments.renewal_date, rated_on, order_id, ordered_on, currency, a_year,
        row_number() OVER (
            PARTITION BY order_id ORDER BY abs(start_date - commitments.renewal_date), commitments.renewal_date
        ) AS place
    FROM signed_orders
    JOIN commitments ON commitments.account_id = signed_orders.account_id AND signed_at < ordered_at
    WHERE order_type = 'renewal'
),
amounts AS (
    SELECT account_id, renewal_date, rated_on, currency, a_year AS before, NULL::HUGEINT AS after, NULL::DATE AS ordered_on
    FROM signed_orders JOIN commitments USING (account_id, renewal_date, product_line)
    UNION ALL
    SELECT account_id, renewal_date, rated_on, currency, NULL, a_year, ordered_on FROM candidates WHERE place = 1
),
rated AS (
    SELECT amounts.* REPLACE (greatest(rated_on, coalesce(first_day, rated_on)) AS rated_on)
    FROM amounts
    LEFT JOIN (SELECT currency, min(rate_date) AS first_day FROM bronze_exchange_rates GROUP BY currency) USING (currency)
)
SELECT
    account_id, renewal_date, min(ordered_on) AS ordered_on,
    half_up(sum(half_up(before * coalesce(millionths(known.rate), 1000000), 1000000)), 10000) AS before,
    half_up(sum(half_up(after * coalesce(millionths(known.rate), 1000000), 1000000)), 10000) AS after
FROM rated
ASOF LEFT JOIN bronze_exchange_rates AS known ON rated.currency = known.currency AND rated.rated_on >= known.rate_date
GROUP BY account_id, renewal_date;

CREATE VIEW oracle_renewals AS
WITH standing AS (
    SELECT
        coalesce(account_id, customer_id) AS account_id, max(churn_date) AS left_on,
        bool_or(coalesce(NOT is_churned, false)) AS is_paying
    FROM customers LEFT JOIN life USING (customer_id)
    GROUP BY ALL
),
judged AS (
    SELECT
        followed.*, date_trunc('month', renewal_date)::DATE AS renewal_month, renewal_date - ordered_on AS days_before,
        CASE
            WHEN ordered_on IS NOT NULL THEN 'renewed'
            WHEN getvariable('as_of') - renewal_date > 90 THEN 'lost'
            WHEN NOT is_paying AND left_on > signed_at::DATE THEN 'lost'
            ELSE 'pending'
        END AS status
    FROM followed
    JOIN commitments USING (account_id, renewal_date)
    LEFT JOIN standing USING (account_id)
),
counted AS (
    SELECT
        renewal_month, last_day(renewal_month) <= getvariable('as_of') AS is_complete, count(*) AS up_for_renewal,
        count(*) FILTER (WHERE status = 'renewed') AS renewed, count(*) FILTER (WHERE status = 'lost') AS lost,
        count(*) FILTER (WHERE status = 'pending') AS pending,
        count(*) FILTER (WHERE days_before > 30) AS renewed_early,
        count(*) FILTER (WHERE days_before BETWEEN 0 AND 30) AS renewed_on_time,
        count(*) FILTER (WHERE days_before < 0) AS renewed_late,
        count(*) FILTER (WHERE after > before) AS upsold,
        coalesce(sum(before) FILTER (WHERE status = 'renewed'), 0) AS renewed_before,
        coalesce(sum(before) FILTER (WHERE status = 'lost'), 0) AS lost_before,
        coalesce(sum(before) FILTER (WHERE status = 'pending'), 0) AS pending_before,
        coalesce(sum(after), 0) AS after
    FROM judged
    GROUP BY renewal_month
)
SELECT
    renewal_month, is_complete, up_for_renewal, renewed, lost, pending, renewed_early, renewed_on_time, renewed_late, upsold,
    money(renewed_before) AS renewed_arr, money(lost_before) AS lost_arr, money(pending_before) AS pending_arr,
    money(after) AS arr_after,
    CASE WHEN is_complete THEN nine_digits(renewed / nullif(renewed + lost, 0)) END AS renewal_rate,
    CASE WHEN is_complete THEN nine_digits(renewed_before / nullif(renewed_before + lost_before, 0)) END AS arr_renewal_rate,
    CASE WHEN is_complete THEN nine_digits(after / nullif(renewed_before, 0)) END AS expansion_ratio
FROM counted;
