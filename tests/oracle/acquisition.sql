-- What was spent on winning customers, and who bears it.

CREATE TABLE spend AS
SELECT
    'programme' AS kind, spent.month, channel AS pool,
    half_up(sum(half_up(millionths(amount) * rate, 1000000)), 10000) AS cents
FROM bronze_marketing_spend AS spent
JOIN months USING (month) JOIN rates ON rates.currency = spent.currency AND rates.day = close
GROUP BY ALL
UNION ALL
SELECT department, spent.month, department, half_up(sum(half_up(millionths(amount) * rate, 1000000)), 10000)
FROM bronze_expenses AS spent
JOIN months USING (month) JOIN rates ON rates.currency = spent.currency AND rates.day = close
WHERE department IN ('sales', 'marketing')
GROUP BY ALL;

-- The marketing department works for the channels as their programmes cost.
CREATE TABLE marketing_by_channel AS
SELECT programme.month AS pool, programme.pool AS member, programme.cents AS weight, department.cents AS total
FROM spend AS programme JOIN spend AS department USING (month)
WHERE programme.kind = 'programme' AND department.kind = 'marketing';

CREATE TABLE pools AS
SELECT pool, month, sum(cents) AS cents
FROM (
    SELECT pool, month, cents FROM spend WHERE kind IN ('programme', 'sales')
    UNION ALL
    SELECT member, pool, cents FROM shared('marketing_by_channel')
)
GROUP BY ALL;

CREATE TABLE bearers AS
WITH first_plan AS (
    SELECT life.customer_id, arg_min(opportunity_id IS NOT NULL, (start_date, subscription_item_id)) AS is_rep_won
    FROM life JOIN items USING (customer_id)
    WHERE item_type = 'plan' AND status IN ('active', 'past_due', 'canceled') AND monthly > 0
        AND (end_date IS NULL OR end_date > start_date)
    GROUP BY ALL
),
won AS (
    SELECT customer_id, cohort_month AS month, acquisition_channel, is_rep_won
    FROM groups LEFT JOIN first_plan USING (customer_id)
)
SELECT customer_id, month, acquisition_channel AS pool FROM won
UNION ALL
SELECT customer_id, month, 'sales' FROM won
QUALIFY is_rep_won OR NOT bool_or(is_rep_won) OVER (PARTITION BY month);

-- A pool without anybody to bear it waits for the next month with somebody.
CREATE TABLE borne AS
SELECT pools.pool, wins.month, sum(cents) AS total
FROM pools ASOF JOIN (SELECT DISTINCT pool, month FROM bearers) AS wins
    ON pools.pool = wins.pool AND pools.month <= wins.month
GROUP BY ALL;

CREATE TABLE costs_to_share AS
SELECT {'pool': pool, 'month': month} AS pool, customer_id AS member, 1 AS weight, total
FROM borne JOIN bearers USING (pool, month);

CREATE TABLE acquisition AS
SELECT customer_id, CASE WHEN cohort_month >= first_spend THEN coalesce(sum(cents), 0) END AS cac
FROM groups
CROSS JOIN (SELECT min(month) AS first_spend FROM spend)
LEFT JOIN shared('costs_to_share') AS cost ON member = customer_id
GROUP BY customer_id, cohort_month, first_spend;

CREATE VIEW oracle_customer_cac AS SELECT customer_id, money(cac) AS cac FROM acquisition;

CREATE VIEW oracle_cac_by_channel AS
SELECT acquisition_channel, count(*) AS customers, money(sum(cac)) AS total_cac
FROM acquisition JOIN groups USING (customer_id)
GROUP BY acquisition_channel;

-- Every cent that was spent is in somebody's cost or waits.
CREATE VIEW oracle_spend AS
SELECT
    'total' AS what,
    money((SELECT sum(cents) FROM spend)) AS spend,
    money((SELECT sum(cac) FROM acquisition)) AS borne,
    money((SELECT sum(cents) FROM spend) - (SELECT sum(cac) FROM acquisition)) AS unallocated;
