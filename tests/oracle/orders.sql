-- Recurring revenue a year by the order that last set it: the ledger's closing, shared by what the items are worth then.

CREATE TABLE ordered AS
WITH counted AS (
    SELECT
        *,
        CASE
            WHEN change_type IN ('initial', 'conversion', 'reactivation') THEN 'new'
            WHEN change_type IN ('seat_expansion', 'plan_upgrade', 'add_on') THEN 'expansion'
            WHEN change_type = 'renewal' THEN 'renewal'
        END AS ordered_by
    FROM items
    WHERE item_type IN ('plan', 'add_on') AND status IN ('active', 'past_due', 'canceled') AND monthly > 0
)
SELECT
    now.subscription_item_id, now.customer_id, now.currency, now.monthly, now.start_date, now.end_date,
    coalesce(arg_max(before.ordered_by, (before.start_date, before.subscription_item_id)), 'new') AS order_type
FROM counted AS now
LEFT JOIN counted AS before
    ON before.customer_id = now.customer_id AND before.subscription_id = now.subscription_id
    AND before.item_type = now.item_type AND before.add_on_id IS NOT DISTINCT FROM now.add_on_id
    AND (before.start_date, before.subscription_item_id) <= (now.start_date, now.subscription_item_id)
    AND before.ordered_by IS NOT NULL
GROUP BY ALL;

CREATE TABLE arr_weights AS
SELECT
    (ledger.customer_id, ledger.month) AS pool, order_type AS member, 12 * closing AS total,
    half_up(sum(monthly * rate), 1000000) AS weight
FROM ledger
JOIN months USING (month)
JOIN ordered ON ordered.customer_id = ledger.customer_id
    AND start_date <= close AND (end_date IS NULL OR close < end_date)
JOIN rates ON rates.currency = ordered.currency AND rates.day = close
WHERE closing > 0
GROUP BY ALL;

CREATE TABLE arr_parts AS
SELECT pool[1] AS customer_id, pool[2] AS month, member AS order_type, cents FROM shared('arr_weights');

CREATE VIEW oracle_arr_composition AS
WITH lost AS (
    SELECT ledger.month, coalesce(order_type, 'new') AS order_type, sum(coalesce(cents, 12 * churned)) AS cents
    FROM ledger
    LEFT JOIN arr_parts
        ON arr_parts.customer_id = ledger.customer_id AND arr_parts.month + INTERVAL 1 MONTH = ledger.month
    WHERE churned > 0
    GROUP BY ALL
),
held AS (
    SELECT month, order_type, sum(cents) AS cents, count(*) FILTER (WHERE cents > 0) AS customers
    FROM arr_parts
    GROUP BY ALL
)
SELECT
    month AS period_start, order_type, money(coalesce(held.cents, 0)) AS arr,
    coalesce(customers, 0) AS customers, money(coalesce(lost.cents, 0)) AS churned_arr
FROM (SELECT DISTINCT month FROM ledger)
CROSS JOIN (VALUES ('new'), ('expansion'), ('renewal')) AS order_types(order_type)
LEFT JOIN held USING (month, order_type)
LEFT JOIN lost USING (month, order_type);
