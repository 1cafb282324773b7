-- What was ordered, by the month and quarter of the signature, at that day's rate or else the currency's first one.

CREATE TABLE signed_orders AS
WITH first_rates AS (
    SELECT currency, min(rate_date) AS day FROM bronze_exchange_rates GROUP BY currency
),
rated AS (
    SELECT
        taken.*, ordered_at::DATE AS ordered_on,
        greatest(ordered_at::DATE, coalesce(first_rates.day, ordered_at::DATE)) AS rated_on,
        -- Whole months where the days of the month are the same or both the last; a day is a 31st of a month.
        datediff('month', start_date, renewal_date) * 1000000 + CASE
            WHEN day(start_date) = day(renewal_date) THEN 0
            WHEN start_date = last_day(start_date) AND renewal_date = last_day(renewal_date) THEN 0
            ELSE half_up(half_up((day(renewal_date) - day(start_date)) * 100000000, 31), 100)
        END AS months
    FROM (SELECT DISTINCT ON (order_id) * FROM bronze_billing_orders) AS taken
    LEFT JOIN first_rates USING (currency)
    WHERE ordered_at::DATE <= getvariable('as_of')
),
priced AS (
    SELECT
        rated.*, coalesce(millionths(known.rate), 1000000) AS rate, millionths(total_amount) AS total,
        millionths(arr) AS a_year,
        CASE
            WHEN renewal_date IS NULL THEN millionths(arr)
            ELSE half_up(12000000 * millionths(total_amount), months::HUGEINT)
        END AS contract_year
    FROM rated
    ASOF LEFT JOIN bronze_exchange_rates AS known
        ON rated.currency = known.currency AND rated.rated_on >= known.rate_date
)
SELECT
    order_id, account_id, order_type, product_line, ordered_at, ordered_on, start_date, renewal_date, term_months,
    currency, a_year,
    half_up(half_up(total * rate, 1000000), 10000) AS total,
    half_up(half_up(contract_year * rate, 1000000), 10000) AS contract_year,
    half_up(half_up(a_year * rate, 1000000), 10000) AS arr
FROM priced;

CREATE TABLE bookings_by_period AS
SELECT
    grain AS period_grain, date_trunc(grain, ordered_on)::DATE AS period_start, kind AS order_type, dimension,
    CASE dimension WHEN 'all' THEN 'all' ELSE coalesce(product_line, 'unknown') END AS dimension_value,
    count(*) AS orders, sum(total) AS total, sum(contract_year) AS contract_year, sum(arr) AS arr,
    count(term_months) AS orders_with_term, sum(term_months) AS term_months
FROM signed_orders
CROSS JOIN (VALUES ('month'), ('quarter')) AS grains(grain)
CROSS JOIN (VALUES ('all'), ('product_line')) AS dimensions(dimension)
CROSS JOIN LATERAL (SELECT unnest([order_type, 'all']) AS kind)
GROUP BY ALL;

CREATE VIEW oracle_bookings AS
WITH covered AS (
    SELECT period_grain, min(period_start) AS since FROM bookings_by_period GROUP BY period_grain
),
compared AS (
    SELECT
        now.*,
        CASE WHEN now.period_start - INTERVAL 1 YEAR > since THEN coalesce(before.arr, 0) END AS arr_before,
        now.period_start + CASE now.period_grain WHEN 'month' THEN INTERVAL 1 MONTH ELSE INTERVAL 3 MONTH END
            <= getvariable('as_of') + INTERVAL 1 DAY AS is_complete
    FROM bookings_by_period AS now
    JOIN covered USING (period_grain)
    LEFT JOIN bookings_by_period AS before
        ON before.period_start = now.period_start - INTERVAL 1 YEAR AND before.period_grain = now.period_grain
        AND before.order_type = now.order_type AND before.dimension = now.dimension
        AND before.dimension_value = now.dimension_value
)
SELECT
    period_grain, period_start, order_type, dimension, dimension_value, is_complete, orders,
    money(total) AS tcv, money(contract_year) AS acv, money(arr) AS arr,
    money(half_up(contract_year, orders)) AS mean_acv,
    orders_with_term, nine_digits(term_months / nullif(orders_with_term, 0)) AS mean_term_months,
    money(arr_before) AS arr_year_before,
    CASE WHEN is_complete THEN nine_digits(arr / nullif(arr_before, 0) - 1) END AS arr_growth
FROM compared;
