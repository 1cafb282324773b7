-- What was owed at the close of each month, version by version, and how the recurring revenue is spread.

CREATE TABLE owed AS
WITH versions AS (
    SELECT months.close, issued.*
    FROM bronze_invoices AS issued JOIN months ON issued.updated_at::DATE <= close
    QUALIFY row_number() OVER (PARTITION BY invoice_id, close ORDER BY updated_at DESC) = 1
)
SELECT
    close, customer_id, invoice_id, status, issued_at::DATE AS issued_on,
    date_diff('day', due_at::DATE, close) AS days_past_due,
    half_up(millionths(total) * rate, 1000000) * if(invoice_type = 'credit_note', -1, 1) AS amount
FROM versions
JOIN rates ON rates.currency = versions.currency AND rates.day = issued_at::DATE;

CREATE VIEW oracle_receivables AS
WITH buckets(bucket, lowest, highest) AS (
    VALUES ('not_due', -100000, 0), ('1-30', 1, 30), ('31-60', 31, 60), ('61-90', 61, 90), ('over_90', 91, 100000)
),
aged AS (
    SELECT
        closes.close, bucket, money(half_up(coalesce(sum(amount), 0), 10000)) AS open_amount,
        count(invoice_id) AS invoices, count(DISTINCT customer_id) AS customers
    FROM (SELECT DISTINCT close FROM owed) AS closes
    CROSS JOIN buckets
    LEFT JOIN (FROM owed WHERE status = 'open') AS still_open
        ON still_open.close = closes.close AND days_past_due BETWEEN lowest AND highest
    GROUP BY ALL
),
billed AS (
    SELECT close, money(half_up(sum(amount), 10000)) AS billed_90_days
    FROM owed
    WHERE status <> 'void' AND issued_on > close - 90
    GROUP BY close
)
SELECT
    date_trunc('month', close)::DATE AS month, bucket, open_amount, invoices, customers,
    sum(open_amount) OVER (PARTITION BY close)::DECIMAL(18, 2) AS receivables, billed_90_days,
    nine_digits(receivables / billed_90_days * 90) AS dso_days
FROM aged JOIN billed USING (close);

-- Gini as the mean absolute difference of all pairs ÷ twice the mean, not by ranks.
CREATE VIEW oracle_concentration AS
WITH paying AS (
    SELECT month, 'all' AS dimension, 'all' AS dimension_value, customer_id, closing FROM ledger WHERE closing > 0
    UNION ALL
    SELECT month, 'region', region, customer_id, closing FROM ledger JOIN customers USING (customer_id) WHERE closing > 0
),
pairs AS (
    SELECT one.month, one.dimension, one.dimension_value, sum(abs(one.closing - other.closing)) AS differences
    FROM paying AS one JOIN paying AS other USING (month, dimension, dimension_value)
    GROUP BY ALL
),
spread AS (
    SELECT
        month, dimension, dimension_value, count(*) AS n, sum(closing) AS total,
        list_reverse_sort(list(closing)) AS largest,
        sum(closing * closing) AS squares
    FROM paying
    GROUP BY ALL
)
SELECT
    month, dimension, dimension_value, n AS customers, money(total) AS mrr,
    nine_digits(largest[1] / total) AS top_1_customer_share,
    nine_digits(list_sum(largest[:10]) / total) AS top_10_customers_share,
    nine_digits(list_sum(largest[:ceil(n * 0.05)::INT]) / total) AS top_5_percent_share,
    nine_digits(list_sum(largest[:ceil(n * 0.2)::INT]) / total) AS top_20_percent_share,
    nine_digits(differences / (2 * n * total)) AS gini,
    nine_digits(squares::DOUBLE / total / total) AS hhi
FROM spread JOIN pairs USING (month, dimension, dimension_value);
