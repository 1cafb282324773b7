-- The waterfall by month, what a year has kept of it, and cohorts: from the recomputed ledger, in whole cents.

-- Where each customer stands at a month's close, or on its last day with MRR: at the terms of its largest item.
CREATE TABLE stands AS
WITH largest AS (
    SELECT last_day_with_mrr.*, plan_name, items.currency
    FROM (SELECT customer_id, month, max(day) AS day FROM worth GROUP BY ALL) AS last_day_with_mrr
    JOIN months USING (month)
    JOIN items ON items.customer_id = last_day_with_mrr.customer_id
        AND start_date <= day AND (end_date IS NULL OR day < end_date)
    JOIN rates ON rates.currency = items.currency AND rates.day = close
    LEFT JOIN plans USING (plan_id)
    WHERE item_type <> 'one_time' AND status IN ('active', 'past_due', 'canceled')
    QUALIFY row_number() OVER (
        PARTITION BY last_day_with_mrr.customer_id, month ORDER BY monthly * rate DESC, subscription_item_id DESC
    ) = 1
)
SELECT customer_id, month, 'all' AS dimension, 'all' AS value FROM largest
UNION ALL SELECT customer_id, month, 'plan', plan_name FROM largest
UNION ALL SELECT customer_id, month, 'currency', currency FROM largest;

CREATE TABLE notice AS
SELECT customer_id, month, half_up(sum(monthly * rate), 10000000000) AS notice
FROM items
JOIN months ON start_date <= close AND close < end_date AND canceled_at::DATE <= close
JOIN rates ON rates.currency = items.currency AND rates.day = close
WHERE item_type <> 'one_time' AND status IN ('active', 'past_due', 'canceled')
GROUP BY ALL;

-- A movement is booked where the customer stands now, a departure where it stood.
CREATE TABLE booked AS
SELECT
    ledger.*, coalesce(notice, 0) AS notice, dimensions.dimension,
    before.value AS value_before,
    CASE WHEN opening > 0 AND closing = 0 THEN before.value ELSE now.value END AS value
FROM ledger
CROSS JOIN (SELECT DISTINCT dimension FROM stands) AS dimensions
LEFT JOIN stands AS now ON now.customer_id = ledger.customer_id AND now.dimension = dimensions.dimension
    AND now.month = ledger.month
LEFT JOIN stands AS before ON before.customer_id = ledger.customer_id AND before.dimension = dimensions.dimension
    AND before.month = ledger.month - INTERVAL 1 MONTH
LEFT JOIN notice ON notice.customer_id = ledger.customer_id AND notice.month = ledger.month;

