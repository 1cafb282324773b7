-- How payments went, in the reporting currency at the rate of their day.

CREATE VIEW oracle_payment_summary AS
WITH signs(status, sign) AS (VALUES ('succeeded', 1), ('failed', 0), ('refunded', -1))
SELECT
    date_trunc('month', day)::DATE AS payment_month, coalesce(method, 'unknown') AS method, status,
    count(*) AS attempts,
    count(DISTINCT customer_id) AS customers,
    money(half_up(sum(amount), 10000)) AS amount,
    money(half_up(sum(amount * sign), 10000)) AS net_cash
FROM payments JOIN signs USING (status)
WHERE day <= getvariable('as_of')
GROUP BY ALL;
