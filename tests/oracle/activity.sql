-- How densely deals are worked on, from the CRM's newest versions: each deal by itself first, then all of them.

CREATE TABLE worked_deals AS
WITH newest AS (
    SELECT * FROM bronze_opportunities
    WHERE updated_at < getvariable('as_of') + INTERVAL 1 DAY
    QUALIFY row_number() OVER (PARTITION BY opportunity_id ORDER BY updated_at DESC) = 1
)
SELECT
    opportunity_id, opportunity_type, created_at AS opened,
    CASE stage WHEN 'closed_won' THEN 'won' WHEN 'closed_lost' THEN 'lost' ELSE 'open' END AS outcome,
    coalesce(closed_at, (getvariable('as_of') + INTERVAL 1 DAY)::TIMESTAMP) AS until
FROM newest;

CREATE TABLE worked_activities AS
SELECT DISTINCT ON (activity_id) activity_id, opportunity_id, contact_id, activity_type, occurred_at
FROM bronze_activities JOIN worked_deals USING (opportunity_id)
WHERE occurred_at < getvariable('as_of') + INTERVAL 1 DAY AND occurred_at >= opened AND occurred_at <= until;

-- Each deal's moments in order; the gaps are the differences of neighbours in the list.
CREATE TABLE worked_days AS
WITH lists AS (
    SELECT opportunity_id, NULL AS contact_id, list_sort(list(epoch_us(occurred_at))) AS moments
    FROM worked_activities GROUP BY ALL
    UNION ALL
    SELECT opportunity_id, contact_id, list_sort(list(epoch_us(occurred_at)))
    FROM worked_activities WHERE contact_id IS NOT NULL GROUP BY ALL
)
SELECT
    opportunity_id, contact_id, len(moments) AS activities,
    (moments[1] - epoch_us(opened)) / 86400000000 AS days_to_first,
    list_transform(list_zip(moments[2:], moments[:-2]), lambda pair: (pair[1] - pair[2]) / 86400000000) AS gaps
FROM lists JOIN worked_deals USING (opportunity_id);

CREATE VIEW oracle_sales_activity AS
WITH deals_of AS (
    SELECT kind AS opportunity_type, result AS outcome, opportunity_id, epoch_us(until) - epoch_us(opened) AS time_open
    FROM worked_deals, unnest(['all', opportunity_type]) AS kinds(kind), unnest(['all', outcome]) AS results(result)
),
counted AS (
    SELECT opportunity_type, outcome, count(*) AS deals, sum(time_open) / (7 * 86400000000) AS weeks
    FROM deals_of GROUP BY ALL
),
by_deal AS (
    SELECT
        opportunity_type, outcome, count(*) AS deals_with_activity, sum(activities)::BIGINT AS activities,
        quantile_cont(days_to_first, 0.5) AS median_days_to_first
    FROM deals_of JOIN worked_days USING (opportunity_id) WHERE contact_id IS NULL GROUP BY ALL
),
by_contact AS (
    SELECT opportunity_type, outcome, count(*) AS contacts, sum(activities) AS with_contact
    FROM deals_of JOIN worked_days USING (opportunity_id) WHERE contact_id IS NOT NULL GROUP BY ALL
),
deal_gaps AS (
    SELECT
        opportunity_type, outcome, count(*) AS activity_gaps, quantile_cont(gap, 0.5) AS median_gap,
        quantile_cont(gap, 0.9) AS p90_gap
    FROM (
        SELECT opportunity_type, outcome, unnest(gaps) AS gap
        FROM deals_of JOIN worked_days USING (opportunity_id) WHERE contact_id IS NULL
    ) GROUP BY ALL
),
contact_gaps AS (
    SELECT opportunity_type, outcome, count(*) AS contact_gaps, quantile_cont(gap, 0.5) AS median_gap_with_contact
    FROM (
        SELECT opportunity_type, outcome, unnest(gaps) AS gap
        FROM deals_of JOIN worked_days USING (opportunity_id) WHERE contact_id IS NOT NULL
    ) GROUP BY ALL
)
SELECT
    opportunity_type, outcome, deals, nine_digits(weeks) AS open_weeks,
    coalesce(deals_with_activity, 0) AS deals_with_activity, coalesce(activities, 0) AS activities,
    nine_digits(coalesce(activities, 0) / weeks) AS activities_per_deal_week, coalesce(contacts, 0) AS contacts,
    nine_digits(with_contact / contacts) AS activities_per_contact, coalesce(activity_gaps, 0) AS activity_gaps,
    CASE WHEN activity_gaps >= 30 THEN nine_digits(median_gap) END AS median_days_between_activities,
    CASE WHEN activity_gaps >= 30 THEN nine_digits(p90_gap) END AS p90_days_between_activities,
    coalesce(contact_gaps, 0) AS contact_gaps,
    CASE WHEN contact_gaps >= 30 THEN nine_digits(median_gap_with_contact) END AS median_days_between_contact_activities,
    CASE WHEN deals_with_activity >= 30 THEN nine_digits(median_days_to_first) END AS median_days_to_first_activity
FROM counted
LEFT JOIN by_deal USING (opportunity_type, outcome)
LEFT JOIN by_contact USING (opportunity_type, outcome)
LEFT JOIN deal_gaps USING (opportunity_type, outcome)
LEFT JOIN contact_gaps USING (opportunity_type, outcome);
