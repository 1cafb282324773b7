-- How leads become wins, by the month in which a person first came: from the CRM's newest versions alone.

CREATE TABLE newest_leads AS
SELECT lead_id, contact_id, lead_source, campaign_id, created_at, mql_at, sql_at, opportunity_id, status
FROM bronze_leads
WHERE updated_at < getvariable('as_of') + INTERVAL 1 DAY
QUALIFY row_number() OVER (PARTITION BY lead_id ORDER BY updated_at DESC) = 1;

CREATE TABLE newest_deals AS
SELECT opportunity_id, opportunity_type, lead_id, stage, closed_at
FROM bronze_opportunities
WHERE updated_at < getvariable('as_of') + INTERVAL 1 DAY
QUALIFY row_number() OVER (PARTITION BY opportunity_id ORDER BY updated_at DESC) = 1;

-- The first lead says when and by what the person came, all of them how far: 0 a lead, 4 a win.
CREATE TABLE came AS
SELECT
    arg_min(lead_source, (created_at, lead_id)) AS lead_source,
    date_trunc('month', min(created_at))::DATE AS month,
    max(
        CASE
            WHEN stage = 'closed_won' THEN 4
            WHEN opportunity_id IS NOT NULL THEN 3
            WHEN sql_at IS NOT NULL THEN 2
            WHEN mql_at IS NOT NULL THEN 1
            ELSE 0
        END
    ) AS furthest,
    bool_or(status = 'converted' AND opportunity_id IS NULL) AS bought_alone
FROM newest_leads LEFT JOIN (SELECT opportunity_id, stage FROM newest_deals) USING (opportunity_id)
GROUP BY coalesce('contact ' || contact_id, 'lead ' || lead_id);

CREATE TABLE came_again AS
SELECT lead_source, date_trunc('month', created_at)::DATE AS month
FROM newest_leads
QUALIFY contact_id IS NOT NULL AND row_number() OVER (PARTITION BY contact_id ORDER BY created_at, lead_id) > 1;

CREATE MACRO of_each_source(relation) AS TABLE
SELECT *, 'all' AS dimension, 'all' AS dimension_value FROM query_table(relation)
UNION ALL
SELECT *, 'lead_source', lead_source FROM query_table(relation);

CREATE TABLE funnel_counts AS
WITH people AS (
    SELECT
        month, dimension, dimension_value, count(*) AS leads,
        count(*) FILTER (WHERE furthest >= 1) AS mqls,
        count(*) FILTER (WHERE furthest >= 2) AS sqls,
        count(*) FILTER (WHERE furthest >= 3) AS opportunities,
        count(*) FILTER (WHERE furthest >= 4) AS wins,
        count(*) FILTER (WHERE bought_alone) AS self_service
    FROM of_each_source('came')
    GROUP BY ALL
),
again AS (
    SELECT month, dimension, dimension_value, count(*) AS reentries
    FROM of_each_source('came_again')
    GROUP BY ALL
),
-- `spend`, of acquisition.sql, is in cents by month and channel.
programmes AS (
    SELECT month, 'lead_source' AS dimension, pool AS dimension_value, sum(cents) AS cents
    FROM spend WHERE kind = 'programme' AND month <= getvariable('as_of')
    GROUP BY ALL
    UNION ALL
    SELECT month, 'all', 'all', sum(cents)
    FROM spend WHERE kind = 'programme' AND month <= getvariable('as_of')
    GROUP BY ALL
)
SELECT
    month, dimension, dimension_value, cents, coalesce(leads, 0) AS leads, coalesce(reentries, 0) AS reentries,
    coalesce(mqls, 0) AS mqls, coalesce(sqls, 0) AS sqls, coalesce(opportunities, 0) AS opportunities,
    coalesce(wins, 0) AS wins, coalesce(self_service, 0) AS self_service,
    getvariable('as_of') - last_day(month) AS days_since
FROM people
FULL JOIN again USING (month, dimension, dimension_value)
FULL JOIN programmes USING (month, dimension, dimension_value);

-- Roots of |p - k/n| = z √(p (1 - p) / n), Wilson's bounds; a cohort speaks after 30, 45, 60 and 365 days.
CREATE MACRO wilson_end(k, n, direction) AS
    (2 * k + 1.959964 ** 2 + direction * 1.959964 * sqrt(1.959964 ** 2 + 4 * k * (n - k) / n)) / (2 * (n + 1.959964 ** 2));

CREATE VIEW oracle_funnel AS
SELECT
    month AS cohort_start, dimension, dimension_value, leads, reentries, mqls, sqls, opportunities, wins, self_service,
    CASE WHEN days_since >= 30 AND leads > 0 THEN nine_digits(mqls / leads) END AS lead_to_mql_rate,
    CASE WHEN days_since >= 45 AND mqls > 0 THEN nine_digits(sqls / mqls) END AS mql_to_sql_rate,
    CASE WHEN days_since >= 60 AND sqls > 0 THEN nine_digits(opportunities / sqls) END AS sql_to_opportunity_rate,
    CASE WHEN days_since >= 365 AND opportunities > 0 THEN nine_digits(wins / opportunities) END
        AS opportunity_to_win_rate,
    CASE WHEN days_since >= 365 AND leads > 0 THEN nine_digits(wins / leads) END AS lead_to_win_rate,
    CASE WHEN days_since >= 30 AND leads > 0 THEN nine_digits(wilson_end(mqls, leads, -1)) END AS lead_to_mql_rate_low,
    CASE WHEN days_since >= 30 AND leads > 0 THEN nine_digits(wilson_end(mqls, leads, 1)) END AS lead_to_mql_rate_high,
    money(cents) AS programme_spend,
    CASE WHEN leads > 0 THEN money(half_up(cents, leads)) END AS cost_per_lead,
    CASE WHEN days_since >= 30 AND mqls > 0 THEN money(half_up(cents, mqls)) END AS cost_per_mql,
    CASE WHEN days_since >= 365 AND wins > 0 THEN money(half_up(cents, wins)) END AS cost_per_win,
    CASE WHEN cents IS NULL THEN 'no_spend' WHEN leads = 0 THEN 'nobody' ELSE 'ok' END AS cost_per_lead_status,
    CASE WHEN cents IS NULL THEN 'no_spend' WHEN days_since < 365 THEN 'too_young' WHEN wins = 0 THEN 'nobody' ELSE 'ok' END
        AS cost_per_win_status
FROM funnel_counts;

-- Every win once more, all of it to the first touch of the person who led to it.
CREATE VIEW oracle_first_touches AS
WITH person AS (
    SELECT lead_id, coalesce('contact ' || contact_id, 'lead ' || lead_id) AS person FROM newest_leads
),
touch AS (
    SELECT
        opportunity_id, arg_min(channel, (occurred_at, touch_id)) AS channel
    FROM newest_deals
    JOIN person USING (lead_id)
    JOIN person AS companion ON companion.person = person.person
    JOIN bronze_marketing_events AS event ON event.lead_id = companion.lead_id AND occurred_at <= closed_at
    GROUP BY opportunity_id
)
SELECT
    date_trunc('month', closed_at)::DATE AS month, coalesce(channel, 'unattributed') AS channel,
    count(*)::DECIMAL(18, 6) AS attributed_wins
FROM newest_deals LEFT JOIN touch USING (opportunity_id)
WHERE stage = 'closed_won' AND opportunity_type = 'new_business'
GROUP BY ALL;
