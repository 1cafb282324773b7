-- One row per customer and month: what each number of the bridge is, and for each reason what lies between two of them.
WITH named AS (
    SELECT
        *,
        CASE step
            WHEN 'terms_to_invoices' THEN 'invoiced' WHEN 'invoices_to_payments' THEN 'cash'
            WHEN 'terms_to_revenue' THEN 'revenue' ELSE 'mrr'
        END || '_' || reason AS part
    FROM gold.revenue_reconciliation
),
totals AS (
    SELECT
        customer_id, month,
        sum(from_amount) FILTER (WHERE step = 'terms_to_revenue') AS expected_billings,
        sum(to_amount) FILTER (WHERE step = 'terms_to_invoices') AS invoiced,
        sum(to_amount) FILTER (WHERE step = 'terms_to_revenue') AS revenue
    FROM named
    GROUP BY ALL
),
differences AS (
    PIVOT named ON part IN (
        'invoiced_credit_note', 'invoiced_voided', 'invoiced_timing_invoice', 'invoiced_fx', 'invoiced_rounding',
        'invoiced_unexplained', 'cash_tax', 'cash_timing_payment', 'cash_unpaid', 'cash_past_due', 'cash_written_off',
        'cash_refund', 'cash_credit_note', 'cash_fx', 'cash_rounding', 'cash_unexplained',
        'revenue_timing_annual_prepayment', 'revenue_timing_billing_period', 'revenue_one_time', 'revenue_day_count',
        'revenue_ended_early', 'revenue_fx', 'revenue_rounding', 'revenue_unexplained', 'mrr_one_time',
        'mrr_change_within_month', 'mrr_rounding'
    ) USING sum(difference) GROUP BY customer_id, month
)
SELECT
    *, CASE WHEN has_invoices THEN expected_billings END AS expected_of_invoices,
    CASE WHEN has_payments THEN invoiced END AS invoiced_of_payments
FROM totals
JOIN differences USING (customer_id, month)
CROSS JOIN (
    SELECT
        bool_or(step = 'terms_to_invoices') AS has_invoices, bool_or(step = 'invoices_to_payments') AS has_payments
    FROM named
)
