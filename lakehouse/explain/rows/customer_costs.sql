-- One row per customer who ever had MRR.
SELECT customer_id, marketing_cost, sales_cost FROM gold.customer_acquisition_costs
