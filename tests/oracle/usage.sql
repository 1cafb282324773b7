-- Product use counted from the events themselves. Active is who does more than log in.

CREATE VIEW oracle_usage_daily AS
SELECT
    customer_id, event_date AS usage_date,
    count(*) AS events,
    count(DISTINCT user_id) FILTER (WHERE event_type <> 'login') AS active_users,
    count(DISTINCT event_category) AS categories_used
FROM events
GROUP BY ALL;

CREATE VIEW oracle_monthly_usage AS
SELECT
    date_trunc('month', event_date)::DATE AS month,
    count(*) AS events,
    count(DISTINCT customer_id) FILTER (WHERE event_type <> 'login') AS active_customers,
    count(DISTINCT (customer_id, user_id)) FILTER (WHERE event_type <> 'login') AS active_users,
    nine_digits(count(*) / nullif(active_customers, 0)) AS events_per_customer
FROM events
GROUP BY ALL;

CREATE VIEW oracle_customer_usage AS
SELECT
    customer_id,
    count(*) AS events,
    count(DISTINCT event_date) FILTER (WHERE event_type <> 'login') AS active_days,
    count(DISTINCT user_id) FILTER (WHERE event_type <> 'login') AS active_users,
    count(DISTINCT event_category) AS categories_used,
    min(event_date) AS first_used_date,
    max(event_date) AS last_used_date
FROM events
GROUP BY ALL;

CREATE VIEW oracle_top_features AS
WITH used AS (
    SELECT *, unnest(['all', strftime(event_date, '%Y-%m')]) AS period
    FROM events
    WHERE event_type NOT IN ('login', 'onboarding_step') AND feature IS NOT NULL
),
counted AS (
    SELECT
        period, feature, count(*) AS events, count(DISTINCT customer_id) AS customers,
        count(DISTINCT (customer_id, user_id)) AS users
    FROM used
    GROUP BY ALL
)
SELECT
    *,
    nine_digits(events / sum(events) OVER (PARTITION BY period)) AS share_of_events,
    row_number() OVER (PARTITION BY period ORDER BY events DESC, feature)::INTEGER AS rank
FROM counted;
