-- One row per customer who ever had MRR: what it pays, and what it paid three months before.
SELECT customers.customer_id, mrr, closing_mrr AS mrr_before
FROM silver.customers AS customers
LEFT JOIN silver.customer_months AS before ON before.customer_id = customers.customer_id
    AND before.month = date_trunc('month', getvariable('as_of')) - INTERVAL 3 MONTH
WHERE customers.cohort_month IS NOT NULL
