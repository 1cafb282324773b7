-- Measures of the cheatsheet over the exported CSV files: under each name first the measure, then what it must equal.
-- A row is what it is of, if anything, and the value.

-- name: MRR
SELECT plan_name, sum(closing_mrr) FROM last_ledger JOIN dim_product USING (plan_id) WHERE is_active GROUP BY 1;
SELECT dimension_value, mrr FROM unit_economics_by_segment WHERE dimension = 'plan' AND mrr > 0;

-- name: ARR
SELECT 12 * sum(closing_mrr) FROM last_ledger;
SELECT sum(arr) FROM last_ledger;

-- name: Opening MRR
SELECT month, sum(opening_mrr) FROM fct_revenue GROUP BY 1;
SELECT month, sum(opening_mrr) FROM customer_margins GROUP BY 1;

-- name: Active Customers
SELECT count(*) FROM last_ledger WHERE is_active;
SELECT active_customers FROM total;

-- name: Accounts
SELECT count(*) FROM dim_account;
SELECT count(DISTINCT account_id) FROM dim_customer;

-- name: Account ARR
SELECT lifecycle_stage, sum(arr) FROM dim_account GROUP BY 1;
SELECT lifecycle_stage, 12 * sum(mrr) FROM dim_customer GROUP BY 1;

-- name: Seats
SELECT sum(seats) FROM last_ledger;
SELECT sum(seats) FROM dim_customer;

-- name: ARPA
SELECT round(sum(closing_mrr) / count(*), 2) FROM last_ledger WHERE is_active;
SELECT arpa FROM total;

-- name: Share of MRR
SELECT acquisition_channel, sum(closing_mrr) / sum(sum(closing_mrr)) OVER () FROM last_ledger WHERE is_active GROUP BY 1;
SELECT dimension_value, share_of_mrr FROM unit_economics_by_segment WHERE dimension = 'acquisition_channel' AND mrr > 0;

-- name: New MRR
SELECT month, sum(new_mrr) FROM fct_revenue GROUP BY 1;
SELECT month, sum(new_mrr) FROM customer_margins GROUP BY 1;

-- name: Net New MRR
SELECT month, sum(new_mrr + expansion_mrr + reactivation_mrr - contraction_mrr - churned_mrr + fx_mrr)
FROM fct_revenue GROUP BY 1;
SELECT month, sum(closing_mrr) - sum(opening_mrr) FROM fct_revenue GROUP BY 1;

-- name: MRR Bridge Check
SELECT month, sum(opening_mrr) - lag(sum(closing_mrr), 1, 0) OVER (ORDER BY month) FROM fct_revenue GROUP BY 1;
SELECT DISTINCT month, 0 FROM fct_revenue;

-- name: Revenue
SELECT month, sum(revenue) FROM fct_revenue GROUP BY 1;
SELECT month, sum(revenue) FROM customer_margins GROUP BY 1;

-- name: Customers Won
SELECT strftime(month, '%Y-%m'), count(*) FROM fct_revenue WHERE new_mrr > 0 GROUP BY 1;
SELECT dimension_value, customers FROM unit_economics_by_segment WHERE dimension = 'cohort_month';

-- name: Customers Lost
SELECT count(*) FROM year_ledger WHERE movement = 'churn' AND opening_mrr > 0;
SELECT logos_lost FROM total;

-- name: Logo Churn Rate 12 Months
SELECT count(*) FILTER (movement = 'churn') / count(*) FROM year_ledger WHERE opening_mrr > 0;
SELECT monthly_churn_rate FROM total;

-- name: MRR Growth
SELECT (sum(closing_mrr) FILTER (month = last_month()) - sum(closing_mrr) FILTER (month < last_month()))
    / sum(closing_mrr) FILTER (month < last_month())
FROM fct_revenue WHERE month >= last_month() - INTERVAL 1 MONTH;
SELECT sum(closing_mrr) / sum(opening_mrr) - 1 FROM last_ledger;

-- name: CAC
SELECT round(avg(cac), 2) FROM unit_economics;
SELECT mean_cac FROM total;

-- name: CAC Median
SELECT round(median(cac), 2) FROM unit_economics;
SELECT median_cac FROM total;

