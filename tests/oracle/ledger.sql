-- Recurring revenue day by day, and the movements between the closes of months, under the policy `board`.

CREATE TABLE worth AS
SELECT customer_id, currency, day, month, sum(monthly) AS native
FROM items
JOIN days ON start_date <= day AND (end_date IS NULL OR day < end_date)
WHERE item_type IN ('plan', 'add_on') AND status IN ('active', 'past_due', 'canceled') AND monthly > 0
GROUP BY ALL;

CREATE TABLE life AS
SELECT
    customer_id,
    min(day) AS first_day,
    date_trunc('month', min(day))::DATE AS cohort_month,
    max(day) AS last_day,
    max(day) < getvariable('as_of') AS is_churned,
    CASE WHEN max(day) < getvariable('as_of') THEN max(day) + 1 END AS churn_date
FROM worth
GROUP BY customer_id;

-- Sums of native worth by currency, then each at one rate, then rounded to the cent once.
CREATE TABLE balances AS
WITH by_currency AS (
    SELECT
        life.customer_id, months.month, currency, close, close_before, close_year_ago, months.days,
        last_day(cohort_month) AS close_of_cohort,
        coalesce(sum(native) FILTER (WHERE day = close_before), 0) AS opening,
        coalesce(sum(native) FILTER (WHERE day = close), 0) AS closing,
        coalesce(sum(native) FILTER (WHERE day > close_before), 0) AS over_days,
        coalesce(sum(native) FILTER (WHERE day = last_day_with_mrr), 0) AS last_worth
    FROM life
    JOIN months ON months.month >= cohort_month
    JOIN (SELECT *, max(day) OVER (PARTITION BY customer_id, month) AS last_day_with_mrr FROM worth) AS worth
        ON worth.customer_id = life.customer_id AND day BETWEEN close_before AND close
    GROUP BY ALL
)
SELECT
    customer_id, month, days,
    half_up(sum(opening * coalesce(before.rate, 0)), 10000000000) AS opening,
    half_up(sum(closing * after.rate), 10000000000) AS closing,
    half_up(sum(closing * coalesce(before.rate, 0)), 10000000000) AS closing_at_opening_rate,
    half_up(sum(closing * coalesce(year_ago.rate, after.rate)), 10000000000) AS closing_at_year_ago_rates,
    half_up(sum(closing * coalesce(first.rate, after.rate)), 10000000000) AS closing_at_cohort_rates,
    half_up(sum(last_worth * after.rate), 10000000000) AS passing,
    half_up(sum(over_days * after.rate), 10000000000 * days) AS average_daily
FROM by_currency
JOIN rates AS after ON after.currency = by_currency.currency AND after.day = close
LEFT JOIN rates AS before ON before.currency = by_currency.currency AND before.day = close_before
LEFT JOIN rates AS year_ago ON year_ago.currency = by_currency.currency AND year_ago.day = close_year_ago
LEFT JOIN rates AS first ON first.currency = by_currency.currency AND first.day = close_of_cohort
GROUP BY customer_id, month, days;

CREATE TABLE one_time AS
SELECT
    customer_id, date_trunc('month', start_date)::DATE AS month,
    half_up(sum(half_up(millionths(amount) * rate, 1000000)), 10000) AS one_time
FROM items JOIN rates ON rates.currency = items.currency AND rates.day = start_date
WHERE item_type = 'one_time'
GROUP BY ALL;

CREATE TABLE ledger AS
WITH kinds AS (
    SELECT
        *,
        CASE
            WHEN opening = 0 AND closing = 0 THEN 'passing'
            WHEN opening = 0 THEN 'arrival'
            WHEN closing = 0 THEN 'departure'
            ELSE 'stay'
        END AS kind,
        month = cohort_month AS is_first
    FROM balances JOIN life USING (customer_id)
),
components AS (
    SELECT
        *,
        CASE kind WHEN 'arrival' THEN closing WHEN 'passing' THEN passing ELSE 0 END AS arrived,
        CASE kind WHEN 'departure' THEN opening WHEN 'passing' THEN passing ELSE 0 END AS churned,
        CASE kind WHEN 'stay' THEN closing_at_opening_rate - opening ELSE 0 END AS change,
        CASE kind WHEN 'stay' THEN closing - closing_at_opening_rate ELSE 0 END AS fx
    FROM kinds
)
SELECT
    customer_id, month, opening, closing, fx, churned,
    CASE WHEN is_first THEN arrived ELSE 0 END AS new,
    CASE WHEN is_first THEN 0 ELSE arrived END AS reactivation,
    greatest(change, 0) AS expansion,
    greatest(-change, 0) AS contraction,
    CASE
        WHEN kind IN ('departure', 'passing') THEN 'churn'
        WHEN kind = 'arrival' THEN CASE WHEN is_first THEN 'new' ELSE 'reactivation' END
        WHEN change > 0 THEN 'expansion'
        WHEN change < 0 THEN 'contraction'
        ELSE 'none'
    END AS movement,
    closing_at_year_ago_rates, closing_at_cohort_rates,
    average_daily + coalesce(one_time, 0) AS revenue
FROM components LEFT JOIN one_time USING (customer_id, month);

CREATE VIEW oracle_customer_months AS
SELECT
    customer_id, month, movement,
    money(opening) AS opening_mrr, money(new) AS new_mrr, money(expansion) AS expansion_mrr,
    money(contraction) AS contraction_mrr, money(churned) AS churned_mrr, money(reactivation) AS reactivation_mrr,
    money(fx) AS fx_mrr, money(closing) AS closing_mrr, money(revenue) AS revenue,
    money(closing_at_year_ago_rates) AS closing_mrr_at_year_ago_rates,
    money(closing_at_cohort_rates) AS closing_mrr_at_cohort_rates
FROM ledger;

CREATE VIEW oracle_mrr_by_month AS
SELECT month, money(sum(closing)) AS mrr, count(*) FILTER (WHERE closing > 0) AS customers
FROM ledger
GROUP BY month;

-- What a customer is compared by: plan and cadence are those of its largest item, now or on its last day with MRR.
CREATE TABLE groups AS
WITH largest AS (
    SELECT life.customer_id, plan_id, billing_interval, interval_count
    FROM life
    JOIN items ON items.customer_id = life.customer_id
        AND start_date <= last_day AND (end_date IS NULL OR last_day < end_date)
    WHERE item_type <> 'one_time' AND status IN ('active', 'past_due', 'canceled')
    QUALIFY row_number() OVER (PARTITION BY life.customer_id ORDER BY monthly DESC, subscription_item_id) = 1
)
SELECT
    life.*, acquisition_channel, region, industry, company_size, plan_name,
    CASE billing_interval
        WHEN 'day' THEN 'daily'
        WHEN 'week' THEN 'weekly'
        WHEN 'month' THEN CASE WHEN interval_count < 3 THEN 'monthly' ELSE 'quarterly' END
        WHEN 'year' THEN CASE WHEN interval_count = 1 THEN 'annual' ELSE 'multi_year' END
    END AS billing_cadence,
    CASE
        WHEN employee_count < 100 THEN 'SMB'
        WHEN employee_count < 1000 THEN 'Mid-Market'
        ELSE 'Enterprise'
    END AS segment,
    strftime(cohort_month, '%Y-%m') AS cohort
FROM life
JOIN customers USING (customer_id)
JOIN largest USING (customer_id)
LEFT JOIN plans USING (plan_id);
