-- The ledger from the month of the first close to that of the last one.
SELECT
    customer_id, month, movement, opening_mrr, new_mrr, reactivation_mrr, expansion_mrr, contraction_mrr, churned_mrr,
    fx_mrr, closing_mrr, closing_mrr_at_year_ago_rates
FROM silver.customer_months
WHERE month BETWEEN $from_month AND $to_month
ORDER BY customer_id, month
