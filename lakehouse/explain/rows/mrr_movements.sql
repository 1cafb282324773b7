-- What each customer and month adds to the waterfall: a row where the month opens, one where its movement is booked, and
-- one twelve months later with what is then left of its MRR. Source: the docstring of jobs/gold/mrr_movements.py.
WITH ledger AS (
    SELECT
        months.*,
        {
            plan: coalesce(plan_name, 'unknown'), billing_cadence: coalesce(billing_cadence, 'unknown'),
            segment: coalesce(segment, 'unknown'), industry: coalesce(industry, 'unknown'),
            company_size: coalesce(company_size, 'unknown'),
            acquisition_channel: coalesce(acquisition_channel, 'unknown'), region: coalesce(region, 'unknown'),
            currency: coalesce(billing_currency, 'unknown')
        } AS own
    FROM silver.customer_months AS months
    LEFT JOIN silver.dim_plan USING (plan_id)
),
placed AS (
    SELECT
        ledger.*,
        lag(own) OVER (PARTITION BY ledger.customer_id ORDER BY ledger.month) AS before,
        coalesce(year_later.closing_mrr_at_year_ago_rates, 0) AS then_left,
        opening_mrr > 0 AS opens, movement = 'churn' AS churns
    FROM ledger
    LEFT JOIN (SELECT customer_id, month, closing_mrr_at_year_ago_rates FROM ledger) AS year_later
        ON year_later.customer_id = ledger.customer_id AND year_later.month = ledger.month + INTERVAL 12 MONTH
),
opened AS (
    SELECT
        customer_id, month, unnest(before), opening_mrr, -opening_mrr AS transfer_mrr,
        1 AS customers_opening, -1 AS customers_transferred
    FROM placed
    WHERE opens
),
booked AS (
    SELECT
        customer_id, month, unnest(CASE WHEN opens AND churns THEN before ELSE own END),
        opening_mrr AS transfer_mrr, new_mrr, reactivation_mrr, expansion_mrr, contraction_mrr, churned_mrr, fx_mrr,
        closing_mrr, notice_mrr, CASE WHEN NOT opens THEN churned_mrr END AS passing_mrr,
        opens::INT AS customers_transferred, (new_mrr > 0)::INT AS customers_new,
        (reactivation_mrr > 0)::INT AS customers_reactivated, churns::INT AS customers_churned,
        (closing_mrr > 0)::INT AS customers_closing, (churns AND NOT opens)::INT AS customers_passing
    FROM placed
),
a_year_later AS (
    SELECT
        customer_id, (month + INTERVAL 12 MONTH)::DATE AS month, unnest(own), closing_mrr AS year_ago_mrr,
        greatest(then_left - closing_mrr, 0) AS grown_mrr,
        CASE WHEN then_left > 0 THEN greatest(closing_mrr - then_left, 0) ELSE 0 END AS shrunk_mrr,
        CASE WHEN then_left = 0 THEN closing_mrr ELSE 0 END AS left_mrr,
        1 AS customers_year_ago
    FROM placed
    WHERE closing_mrr > 0
)
SELECT * FROM opened
UNION ALL BY NAME SELECT * FROM booked
UNION ALL BY NAME SELECT * FROM a_year_later
