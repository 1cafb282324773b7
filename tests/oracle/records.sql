-- The records as they stand on the as-of day: newest versions, days, rates. Amounts are whole millionths, so that
-- every sum and product is exact and is rounded once, where the specification says so.

CREATE MACRO half_up(numerator, denominator) AS
    sign(numerator)::HUGEINT * ((2 * abs(numerator) + denominator) // (2 * denominator));
CREATE MACRO millionths(amount) AS (amount * 1000000)::HUGEINT;
CREATE MACRO money(cents) AS (cents::DECIMAL(18, 0) * 0.01)::DECIMAL(18, 2);
CREATE MACRO nine_digits(value) AS round(value::DOUBLE, 9);

-- Whole cents of `total` by `weight` within a `pool`, by the method of largest remainder; equal remainders by `member`.
CREATE MACRO shared(parts) AS TABLE
WITH floors AS (
    SELECT
        pool, member, total,
        total * weight // nullif(sum(weight) OVER same_pool, 0) AS share,
        total * weight % nullif(sum(weight) OVER same_pool, 0) AS remainder
    FROM query_table(parts)
    WINDOW same_pool AS (PARTITION BY pool)
)
SELECT
    pool, member,
    share + (
        row_number() OVER (PARTITION BY pool ORDER BY remainder DESC, member)
        <= total - sum(share) OVER (PARTITION BY pool)
    )::HUGEINT AS cents
FROM floors;

-- Money may be spent on winning customers months before the first one.
CREATE TABLE days AS
SELECT day::DATE AS day, date_trunc('month', day)::DATE AS month
FROM range(
    least(
        (SELECT date_trunc('month', min(start_date)) FROM bronze_subscriptions),
        (SELECT min(month) FROM bronze_marketing_spend),
        (SELECT min(month) FROM bronze_expenses)
    )::TIMESTAMP,
    getvariable('as_of') + INTERVAL 1 DAY, INTERVAL 1 DAY
) AS calendar(day);

CREATE TABLE months AS
SELECT
    month, last_day(month) AS close, (month - INTERVAL 1 DAY)::DATE AS close_before,
    last_day(month - INTERVAL 12 MONTH) AS close_year_ago, day(last_day(month)) AS days
FROM (SELECT DISTINCT month FROM days);

CREATE TABLE rates AS
WITH wanted AS (
    SELECT currency, day
    FROM (SELECT DISTINCT currency FROM bronze_exchange_rates)
    CROSS JOIN (SELECT day FROM days UNION SELECT close_before FROM months UNION SELECT close_year_ago FROM months)
)
SELECT wanted.currency, wanted.day, millionths(known.rate) AS rate
FROM wanted
ASOF JOIN bronze_exchange_rates AS known ON wanted.currency = known.currency AND wanted.day >= known.rate_date
UNION ALL
SELECT 'USD', day, 1000000
FROM (SELECT day FROM days UNION SELECT close_before FROM months UNION SELECT close_year_ago FROM months);

CREATE TABLE customers AS
SELECT * FROM bronze_customers
QUALIFY row_number() OVER (PARTITION BY customer_id ORDER BY updated_at DESC) = 1;

CREATE TABLE plans AS
SELECT * FROM bronze_plans
WHERE valid_from <= getvariable('as_of')
QUALIFY row_number() OVER (PARTITION BY plan_id ORDER BY valid_from DESC) = 1;

CREATE TABLE items AS
WITH newest AS (
    SELECT * FROM bronze_subscriptions
    QUALIFY row_number() OVER (PARTITION BY subscription_item_id ORDER BY updated_at DESC) = 1
),
intervals(billing_interval, times, months) AS (
    VALUES ('day', 365, 12), ('week', 52, 12), ('month', 1, 1), ('year', 1, 12)
)
SELECT newest.*, half_up(millionths(amount) * times, months * interval_count) AS monthly
FROM newest JOIN intervals USING (billing_interval)
WHERE start_date <= getvariable('as_of');

CREATE TABLE invoices AS
SELECT * FROM bronze_invoices
QUALIFY row_number() OVER (PARTITION BY invoice_id ORDER BY updated_at DESC) = 1;

CREATE TABLE tickets AS
SELECT * FROM bronze_support_interactions
QUALIFY row_number() OVER (PARTITION BY ticket_id ORDER BY updated_at DESC) = 1;

CREATE TABLE events AS
SELECT DISTINCT ON (event_id) event_id, customer_id, user_id, event_date, event_type, event_category, feature
FROM bronze_usage_events
WHERE event_date <= getvariable('as_of');

CREATE TABLE payments AS
WITH converted AS (
    SELECT *, paid.attempted_at::DATE AS day, half_up(millionths(amount) * rate, 1000000) AS reporting
    FROM bronze_payments AS paid
    JOIN rates ON rates.currency = paid.currency AND rates.day = paid.attempted_at::DATE
)
SELECT
    customer_id, method, converted.status, converted.day, reporting AS amount,
    CASE
        WHEN total > 0 THEN half_up(reporting * millionths(subtotal), millionths(total))
        ELSE reporting
    END AS amount_net_of_tax
FROM converted LEFT JOIN invoices USING (invoice_id, customer_id);
