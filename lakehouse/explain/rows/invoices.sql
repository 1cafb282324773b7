-- One row per invoice or credit note and month-end at which it was open, or billed in the 90 days before.
WITH dated AS (
    SELECT
        invoice_id, invoices.customer_id, coalesce(segment, 'unknown') AS segment, due_at::DATE AS due_date,
        issued_at::DATE AS issued_date, closed_at::DATE AS closed_date, status IS NOT DISTINCT FROM 'void' AS is_void,
        CASE WHEN invoice_type IS NOT DISTINCT FROM 'credit_note' THEN -total_reporting ELSE total_reporting END
            AS amount
    FROM silver.invoices AS invoices
    LEFT JOIN silver.customers USING (customer_id)
),
at_ends AS (
    SELECT
        dated.*, month, least(last_day(month), getvariable('as_of')) AS month_end,
        closed_date IS NULL OR closed_date > month_end AS is_open, date_diff('day', due_date, month_end) AS days_past_due
    FROM dated
    JOIN (SELECT DISTINCT month FROM silver.dim_date WHERE month <= getvariable('as_of')) AS months
        ON date_trunc('month', issued_date) <= month
),
aged AS (
    SELECT
        *,
        CASE
            WHEN days_past_due IS NULL OR days_past_due <= 0 THEN 'not_due' WHEN days_past_due <= 30 THEN '1-30'
            WHEN days_past_due <= 60 THEN '31-60' WHEN days_past_due <= 90 THEN '61-90' ELSE 'over_90'
        END AS bucket,
        CASE WHEN is_open THEN amount ELSE 0 END AS open_amount,
        date_diff('day', issued_date, month_end) < 90 AND (NOT is_void OR is_open) AS is_billed
    FROM at_ends
)
SELECT
    invoice_id AS record_id, customer_id, month, segment, bucket, open_amount, is_open::INT AS invoices,
    CASE WHEN is_billed THEN amount ELSE 0 END AS billed_90_days,
    CASE bucket WHEN 'not_due' THEN open_amount ELSE 0 END AS open_not_due,
    CASE bucket WHEN '1-30' THEN open_amount ELSE 0 END AS open_1_to_30_days,
    CASE bucket WHEN '31-60' THEN open_amount ELSE 0 END AS open_31_to_60_days,
    CASE bucket WHEN '61-90' THEN open_amount ELSE 0 END AS open_61_to_90_days,
    CASE bucket WHEN 'over_90' THEN open_amount ELSE 0 END AS open_over_90_days
FROM aged
WHERE is_open OR is_billed
