-- One row per customer with MRR at a month's close; the rep is the account's on the as-of day.
SELECT
    customer_id, month, coalesce(segment, 'unknown') AS segment, coalesce(region, 'unknown') AS region,
    coalesce(company_size, 'unknown') AS company_size, coalesce(owner_rep_id, 'unknown') AS rep, closing_mrr AS mrr,
    1 AS customers
FROM silver.customer_months
LEFT JOIN (SELECT account_id, owner_rep_id FROM silver.accounts) USING (account_id)
WHERE is_active