-- name: Acquisition Spend
SELECT sum(total_spend) FROM acquisition_costs;
SELECT total_cac + (SELECT sum(unallocated) FROM acquisition_costs) FROM total;

-- name: LTV
SELECT round(avg(ltv), 2) FROM unit_economics;
SELECT ltv FROM total;

-- name: LTV to CAC
SELECT company_size, sum(ltv) / sum(cac) FROM unit_economics WHERE ltv IS NOT NULL AND cac IS NOT NULL GROUP BY 1;
SELECT dimension_value, ltv_cac_ratio FROM unit_economics_by_segment WHERE dimension = 'company_size';

-- name: CAC Payback Months
SELECT sum(cac) / sum(monthly_gross_profit) FROM unit_economics WHERE cac IS NOT NULL AND monthly_gross_profit IS NOT NULL;
SELECT cac_payback_months FROM total;

-- name: Customers Paid Back
SELECT count(observed_payback_months) FROM unit_economics;
SELECT paid_back_customers FROM total;

-- name: Churned Share
SELECT count(*) FILTER (is_churned) / count(*) FROM unit_economics;
SELECT churn_rate FROM total;

-- name: Gross Margin
SELECT customer_id, sum(gross_profit) / sum(revenue) FROM customer_margins
WHERE month > last_month() - INTERVAL 12 MONTH AND customer_id IN (SELECT customer_id FROM with_own_margin) GROUP BY 1;
SELECT customer_id, gross_margin FROM with_own_margin;

-- name: Health Score
SELECT avg(health_score) FROM unit_economics;
SELECT health_score FROM total;

-- name: Events
SELECT usage_month, sum(events) FROM fct_usage GROUP BY 1;
SELECT month, events FROM monthly_usage;

-- name: DAU
SELECT usage_month, sum(active_users) / day(last_day(usage_month)) FROM fct_usage GROUP BY 1;
SELECT month, active_user_days / day(last_day(month)) FROM monthly_usage;

-- name: DAU to MAU
SELECT month, sum(active_user_days) / sum(active_users * day(last_day(month))) FROM monthly_usage GROUP BY 1;
SELECT month, active_days_per_user / day(last_day(month)) FROM monthly_usage;

-- name: Error Rate
SELECT usage_month, sum(errors) / sum(events) FROM fct_usage GROUP BY 1;
SELECT month, error_rate FROM monthly_usage;

-- name: Tickets
SELECT customer_id, count(*) FROM recent_tickets GROUP BY 1;
SELECT customer_id, tickets_90d FROM customer_signals WHERE tickets_90d > 0;

-- name: SLA Breach Rate
SELECT customer_id, count(*) FILTER (is_breached) / count(is_breached) FROM recent_tickets GROUP BY 1;
SELECT customer_id, sla_breach_rate FROM customer_signals WHERE tickets_90d > 0;

-- name: CSAT
SELECT customer_id, avg(csat) FROM recent_tickets GROUP BY 1;
SELECT customer_id, csat FROM customer_signals WHERE tickets_90d > 0;

-- name: SLA Adherence Rate
SELECT opened_month, count_if(NOT is_breached) / count(*) FROM fct_tickets
WHERE is_breached IS NOT NULL AND (is_breached OR is_resolved) GROUP BY 1;
SELECT month, sla_adherence_rate FROM sla_adherence WHERE priority = 'all' AND segment = 'all' AND measured_tickets > 0;

-- name: Resolution Hours Median
SELECT opened_month, median(resolution_hours) FROM fct_tickets GROUP BY 1;
SELECT month, median_resolution_hours FROM sla_adherence WHERE priority = 'all' AND segment = 'all';

-- name: Resolution Hours P90
SELECT opened_month, priority, quantile_cont(resolution_hours, 0.9) FROM fct_tickets GROUP BY 1, 2;
SELECT month, priority, p90_resolution_hours FROM sla_adherence WHERE priority <> 'all' AND segment = 'all';

-- name: Net Cash
SELECT payment_month, sum(net_cash) FROM payment_summary GROUP BY 1;
SELECT payment_month, sum(CASE status WHEN 'succeeded' THEN amount WHEN 'refunded' THEN -amount ELSE 0 END)
FROM payment_summary GROUP BY 1;
