-- What serving each customer's month cost, by events and by tickets, and the margin that it left.

CREATE TABLE served AS
SELECT
    ledger.customer_id, ledger.month, revenue,
    coalesce(used.events, 0) AS events,
    coalesce(asked.tickets, 0) AS tickets
FROM ledger
LEFT JOIN (
    SELECT customer_id, date_trunc('month', event_date)::DATE AS month, count(*) AS events FROM events GROUP BY ALL
) AS used USING (customer_id, month)
LEFT JOIN (
    SELECT customer_id, date_trunc('month', opened_at)::DATE AS month, count(*) AS tickets FROM tickets GROUP BY ALL
) AS asked USING (customer_id, month)
WHERE revenue > 0 OR closing > 0;

CREATE TABLE costs_of_serving AS
SELECT department, spent.month, half_up(sum(half_up(millionths(amount) * rate, 1000000)), 10000) AS cents
FROM bronze_expenses AS spent
JOIN months USING (month) JOIN rates ON rates.currency = spent.currency AND rates.day = close
WHERE department IN ('cogs_hosting', 'cogs_support')
GROUP BY ALL;

CREATE TABLE serving_to_share AS
WITH weighted AS (
    SELECT *, CASE department WHEN 'cogs_hosting' THEN events ELSE tickets END AS weight
    FROM served JOIN costs_of_serving USING (month)
)
SELECT
    {'department': department, 'month': month} AS pool, customer_id AS member, cents AS total,
    CASE WHEN sum(weight) OVER (PARTITION BY department, month) = 0 THEN 1 ELSE weight END AS weight
FROM weighted;

CREATE TABLE margins AS
SELECT customer_id, served.month, revenue, events, tickets, revenue - sum(cents) AS gross_profit
FROM served JOIN shared('serving_to_share') AS cost ON member = customer_id AND pool.month = served.month
GROUP BY customer_id, served.month, revenue, events, tickets;

CREATE VIEW oracle_gross_profit AS
SELECT customer_id, month, events, tickets, money(revenue) AS revenue, money(gross_profit) AS gross_profit FROM margins;

CREATE TABLE margin_of_customer AS
WITH recent AS (
    SELECT * FROM margins
    QUALIFY row_number() OVER (PARTITION BY customer_id ORDER BY month DESC) <= 12
),
own AS (
    SELECT customer_id, count(*) AS months, sum(gross_profit) AS gross_profit, sum(revenue) AS revenue
    FROM recent GROUP BY ALL
),
company AS (
    SELECT sum(gross_profit) AS gross_profit, sum(revenue) AS revenue
    FROM margins WHERE month > getvariable('as_of') - INTERVAL 12 MONTH
)
SELECT
    customer_id,
    CASE
        WHEN own.months >= 3 AND own.revenue > 0 THEN half_up(own.gross_profit * 1000000000, own.revenue)
        ELSE half_up(company.gross_profit * 1000000000, company.revenue)
    END AS billionths
FROM life LEFT JOIN own USING (customer_id) CROSS JOIN company;

CREATE VIEW oracle_gross_margin AS
SELECT customer_id, nine_digits(billionths / 1e9) AS gross_margin FROM margin_of_customer;
