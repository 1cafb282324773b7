-- The waterfall of each quarter's pipeline, from the stage history: what was open on the eve, and what became of it.

CREATE TABLE deals AS
WITH opportunities AS (
    SELECT * FROM bronze_opportunities
    QUALIFY row_number() OVER (PARTITION BY opportunity_id ORDER BY updated_at DESC) = 1
),
accounts AS (
    SELECT * FROM bronze_accounts
    QUALIFY row_number() OVER (PARTITION BY account_id ORDER BY updated_at DESC) = 1
)
SELECT
    opportunity_id, opportunity_type,
    CASE
        WHEN employee_count >= 1000 THEN 'Enterprise' WHEN employee_count >= 100 THEN 'Mid-Market'
        WHEN employee_count IS NOT NULL THEN 'SMB' ELSE 'unknown'
    END AS segment
FROM opportunities LEFT JOIN accounts USING (account_id);

-- Amounts in cents, at the rate of the day of opening or the currency's first.
CREATE TABLE deal_changes AS
WITH first_rates AS (SELECT currency, min(rate_date) AS first_date FROM bronze_exchange_rates GROUP BY ALL),
dated AS (
    SELECT history.*, greatest(min(changed_at) OVER (PARTITION BY opportunity_id)::DATE, first_date) AS rated_on
    FROM bronze_opportunity_stage_history AS history LEFT JOIN first_rates USING (currency)
    WHERE changed_at::DATE <= getvariable('as_of')
)
SELECT
    opportunity_id, history_id, changed_at, changed_at::DATE AS day, date_trunc('quarter', changed_at)::DATE AS quarter,
    to_stage AS stage, to_stage NOT IN ('closed_won', 'closed_lost') AS is_open, expected_close_date AS expected,
    rep_id AS rep,
    half_up(half_up(millionths(arr) * coalesce(millionths(rates.rate), 1000000), 1000000), 10000) AS cents
FROM dated ASOF LEFT JOIN bronze_exchange_rates AS rates
    ON dated.currency = rates.currency AND dated.rated_on >= rates.rate_date;

CREATE TABLE deal_quarters AS
SELECT quarter::DATE AS quarter, (quarter + INTERVAL 3 MONTH - INTERVAL 1 DAY)::DATE AS last_day
FROM range(
    (SELECT min(quarter) FROM deal_changes)::TIMESTAMP, getvariable('as_of') + INTERVAL 1 DAY, INTERVAL 3 MONTH
) AS calendar(quarter);

-- What is open at the close of a day, with what is known of it then.
CREATE MACRO open_on(days) AS TABLE
SELECT days.day, changes.* EXCLUDE (day, quarter)
FROM query_table(days) AS days JOIN deal_changes AS changes ON changes.day <= days.day
QUALIFY row_number() OVER (
    PARTITION BY days.day, opportunity_id ORDER BY changed_at DESC, history_id DESC
) = 1 AND is_open;

CREATE TABLE eves AS SELECT (quarter - INTERVAL 1 DAY)::DATE AS day FROM deal_quarters;
CREATE TABLE closes AS SELECT least(last_day, getvariable('as_of')) AS day FROM deal_quarters;

CREATE TABLE deal_steps AS
WITH walked AS (
    SELECT
        *, lag(stage) OVER way AS stage_before, lag(is_open) OVER way AS was_open, lag(expected) OVER way AS expected_before,
        lag(rep) OVER way AS rep_before, lag(cents) OVER way AS cents_before
    FROM deal_changes JOIN deal_quarters USING (quarter)
    WINDOW way AS (PARTITION BY opportunity_id ORDER BY changed_at, history_id)
),
judged AS (
    SELECT
        *, coalesce(was_open AND expected_before <= last_day, false) AS was_in,
        NOT is_open AND stage IS DISTINCT FROM stage_before AS closes,
        coalesce(is_open AND expected <= last_day, false) AS is_in
    FROM walked
),
steps AS (
    SELECT quarter, opportunity_id, rep, 'created' AS step, cents
    FROM judged WHERE stage_before IS NULL AND (is_in OR closes)
    UNION ALL SELECT quarter, opportunity_id, rep, 'reopened', cents FROM judged WHERE NOT was_open AND (is_in OR closes)
    UNION ALL
    SELECT quarter, opportunity_id, rep, 'pulled_in', cents FROM judged WHERE was_open AND NOT was_in AND (is_in OR closes)
    UNION ALL SELECT quarter, opportunity_id, rep, 'changed', cents - cents_before FROM judged WHERE was_in AND (is_in OR closes)
    UNION ALL SELECT quarter, opportunity_id, rep, 'pushed_out', cents_before FROM judged WHERE was_in AND NOT (is_in OR closes)
    UNION ALL SELECT quarter, opportunity_id, rep, 'transferred', cents_before FROM judged WHERE was_in AND rep <> rep_before
    UNION ALL
    SELECT quarter, opportunity_id, rep_before, 'transferred', -cents_before FROM judged WHERE was_in AND rep <> rep_before
    UNION ALL SELECT quarter, opportunity_id, rep, stage, cents FROM judged WHERE closes
    UNION ALL
    SELECT quarter, opportunity_id, rep, 'opening', cents
    FROM open_on(eves) JOIN deal_quarters ON quarter = day + 1 WHERE expected <= last_day
    UNION ALL
    SELECT quarter, opportunity_id, rep, 'closing', cents
    FROM open_on(closes) JOIN deal_quarters ON day BETWEEN quarter AND last_day WHERE expected <= last_day
)
SELECT * FROM steps;

CREATE VIEW oracle_pipeline_waterfall AS
SELECT
    quarter, opportunity_type, segment, rep AS rep_id,
    money(coalesce(sum(cents) FILTER (WHERE step = 'opening'), 0)) AS opening_arr,
    money(coalesce(sum(cents) FILTER (WHERE step = 'created'), 0)) AS created_arr,
    money(coalesce(sum(cents) FILTER (WHERE step = 'reopened'), 0)) AS reopened_arr,
    money(coalesce(sum(cents) FILTER (WHERE step = 'pulled_in'), 0)) AS pulled_in_arr,
    money(coalesce(sum(cents) FILTER (WHERE step = 'changed' AND cents > 0), 0)) AS increased_arr,
    money(coalesce(-sum(cents) FILTER (WHERE step = 'changed' AND cents < 0), 0)) AS decreased_arr,
    money(coalesce(sum(cents) FILTER (WHERE step = 'transferred'), 0)) AS transferred_arr,
    money(coalesce(sum(cents) FILTER (WHERE step = 'pushed_out'), 0)) AS pushed_out_arr,
    money(coalesce(sum(cents) FILTER (WHERE step = 'closed_won'), 0)) AS won_arr,
    money(coalesce(sum(cents) FILTER (WHERE step = 'closed_lost'), 0)) AS lost_arr,
    money(coalesce(sum(cents) FILTER (WHERE step = 'closing'), 0)) AS closing_arr
FROM deal_steps JOIN deals USING (opportunity_id)
GROUP BY ALL
HAVING opening_arr + created_arr + reopened_arr + pulled_in_arr + abs(transferred_arr) + won_arr + lost_arr > 0;