CREATE VIEW oracle_mrr_movements AS
WITH opened AS (
    SELECT month, dimension, value_before AS value, sum(opening) AS opening, count(*) AS opened
    FROM booked
    WHERE opening > 0
    GROUP BY ALL
),
moved AS (
    SELECT
        month, dimension, value,
        sum(opening) AS brought, count(*) FILTER (WHERE opening > 0) AS came,
        sum(new) AS new, sum(reactivation) AS reactivation, sum(expansion) AS expansion,
        sum(contraction) AS contraction, sum(churned) AS churned, sum(fx) AS fx, sum(closing) AS closing,
        sum(notice) AS notice,
        sum(churned) FILTER (WHERE opening > 0) AS lost,
        count(*) FILTER (WHERE new > 0) AS arrived, count(*) FILTER (WHERE reactivation > 0) AS returned,
        count(*) FILTER (WHERE churned > 0) AS left_us, count(*) FILTER (WHERE churned > 0 AND opening > 0) AS logos,
        count(*) FILTER (WHERE closing > 0) AS closed
    FROM booked
    GROUP BY ALL
),
kept AS (
    SELECT
        (year_ago.month + INTERVAL 12 MONTH)::DATE AS month, dimension, value,
        count(*) AS then_customers, sum(year_ago.closing) AS a,
        sum(coalesce(now.closing_at_year_ago_rates, 0)) AS b,
        sum(least(year_ago.closing, coalesce(now.closing_at_year_ago_rates, 0))) AS lesser
    FROM booked AS year_ago
    LEFT JOIN ledger AS now
        ON now.customer_id = year_ago.customer_id AND now.month = year_ago.month + INTERVAL 12 MONTH
    WHERE year_ago.closing > 0 AND year_ago.month + INTERVAL 12 MONTH <= getvariable('as_of')
    GROUP BY ALL
)
SELECT
    month, dimension, value AS dimension_value,
    money(coalesce(opening, 0)) AS opening_mrr, money(coalesce(brought, 0) - coalesce(opening, 0)) AS transfer_mrr,
    money(coalesce(new, 0)) AS new_mrr, money(coalesce(reactivation, 0)) AS reactivation_mrr,
    money(coalesce(expansion, 0)) AS expansion_mrr, money(coalesce(contraction, 0)) AS contraction_mrr,
    money(coalesce(churned, 0)) AS churned_mrr, money(coalesce(fx, 0)) AS fx_mrr,
    money(coalesce(closing, 0)) AS closing_mrr, money(coalesce(closing - notice, 0)) AS committed_mrr,
    coalesce(opened, 0) AS customers_opening, coalesce(came, 0) - coalesce(opened, 0) AS customers_transferred,
    coalesce(arrived, 0) AS customers_new, coalesce(returned, 0) AS customers_reactivated,
    coalesce(left_us, 0) AS customers_churned, coalesce(closed, 0) AS customers_closing,
    nine_digits(1 - (coalesce(contraction, 0) + coalesce(lost, 0)) / nullif(opening, 0)) AS grr_monthly,
    nine_digits(1 + (coalesce(expansion, 0) - coalesce(contraction, 0) - coalesce(lost, 0)) / nullif(opening, 0))
        AS nrr_monthly,
    nine_digits(coalesce(logos, 0) / nullif(opened, 0)) AS logo_churn_rate,
    nine_digits((new + expansion + reactivation) / nullif(contraction + churned, 0)) AS quick_ratio,
    coalesce(then_customers, 0) AS customers_year_ago,
    nine_digits(lesser / nullif(a, 0)) AS grr_12m, nine_digits(b / nullif(a, 0)) AS nrr_12m
FROM opened
FULL JOIN moved USING (month, dimension, value)
FULL JOIN kept USING (month, dimension, value);

CREATE TABLE cohort_cells AS
SELECT
    dimension, value AS dimension_value, life.cohort_month, range::INT AS age_months,
    count(*) AS customers, count(*) FILTER (WHERE now.closing > 0) AS active,
    sum(start.closing) AS starting,
    coalesce(sum(now.closing), 0) AS mrr,
    coalesce(sum(now.closing_at_cohort_rates), 0) AS retained,
    coalesce(sum(least(start.closing, now.closing_at_cohort_rates)) FILTER (WHERE now.month IS NOT NULL), 0) AS kept,
    coalesce(sum(now.revenue), 0) AS revenue
FROM life
JOIN stands ON stands.customer_id = life.customer_id AND stands.month = cohort_month
JOIN ledger AS start ON start.customer_id = life.customer_id AND start.month = cohort_month
JOIN range(0, 1000) ON cohort_month + to_months(range::INT) <= getvariable('as_of')
LEFT JOIN ledger AS now ON now.customer_id = life.customer_id AND now.month = cohort_month + to_months(range::INT)
WHERE dimension <> 'currency'
GROUP BY ALL;

CREATE VIEW oracle_retention_cohorts AS
SELECT
    dimension, dimension_value, cohort_month, age_months, customers, active AS active_customers,
    nine_digits(active / customers) AS logo_retention
FROM cohort_cells;

CREATE VIEW oracle_revenue_cohorts AS
SELECT
    dimension, dimension_value, cohort_month, age_months, customers,
    money(starting) AS starting_mrr, money(mrr) AS mrr, money(retained) AS retained_mrr, money(kept) AS kept_mrr,
    nine_digits(mrr / nullif(starting, 0)) AS revenue_retention,
    nine_digits(retained / nullif(starting, 0)) AS nrr_to_date,
    nine_digits(kept / nullif(starting, 0)) AS grr_to_date,
    money(sum(revenue) OVER (PARTITION BY dimension, dimension_value, cohort_month ORDER BY age_months))
        AS cumulative_revenue
FROM cohort_cells;
